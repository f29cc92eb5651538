"""Where the links of a mail lead, and which of them somebody means."""

import time
import unittest

from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from . import pure

links = pure.load("links")

GOAL = "https://crm.example.com/mailing/7/unsubscribe?a=1&b=2"
IN_HTML = GOAL.replace("&", "&amp;")
PAGE = "https://crm.example.com/mailing/7/view"
OWN = ("https://crm.example.com/", "https://shop.example.com/odoo")


def fill(html, **urls):
    urls = {links.UNSUBSCRIBE: GOAL, links.VIEW: PAGE, **urls}
    return links.fill_placeholders(html, urls, OWN)


class TestLinksIn(unittest.TestCase):
    def test_web_addresses_once_in_the_order_of_the_text(self):
        html = (
            '<p><a href="https://b.example.com/">B</a><a href=" http://a.example.com/ ">A</a>'
            '<a href="mailto:ann@example.com">Write</a><a href="/view">View</a><a>None</a>'
            '<a href="https://b.example.com/">B again</a></p>'
        )
        self.assertEqual(links.links_in(html), ["https://b.example.com/", "http://a.example.com/"])

    def test_nothing(self):
        for html in ("", None, "<p>Text</p>"):
            self.assertEqual(links.links_in(html), [])


class TestWithoutLinks(unittest.TestCase):
    def test_a_preview_leads_nowhere(self):
        page = links.without_links(
            '<html><head><base href="https://x.example.com/"><title>T</title>'
            '<meta http-equiv="refresh" content="1"><meta name="x"><meta charset="utf-8"></head>'
            '<body><script>alert(1)</script><a href="https://a.example.com" target="_top">A</a>'
            '<map><area href="https://area.example.com"></map><img src="https://i.example.com/i">'
            '<form action="https://f.example.com"><button formaction="https://g.example.com">Go'
            '</button><input formaction="https://h.example.com"></form></body></html>'
        )
        for gone in ("script", "<base", "refresh", 'name="x"', "href", "target", "action", "ping"):
            self.assertNotIn(gone, page)
        for kept in (">A</a>", ">Go</button>", "https://i.example.com/i", "<title>T", "charset"):
            self.assertIn(kept, page)
        self.assertTrue(page.startswith("<!DOCTYPE html>"))

    def test_text_after_what_is_taken_out_stays(self):
        self.assertIn("after", links.without_links("<body><script>x</script>after</body>"))


class TestAppend(unittest.TestCase):
    def test_at_the_end_of_what_is_shown(self):
        self.assertEqual(links.append("<p>A</p>", "<p>B</p>"), "<p>A</p><p>B</p>")
        self.assertEqual(
            links.append("<html><body><p>A</p></body></html>", "<p>B</p>"),
            "<html><body><p>A</p><p>B</p></body></html>",
        )

    def test_the_last_end_counts(self):
        html = "<body><pre>&lt;/body></body></pre></body>"
        self.assertEqual(links.append(html, "!"), "<body><pre>&lt;/body></body></pre>!</body>")

    def test_nothing_is_escaped(self):
        self.assertEqual(links.append(Markup("<p>A</p>"), "<br>"), "<p>A</p><br>")
        self.assertEqual(links.append("<p>A</p>", Markup("<br>")), "<p>A</p><br>")


class TestQuotedIn(unittest.TestCase):
    def test_what_is_quoted(self):
        log = '<p>Sent</p><blockquote data-o-mail-quote="1">Hello <b>Ann</b> &amp; co</blockquote>'
        self.assertEqual(links.quoted_in(log), "Hello <b>Ann</b> &amp; co")
        self.assertIsInstance(links.quoted_in(log), Markup)

    def test_without_words_before_the_first_element(self):
        log = '<blockquote data-o-mail-quote="1"><p>Hi</p></blockquote>'
        self.assertEqual(links.quoted_in(log), "<p>Hi</p>")

    def test_the_first_of_several(self):
        log = "".join(f'<blockquote data-o-mail-quote="1">{n}</blockquote>' for n in "ab")
        self.assertEqual(links.quoted_in(log), "a")

    def test_all_of_it_where_nothing_is_quoted(self):
        for log in ("<p>Hi</p>", "", None):
            self.assertEqual(links.quoted_in(log), log or "")

    def test_words_cannot_become_tags(self):
        log = '<blockquote data-o-mail-quote="1">&lt;script&gt;<p>x</p></blockquote>'
        self.assertNotIn("<script>", links.quoted_in(log))


