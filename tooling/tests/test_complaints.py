"""Which messages are complaints, and of what, without Odoo."""

import email
import email.policy
import json
import time
import unittest

from .pure import load

complaints = load("complaints")

RETURNED = (
    "Message-ID: <1@shop.example.com>\nTo: ann@recipient.example.com\nSubject: Offer\n\nHello\n"
)


def message(*parts, subject="FW: Offer", kind="multipart/report; report-type=feedback-report"):
    body = "".join(f"--b\nContent-Type: {type_}\n\n{text}\n" for type_, text in parts)
    return email.message_from_string(
        f"From: feedback@provider.example.com\nSubject: {subject}\nMessage-ID: <own@provider>\n"
        f'MIME-Version: 1.0\nContent-Type: {kind}; boundary="b"\n\n{body}--b--\n',
        policy=email.policy.SMTP,
    )


def feedback(kind="abuse", more="", returned=RETURNED, returned_type="message/rfc822"):
    report = f"Feedback-Type: {kind}\nUser-Agent: Provider/1.0\nVersion: 1\n{more}"
    return message(
        ("text/plain", "This is an abuse report."),
        ("message/feedback-report", report),
        (returned_type, returned),
    )


class TestComplaints(unittest.TestCase):
    def read(self, *arguments, **options):
        return complaints.read_complaint(feedback(*arguments, **options))

    def test_returned_mail(self):
        for returned_type in ("message/rfc822", "text/rfc822-headers", "text/rfc822-header"):
            with self.subTest(returned_type):
                complaint = self.read(returned_type=returned_type)
                self.assertEqual(complaint.kind, "abuse")
                self.assertEqual(complaint.message_ids, ["<1@shop.example.com>"])

    def test_kinds(self):
        for kind in ("abuse", "fraud", "virus", "opt-out", "other", "Abuse"):
            self.assertEqual(self.read(kind).kind, kind.lower())
        for kind in ("not-spam", "auth-failure", "Not-Spam"):
            self.assertIsNone(self.read(kind))

    def test_folded_and_bare(self):
        """Headers go on in the next line, and some write Message-IDs without brackets."""
        returned = "Message-ID:\n <1@shop.example.com>\nTo: Ann\n\n"
        complaint = self.read(returned=returned, returned_type="text/rfc822-headers")
        self.assertEqual(complaint.message_ids, ["<1@shop.example.com>"])
        complaint = self.read(returned="Message-ID: 1@shop.example.com\n\n")
        self.assertEqual(complaint.message_ids, ["<1@shop.example.com>"])

    def test_two_types(self):
        """A report has one type (RFC 5965); of one with more the first counts."""
        self.assertEqual(self.read("abuse\nFeedback-Type: not-spam").kind, "abuse")
        report = feedback("auth-failure\nFeedback-Type: abuse")
        self.assertIsNone(complaints.read_complaint(report))
        self.assertEqual(complaints.read_auth_failure(report).message_ids, ["<1@shop.example.com>"])

    def test_headers_only(self):
        """What the returned mail says below its headers is a text: it may quote another mail."""
        quoted = "Subject: Offer\n\n\nMessage-ID: <2@shop.example.com>\n"
        for returned_type in ("message/rfc822", "text/rfc822-headers"):
            self.assertEqual(
                self.read(returned=quoted, returned_type=returned_type).message_ids, []
            )

    def test_failed_authentication(self):
        """Who reports it, and what has failed, as far as it is said."""
        more = (
            "Auth-Failure: DMARC\nReported-Domain: Shop.Example.com\nSource-IP: 192.0.2.7\n"
            "Delivery-Result: spam\nAuthentication-Results: mx.example.com;\n\tdmarc=fail\x00\n"
        )
        failure = complaints.read_auth_failure(feedback("auth-failure", more))
        self.assertEqual(
            failure,
            complaints.AuthFailure(
                reporter="provider.example.com",
                domain="shop.example.com",
                failed="dmarc",
                results="mx.example.com; dmarc=fail",
                source_ip="192.0.2.7",
                delivery="spam",
                message_ids=["<1@shop.example.com>"],
            ),
        )
        bare = complaints.read_auth_failure(feedback("Auth-Failure"))
        self.assertEqual((bare.failed, bare.results, bare.domain), ("", "", ""))
        for kind in ("abuse", "not-spam", ""):
            self.assertIsNone(complaints.read_auth_failure(feedback(kind)))
        self.assertIsNone(complaints.read_auth_failure(message(kind="text/plain")))

    def test_huge(self):
        """A report that is made to take long takes no time, and names at most a few mails."""
        long = "a" * 1_000_000
        for returned in (f"To: {long}\n\n", f"Message-ID: {long}\n\n", f"Message-ID:{long}@x"):
            begin = time.process_time()
            self.assertEqual(self.read(returned=returned).message_ids, [])
            self.assertLess(time.process_time() - begin, 5)
        many = message(*[("message/feedback-report", "Feedback-Type: abuse\n")] * 5000)
        self.assertEqual(complaints.read_complaint(many).message_ids, [])

    def test_microsoft(self):
        """A mixed message with the mail in it; who forwards a mail complains of nothing."""
        returned = f"X-HmXmrOriginalRecipient: bob@recipient.example.com\n{RETURNED}"
        subject = "complaint about message from 192.0.2.1"
        found = complaints.read_complaint(
            message(("message/rfc822", returned), subject=subject, kind="multipart/mixed")
        )
        self.assertEqual(found.kind, "abuse")
        self.assertEqual(found.message_ids, ["<1@shop.example.com>"])
        forwarded = message(("message/rfc822", returned), kind="multipart/mixed")
        self.assertIsNone(complaints.read_complaint(forwarded))
        bare = message(("text/plain", "Hello"), subject=subject, kind="multipart/mixed")
        self.assertIsNone(complaints.read_complaint(bare))

    def test_amazon(self):
        """A notification in JSON, bare or in the envelope of its topic."""
        mail = {"headers": [{"name": "Message-ID", "value": "<1@shop.example.com>"}]}
        values = {
            "notificationType": "Complaint",
            "complaint": {"complaintFeedbackType": "abuse", "complainedRecipients": []},
            "mail": mail,
        }
        wrapped = {"Type": "Notification", "Message": json.dumps(values)}
        common = {**values, "mail": {"commonHeaders": {"messageId": "<1@shop.example.com>"}}}
        event = {**values, "notificationType": None, "eventType": "Complaint"}
        for sent in (values, wrapped, common, event):
            with self.subTest(sent):
                found = self.read_text(json.dumps(sent))
                self.assertEqual(found, ("abuse", ["<1@shop.example.com>"]))
        self.assertEqual(self.read_text(json.dumps({**values, "complaint": None})).kind, "other")
        taken_back = {"complaintFeedbackType": "not-spam"}
        self.assertIsNone(self.read_text(json.dumps({**values, "complaint": taken_back})))
        below = "--\nTo stop receiving {such} notifications, visit https://sns.example.com/"
        for sent in (values, wrapped):
            self.assertEqual(self.read_text(f"\n{json.dumps(sent)}{below}").kind, "abuse")

    def test_amazon_of_something_else(self):
        complaint = {"notificationType": "Complaint"}
        for mail in (None, 1, [], {"headers": [1, {"name": 1, "value": 2}]}, {"headers": {}}):
            found = self.read_text(json.dumps({**complaint, "mail": mail}))
            self.assertEqual(found.message_ids, [])
        bounce = '{"notificationType": "Bounce"}'
        for text in ("", "{", "{}", "[]", "{]}", '{"Message": 1}', bounce):
            self.assertIsNone(self.read_text(text), text)

    def read_text(self, text):
        return complaints.read_complaint(
            email.message_from_string(
                f"From: no-reply@sns.amazonaws.com\nSubject: Notification\n\n{text}\n",
                policy=email.policy.SMTP,
            )
        )

    def test_others(self):
        bounce = message(
            ("text/plain", "No such user."),
            ("message/delivery-status", "Reporting-MTA: dns; mx\n\nAction: failed\n"),
            ("message/rfc822", RETURNED),
            kind="multipart/report; report-type=delivery-status",
        )
        self.assertIsNone(complaints.read_complaint(bounce))
        self.assertIsNone(complaints.read_complaint(message(kind="text/plain")))
