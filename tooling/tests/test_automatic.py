"""The rules that tell automatic mail from what people write, without Odoo."""

import email
import email.policy
import importlib.util
import unittest

from tooling import settings

from .pure import load

automatic = load("automatic")
subjects = load("subjects")
_spec = importlib.util.spec_from_file_location(
    "nurture_mail_samples", settings.ROOT / "lost_lead_nurture" / "tests" / "mail_samples.py"
)
mail_samples = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(mail_samples)


def message(headers="", content="Content-Type: text/plain\n\nYes, please.\n"):
    start = "From: ann@recipient.example.com\nSubject: Re: First\n"
    raw = f"{start}{headers}MIME-Version: 1.0\n{content}"
    return email.message_from_string(raw, policy=email.policy.SMTP)


def report(kind, *parts):
    """A message/report of some kind, with parts (content type, text)."""
    body = "".join(f"--b\nContent-Type: {type_}\n\n{text}\n" for type_, text in parts)
    return message(
        content=f'Content-Type: multipart/report; report-type={kind}; boundary="b"\n\n{body}--b--\n'
    )


def status(*actions):
    recipients = "\n".join(
        f"Final-Recipient: rfc822; ann@recipient.example.com\nAction: {action}\n"
        for action in actions
    )
    return report(
        "delivery-status",
        ("text/plain", "See below."),
        ("message/delivery-status", f"Reporting-MTA: dns; mx.example.com\n\n{recipients}"),
    )


RECEIPT = report(
    "disposition-notification",
    ("text/plain", "Your message was displayed."),
    ("message/disposition-notification", "Disposition: manual-action/MDN-sent-manually; displayed"),
)
COMPLAINT = report("feedback-report", ("message/feedback-report", "Feedback-Type: abuse"))


class TestAnswers(unittest.TestCase):
    def test_people(self):
        for headers in (
            "",
            "Auto-Submitted: no\n",
            "Auto-Submitted: No ; x=y\n",
            "X-Auto-Response-Suppress: All\n",
            "X-Auto-Response-Suppress: DR, RN, NRN, OOF, AutoReply\n",
            "Precedence: list\n",
            "Precedence: normal\n",
            "Precedence: bulk\n",
            "Precedence: junk\n",
            "X-Precedence: bulk\nList-Id: <all.recipient.example.com>\n",
            "Return-Path: <ann@recipient.example.com>\n",
            "Disposition-Notification-To: ann@recipient.example.com\n",
            "X-Autoreply: no\n",
        ):
            with self.subTest(headers):
                self.assertFalse(automatic.is_automatic(message(headers)))

    def test_bots(self):
        for headers in (
            "Auto-Submitted: auto-replied\n",
            "Auto-Submitted: auto-generated\n",
            "Auto-Submitted: AUTO-REPLIED (vacation)\n",
            "Auto-Submitted: auto-replied; owner-email=ann@recipient.example.com\n",
            "Precedence: auto_reply\n",
            "X-Precedence: auto-reply\n",
            "X-Autoreply: yes\n",
            "X-Autorespond: First\n",
            "X-Auto-Reply-From: ann@recipient.example.com\n",
            "Return-Path: <>\n",
        ):
            with self.subTest(headers):
                self.assertTrue(automatic.is_automatic(message(headers)))

    def test_reports(self):
        for sent in (RECEIPT, COMPLAINT, status("failed"), status("delayed")):
            self.assertTrue(automatic.is_automatic(sent))

    def test_harmless_reports(self):
        for harmless in (
            RECEIPT,
            COMPLAINT,
            status("delayed"),
            status("relayed", "delivered"),
            status("expanded"),
        ):
            self.assertTrue(automatic.is_harmless_report(harmless), harmless)
        for other in (
            message(),
            status("failed"),
            status("Failed"),
            status("delayed", "failed"),
            status(),
            report("delivery-status", ("text/plain", "It cannot be delivered.")),
        ):
            self.assertFalse(automatic.is_harmless_report(other), other)

    def test_lists(self):
        """What a list passes on a person wrote, unless more than the list says otherwise."""
        listed = "List-Id: <all.recipient.example.com>\nPrecedence: bulk\n"
        self.assertFalse(automatic.is_automatic(message(listed)))
        self.assertTrue(automatic.is_automatic(message(listed + "Auto-Submitted: auto-replied\n")))

    def test_doubled_headers(self):
        for values in (("no", "auto-replied"), ("auto-replied", "no"), ("auto-replied",) * 2):
            headers = "".join(f"Auto-Submitted: {value}\n" for value in values)
            self.assertTrue(automatic.is_automatic(message(headers)), values)
        self.assertFalse(automatic.is_automatic(message("Auto-Submitted: no\n" * 2)))

    def test_harmless_answers(self):
        """An out-of-office at the address for bounces is none; a mail that bounced is."""
        away = message("Auto-Submitted: auto-replied\n")
        returned = message("Auto-Submitted: auto-replied\nX-Failed-Recipients: a@b.example\n")
        self.assertTrue(automatic.is_harmless_report(away))
        self.assertFalse(automatic.is_harmless_report(returned))

    def test_postmaster_who_writes(self):
        """Who has such an address may answer all the same."""
        written = message()
        written.replace_header("From", "Postmaster <postmaster@recipient.example.com>")
        self.assertFalse(automatic.is_automatic(written))
        written.replace_header("From", "MAILER-DAEMON")
        self.assertTrue(automatic.is_automatic(written))