class TestIsAbout(unittest.TestCase):
    def test_patterns(self):
        for pattern, url, expected in (
            ("https://a.example/x", "https://a.example/x", True),
            (" https://a.example/x ", "https://a.example/x", True),
            ("https://a.example/x", "https://a.example/xy", False),
            ("https://a.example/*", "https://a.example/", True),
            ("https://a.example/*", "https://a.example/x/y", True),
            ("https://a.example/*", "https://b.example/", False),
            ("*/demo", "https://a.example/demo", True),
            ("*/demo", "https://a.example/demo/", False),
            ("*price*", "https://a.example/prices", True),
            ("*price*", "https://a.example/", False),
            ("*a*b*c", "a-b-c", True),
            ("*b*a*", "a-b", False),
            ("a*a", "a", False),
            ("a*a", "aa", True),
            ("ab*bc", "abc", False),
            ("*", "", True),
            ("*", "anything", True),
            ("**", "x", True),
            ("", "", False),
            (None, None, False),
            ("", "https://a.example/", False),
            ("x", None, False),
            ("https://a.example/?q=.", "https://a.example/?q=x", False),
        ):
            with self.subTest(pattern=pattern, url=url):
                self.assertIs(links.is_about(pattern, url), expected)

    @given(st.lists(st.text("ab"), min_size=1, max_size=5), st.data())
    def test_a_star_stands_for_anything(self, parts, data):
        pattern = "*".join(parts)
        url = parts[0]
        for part in parts[1:]:
            url += data.draw(st.text("abc", max_size=3)) + part
        self.assertEqual(links.is_about(pattern, url), bool(pattern))

    def test_no_pattern_takes_long(self):
        start = time.process_time()
        self.assertFalse(links.is_about("*a" * 500 + "b", "a" * 20000))
        self.assertLess(time.process_time() - start, 2)


