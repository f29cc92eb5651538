"""What a mail server's no means, without Odoo."""

import unittest

from .pure import load

delivery = load("delivery")

BOUNCES = (
    ("rcpt", 550, "no such user here"),
    ("rcpt", 550, "5.1.1 <ann@reader.example.com>: Recipient address rejected: User unknown"),
    ("rcpt", 550, "5.2.1 The email account that you tried to reach is disabled"),
    ("rcpt", 550, "5.4.1 Recipient address rejected: Access denied. [AM1.example.com]"),
    ("rcpt", 550, "5.7.1 <ann@reader.example.com>... User unknown"),
    ("rcpt", 550, "5.5.0 Requested action not taken: mailbox unavailable"),
    ("rcpt", 551, "User not local"),
    ("rcpt", 552, "5.2.2 Mailbox full"),
    ("rcpt", 556, "5.1.10 Recipient address has null MX"),
    ("data", 554, "delivery error: dd This user doesn't have a yahoo.com account"),
    ("data", 550, "5.1.1 RESOLVER.ADR.RecipNotFound; not found"),
    ("rcpt", 550, "Mailbox not found http://service.mail.qq.com/"),
    ("rcpt", 550, "收件人不存在"),
)
LATER = (
    ("rcpt", 450, "4.2.0 Greylisted, see http://postgrey.example.com"),
    ("rcpt", 451, "DT:SPM mx1, please try again"),
    ("rcpt", 452, "4.2.2 The email account that you tried to reach is over quota"),
    ("rcpt", 421, "4.7.0 Try again later"),
    ("data", 451, "4.7.1 try again later"),
    ("mail", 450, "4.7.1 Error: too much mail from 192.0.2.1"),
    ("rcpt", 550, "4.3.0 temporary"),
)
FAILURES = (
    ("rcpt", 554, "5.7.1 <ann@reader.example.com>: Relay access denied"),
    ("rcpt", 550, "5.7.1 Service unavailable; Client host [192.0.2.1] blocked using Spamhaus"),
    ("rcpt", 550, "relaying denied"),
    ("rcpt", 530, "5.7.0 Authentication required"),
    ("rcpt", 550, "5.7.26 This mail is unauthenticated: SPF and DKIM did not pass"),
    ("rcpt", 550, "5.1.8 Sender address rejected: user unknown in virtual table"),
    ("rcpt", 503, "5.5.1 Bad sequence of commands"),
    ("rcpt", 554, "Denied"),
    ("mail", 550, "no such user here"),
    ("data", 550, "Message rejected"),
    ("data", 554, "DT:SPM 163 smtp, please see http://mail.163.com/help"),
    ("data", 552, "5.3.4 Message size exceeds fixed limit"),
)


class TestMeaning(unittest.TestCase):
    def test_meaning(self):
        for meaning, refusals in (
            (delivery.BOUNCE, BOUNCES),
            (delivery.LATER, LATER),
            (delivery.FAILURE, FAILURES),
        ):
            for stage, code, text in refusals:
                with self.subTest(stage=stage, code=code, text=text):
                    self.assertEqual(delivery.Refusal(stage, code, text).meaning, meaning)

    def test_addresses_in_the_text(self):
        """A code is only taken for one where it stands."""
        refusal = delivery.Refusal("rcpt", 554, "host 192.5.1.1 says no")
        self.assertEqual(refusal.meaning, delivery.FAILURE)

    def test_words(self):
        refusal = delivery.Refusal("rcpt", 550, "5.1.1 no\n5.1.1  such user")
        self.assertEqual(refusal.words, "550 5.1.1 no 5.1.1 such user")