def mixed(*parts):
    """What a gateway makes of a mail when it adds something: a mail of several parts."""
    body = "".join(f"--b\n{headers}\n\n{text}\n" for headers, text in parts)
    return message(content=f'Content-Type: multipart/mixed; boundary="b"\n\n{body}--b--\n')


class TestParts(unittest.TestCase):
    PLAIN = "Content-Type: text/plain"
    SAYS_SO = "This is an automatic reply."

    def test_a_report_to_which_a_gateway_has_added_something(self):
        status = ("Content-Type: message/delivery-status", "Reporting-MTA: dns; mx.example.com\n")
        self.assertTrue(automatic.is_automatic(mixed((self.PLAIN, "Hello"), status)))
        self.assertFalse(automatic.is_automatic(mixed((self.PLAIN, "Hello"))))

    def test_only_the_first_three_lines(self):
        lines = ["Hello", "dear", "Ann"]
        for before, expected in ((lines[:2], True), (lines, False)):
            text = "\n\n".join([*before, self.SAYS_SO])
            asked = message(content=f"{self.PLAIN}\n\n{text}\n")
            self.assertIs(automatic.is_automatic(asked), expected)

    def test_what_is_attached_is_not_the_text(self):
        attached = f"{self.PLAIN}\nContent-Disposition: attachment; filename=a.txt"
        self.assertFalse(automatic.is_automatic(mixed((attached, self.SAYS_SO))))
        self.assertTrue(automatic.is_automatic(mixed((self.PLAIN, self.SAYS_SO))))

    def test_the_first_text_counts(self):
        own = (self.PLAIN, self.SAYS_SO)
        self.assertTrue(automatic.is_automatic(mixed(own, (self.PLAIN, "Our imprint"))))
        self.assertFalse(automatic.is_automatic(mixed((self.PLAIN, "Yes, please"), own)))

    def test_what_a_page_does_not_show(self):
        page = f"<HTML><HEAD>\n<TITLE>x</TITLE>\n{self.SAYS_SO}</HEAD><P>Yes, please</P>"
        asked = message(content=f"Content-Type: text/html\n\n{page}\n")
        self.assertFalse(automatic.is_automatic(asked))

    def test_away_and_a_failure_all_the_same(self):
        """What speaks of a failure is not harmless, whatever the subject says."""
        away = "Subject: Automatic reply: I am away\n"
        status = "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n--b--\n"
        returned = "--b\nContent-Type: message/rfc822\n\nSubject: First\n\nHello\n\n--b--\n"
        for headers, body, expected in (
            ("From: ann@recipient.example.com\n", "", True),
            ("From: ann@recipient.example.com\n", status, False),
            ("From: noreply@recipient.example.com\n", "", False),
            ("From: postmaster@recipient.example.com\n", returned, False),
            ("From: ann@recipient.example.com\nX-Failed-Recipients: bob@example.com\n", "", False),
        ):
            body = body or f"--b\n{self.PLAIN}\n\nBye\n--b--\n"
            raw = f'{headers}{away}Content-Type: multipart/mixed; boundary="b"\n\n{body}'
            asked = email.message_from_string(raw, policy=email.policy.SMTP)
            with self.subTest(headers=headers, body=body):
                self.assertIs(automatic.is_harmless_report(asked), expected)


