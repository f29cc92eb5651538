"""The link by which a recipient unsubscribes, in mails as they are sent and as they are edited."""

import unittest

from . import pure

opt_out = pure.load("opt_out")
LINK = '<a href="/unsubscribe_from_list">Leave</a>'


class TestOptOut(unittest.TestCase):
    def test_who_can_unsubscribe(self):
        for html in (LINK, f"<p>{LINK}</p>", LINK.replace('"/', '"https://a.example.com/')):
            self.assertIs(opt_out.has_opt_out(html), True, html)

    def test_who_cannot(self):
        for html in ("", None, "<p>Hi</p>", "<p>/unsubscribe_from_list</p>", "<a>Leave</a>"):
            self.assertIs(opt_out.has_opt_out(html), False, html)

    def test_a_link_that_nobody_sees(self):
        for style in ("display:none", "color: red; display: none"):
            hidden = LINK.replace("<a", f'<a style="{style}"')
            self.assertIs(opt_out.has_opt_out(hidden), False, hidden)
            self.assertIs(opt_out.has_opt_out(f'<p style="{style}">{LINK}</p>'), False)
            self.assertIs(opt_out.has_opt_out(hidden + LINK), True, "another one is seen")
        self.assertIs(opt_out.has_opt_out(LINK.replace("Leave", " ")), False)
        picture = LINK.replace("Leave", '<img src="leave.png"/>')
        self.assertIs(opt_out.has_opt_out(picture), True)

    def test_a_link_that_is_nobody_s_own(self):
        """A page of somebody that is called as core calls the link."""
        for url in ("/unsubscribe_from_list/all", "/unsubscribe_from_list.html"):
            seen = LINK.replace("/unsubscribe_from_list", url)
            self.assertIs(opt_out.has_opt_out(seen), False, url)

    def test_a_mail_as_it_is_sent(self):
        html = opt_out.add_opt_out("<body><p>Hi</p></body>", "Leave & <never> are won back")
        self.assertTrue(opt_out.has_opt_out(html))
        self.assertTrue(html.startswith("<body><p>Hi</p><div"))
        self.assertTrue(html.endswith(">Leave &amp; &lt;never&gt; are won back</a></div></body>"))


class TestBlock(unittest.TestCase):
    """The editor moves the link as a block: it has to be where blocks are."""

    def parents(self, arch):
        """The classes of what the block is in, from the inside out, and its place among others."""
        html = opt_out.add_opt_out_block(arch, "Leave")
        self.assertTrue(opt_out.has_opt_out(html), html)
        root = opt_out.lxml.html.fragment_fromstring(html, create_parent="div")
        (block,) = root.xpath("//section[@data-snippet]")
        self.assertIsNone(block.getnext(), "it is the last one")
        return [one.get("class") for one in block.iterancestors()][:-1]

    def test_in_the_innermost_place_for_blocks(self):
        arch = (
            '<div class="o_layout"><div class="o_mail_wrapper">'
            '<div class="oe_structure"><div class="col o_mail_wrapper_td"><p>Hi</p></div></div>'
            "</div></div>"
        )
        self.assertEqual(self.parents(arch)[0], "col o_mail_wrapper_td")
        arch = '<div class="o_layout"><div class="oe_structure x"><p>Hi</p></div></div>'
        self.assertEqual(self.parents(arch)[0], "oe_structure x")
        self.assertEqual(self.parents('<div class="o_layout"><p>Hi</p></div>'), ["o_layout"])

    def test_in_the_last_of_several(self):
        arch = '<div class="oe_structure a"></div><div class="oe_structure b"></div>'
        self.assertEqual(self.parents(arch), ["oe_structure b"])

    def test_a_name_within_another_is_no_place(self):
        self.assertEqual(self.parents('<div class="o_layouts"><p>Hi</p></div>'), [])

    def test_a_text_without_places(self):
        self.assertEqual(self.parents("<p>Hi</p>"), [])
        html = opt_out.add_opt_out_block("Hello <b>Ann</b>", "Leave")
        self.assertTrue(html.startswith("Hello <b>Ann</b><section"))
        self.assertTrue(opt_out.add_opt_out_block("<p>Hi</p>", "L").startswith("<p>Hi</p><section"))

    def test_the_label_is_text(self):
        self.assertIn("&lt;b&gt;", opt_out.add_opt_out_block("<p>Hi</p>", "<b>"))