class TestPlaceholders(unittest.TestCase):
    def test_the_link_to_unsubscribe(self):
        for before in (
            '<a href="/unsubscribe_from_list">U</a>',
            '<a href="/unsubscribe_from_list/">U</a>',
            "<a href='/unsubscribe_from_list?x=1'>U</a>",
            '<a href="https://any.example.com/unsubscribe_from_list">U</a>',
            '<a href="https://any.example.com/behind/a/path/unsubscribe_from_list">U</a>',
            '<a href="HTTP://any.example.com/unsubscribe_from_list#x">U</a>',
            '<a href="https:&#47;&#47;any.example.com&#x2F;unsubscribe_from_list">U</a>',
            '<a href="unsubscribe_from_list">U</a>',
        ):
            with self.subTest(before):
                quote = "'" if "'" in before else '"'
                self.assertEqual(fill(before), f"<a href={quote}{IN_HTML}{quote}>U</a>")

    def test_in_a_text(self):
        for before, after in (
            ("Leave: /unsubscribe_from_list now", f"Leave: {IN_HTML} now"),
            ("(/unsubscribe_from_list).", f"({IN_HTML})."),
            ("https://a.example.com/unsubscribe_from_list, or", f"{IN_HTML}, or"),
            ("[U](https://a.example.com/unsubscribe_from_list)", f"[U]({IN_HTML})"),
        ):
            with self.subTest(before):
                self.assertEqual(fill(before), after)

    def test_pages_of_that_name_stay(self):
        for text in (
            '<a href="/unsubscribe_from_list.html">U</a>',
            '<a href="/unsubscribe_from_list_now">U</a>',
            '<a href="/unsubscribe_from_list/more">U</a>',
            '<a href="https://a.example.com/?to=unsubscribe_from_list">U</a>',
            '<a href="ftp://a.example.com/unsubscribe_from_list">U</a>',
            '<a href="some/unsubscribe_from_list">U</a>',
            '<a href="https://[bad/unsubscribe_from_list">U</a>',
            '<a href="https://a℀.example.com/unsubscribe_from_list">U</a>',  # no host
            "the word unsubscribe_from_list",
        ):
            with self.subTest(text):
                self.assertEqual(fill(text), text)

    def test_several(self):
        html = (
            '<a href="/unsubscribe_from_list">A</a>, <a href="/view">B</a>, /unsubscribe_from_list'
        )
        self.assertEqual(
            fill(html), f'<a href="{IN_HTML}">A</a>, <a href="{PAGE}">B</a>, {IN_HTML}'
        )
        two = "/unsubscribe_from_list/unsubscribe_from_list"
        self.assertEqual(fill(two), IN_HTML)

    def test_the_page_to_see_the_mail(self):
        for url in ("/view", "https://crm.example.com/view", "https://SHOP.example.com/odoo/view"):
            with self.subTest(url):
                self.assertEqual(fill(f'<a href="{url}">V</a>'), f'<a href="{PAGE}">V</a>')

    def test_others_have_pages_to_view(self):
        for url in (
            "https://a.example.com/view",
            "https://shop.example.com/view",
            "https://crm.example.com/some/view",
            "/some/view",
            "view",
        ):
            html = f'<a href="{url}">V</a>'
            with self.subTest(url):
                self.assertEqual(fill(html), html)
        self.assertEqual(fill("a room with a /view"), "a room with a /view")

    def test_without_an_address_it_stays(self):
        html = '<a href="/view">V</a><a href="/unsubscribe_from_list">U</a>'
        self.assertEqual(fill(html, view=None), html.replace("/unsubscribe_from_list", IN_HTML))
        self.assertEqual(links.fill_placeholders(html, {}, OWN), html)

    def test_an_address_has_an_end(self):
        """A long text without blanks is not taken for one address."""
        path = "x" * 1900
        near = f'"https://a.example.com/{path}/unsubscribe_from_list"'
        self.assertEqual(fill(near), f'"{IN_HTML}"')
        far = f'"https://a.example.com/{path * 2}/unsubscribe_from_list"'
        self.assertIn("https://a.example.com/", fill(far))

    def test_many_take_no_time(self):
        html = "/unsubscribe_from_list " * 3000
        start = time.process_time()
        self.assertEqual(fill(html).count(IN_HTML), 3000)
        self.assertLess(time.process_time() - start, 3)


class TestAsLike(unittest.TestCase):
    def test_like(self):
        """What means something to LIKE stands for itself, and only ``*`` for anything."""
        for pattern, expected in (
            ("https://a.example.com/b*", "https://a.example.com/b%"),
            (" 100%_ ", r"100\%\_"),
            ("a\\b", "a\\\\b"),
            (None, ""),
        ):
            with self.subTest(pattern):
                self.assertEqual(links.as_like(pattern), expected)


class TestHasPlaceholder(unittest.TestCase):
    def test_a_link_that_leads_nowhere(self):
        for text in (
            '<a href="/unsubscribe_from_list">U</a>',
            "https://a.example.com/unsubscribe_from_list",
            "https://a.example.com/r?u=%2Funsubscribe_from_list",
            "https://a.example.com/r?u=%2funsubscribe_from_list",
        ):
            with self.subTest(text):
                self.assertIs(links.has_placeholder(text), True)

    def test_none(self):
        for text in (
            *("", None, "<p>Hello</p>", GOAL),
            *("unsubscribe_from_list.html", "my-unsubscribe_from_list", "unsubscribe_from_lists"),
        ):
            with self.subTest(text):
                self.assertIs(links.has_placeholder(text), False)