class TestSamples(unittest.TestCase):
    """The mails that are sent through the gateway as well."""

    def judge(self, samples):
        for sample in samples:
            raw = sample.build(
                "<mail@test.example.com>", "ann@recipient.example.com", "x@example.com"
            )
            with self.subTest(sample.name):
                yield automatic.is_automatic(
                    email.message_from_bytes(raw, policy=email.policy.SMTP)
                )

    def test_automatic(self):
        for judged in self.judge(mail_samples.AUTOMATIC):
            self.assertTrue(judged)

    def test_people(self):
        for judged in self.judge(mail_samples.HUMAN):
            self.assertFalse(judged)


class TestSubjects(unittest.TestCase):
    def test_clean(self):
        for text in ("Größe 42, 到货", "one\n\ttwo\r\n"):
            self.assertEqual(subjects.clean_text(text), text)
        self.assertEqual(subjects.clean_text("Gr\udcffö\x00\x1fße"), "Größe")

    def test_base(self):
        """Whatever programs put before it, it is the same subject."""
        for prefix in (
            "",
            "Re: ",
            "AW: RE: ",
            "Antw: ",
            "回复：",
            "Re[3]: ",
            "[EXTERN] Re: ",
            "R: I: ",
        ):
            for subject in (
                "Größe 42 wieder da!",
                "到货通知",
                "Info: Nową  ofertę",
                "Re: your mail",
            ):
                with self.subTest(prefix=prefix, subject=subject):
                    self.assertEqual(
                        subjects.base_subject(prefix + subject), subjects.base_subject(subject)
                    )
        self.assertNotEqual(subjects.base_subject("Info: First"), subjects.base_subject("First"))

    def test_answers(self):
        for subject in (
            "Re: First",
            "AW:First",
            "答复: First",
            "[all] Re: First",
            "RE [2] : First",
        ):
            self.assertTrue(subjects.is_answer(subject), subject)
        for subject in ("First", "Retour: First", "Automatische Antwort: Re: First", "Rest: x"):
            self.assertFalse(subjects.is_answer(subject), subject)

    def test_whatever_is_in_the_header(self):
        """Nothing there makes it fail."""
        for raw in (
            b"",
            b"Subject:\n",
            b"Subject: =?gb2312?B?1tgA?=\n",
            b"Subject: =?nonsense?B?YWJj?= =?utf-8?Q?=FF?=\n",
            b"Subject: =?utf-8?B?A?=\n",
            b"Subject: =?iso-2022-jp?B?GyRCJXM=?=\n",
            "Subject: 系统退信\n".encode("gbk"),
            "Subject: 系统退信\n".encode(),
            b"Subject: \x00\xff\xfe\n",
            b"Subject: [[[[" + b"[Re: " * 500 + b"\n",
            b"Content-Type: multipart/mixed\n",
            b"Content-Type: text/html; charset=no-such\n",
            b"From: \n",
        ):
            with self.subTest(raw[:60]):
                one = email.message_from_bytes(raw + b"\nText\n", policy=email.policy.SMTP)
                self.assertIsInstance(subjects.subject_of(one), str)
                self.assertEqual(automatic.is_automatic(one), "退信" in subjects.subject_of(one))
