"""Texts of built-in templates, and how they read when nothing is known of the recipient."""

import unittest

from . import pure

mail_texts = pure.load("mail_texts")

VIEW = """
<div>
    <h1>A word,
        <span data-value="object.contact_name">friend</span></h1>
    <h2>From <span data-fill="company"/></h2>
    <main>Hello &amp; welcome
        <p>Dear <span data-value="object.contact_name">friend</span>,</p>
        <p style="color: red;">this is <span data-fill="company"/>.<br/></p>
        <div><p>Bye</p></div>
    </main>
</div>
"""


class TestReadText(unittest.TestCase):
    def setUp(self):
        self.text = mail_texts.read_text(VIEW, {"company": "Müller & Co"})

    def test_headers_are_words_on_one_line(self):
        self.assertEqual(self.text.subject, "A word, friend")
        self.assertEqual(self.text.preview, "From Müller & Co")

    def test_the_body_has_placeholders_as_mailings_have_them(self):
        self.assertIn('Dear <t t-out="object.contact_name">friend</t>,', self.text.body)
        self.assertNotIn("data-value", self.text.body)
        self.assertNotIn("data-fill", self.text.body)

    def test_the_body_is_xml_and_begins_with_its_words(self):
        self.assertTrue(self.text.body.startswith("Hello &amp; welcome"))
        self.assertIn("Müller &amp; Co.<br/>", self.text.body)
        self.assertTrue(self.text.body.endswith("</div>"))

    def test_paragraphs_have_our_margins_unless_they_have_a_style(self):
        self.assertEqual(self.text.body.count(f'<p style="{mail_texts.PARAGRAPH}">'), 2)
        self.assertIn('<p style="color: red;">', self.text.body)

    def test_quotes_stay_as_they_are(self):
        view = "<div><h1>S</h1><h2>P</h2><main>Say \"yes\" or 'no'<p/></main></div>"
        body = mail_texts.read_text(view, {}).body
        self.assertTrue(body.startswith("Say \"yes\" or 'no'"), body)

    def test_without_words_before_the_first_paragraph(self):
        view = "<div><h1>S</h1><h2>P</h2><main><p>Hi</p></main></div>"
        self.assertTrue(mail_texts.read_text(view, {}).body.startswith("<p style="))

    def test_a_text_is_what_it_is(self):
        with self.assertRaises(AttributeError):
            self.text.subject = "Another one"


class TestFill(unittest.TestCase):
    def test_placeholders_of_a_line(self):
        for text, expected in (
            ("Hello {{object.contact_name ||| there}}!", "Hello there!"),
            ("Hello {{ object.contact_name }}!", "Hello !"),
            ("{{a|||b}} and {{c ||| d e }}", "b and d e"),
            ("{{a\n||| b}}", "b"),
            ("No placeholder {here}", "No placeholder {here}"),
            ("", ""),
            (None, ""),
        ):
            with self.subTest(text):
                self.assertEqual(mail_texts.fill_text(text), expected)

    def test_placeholders_of_a_body(self):
        for html, expected in (
            ('<p>Dear <t t-out="object.contact_name">friend</t>,</p>', "<p>Dear friend,</p>"),
            ('<p><t t-out="x"/>!</p>', "<p>!</p>"),
            ('<t  t-out="x" />!', "!"),
            ('<t t-out="x"></t>.', "."),
            ('<t t-if="x">y</t>', '<t t-if="x">y</t>'),
            ("", ""),
            (None, ""),
        ):
            with self.subTest(html):
                self.assertEqual(mail_texts.fill_html(html), expected)
