"""What a mail server's no means, without Odoo."""

import smtplib
import unittest

from .pure import load

delivery = load("delivery")

BOUNCES = (
    ("rcpt", 550, "no such user here"),
    ("rcpt", 550, "5.1.1 <ann@recipient.example.com>: Recipient address rejected: User unknown"),
    ("rcpt", 550, "5.4.1 Recipient address rejected: Access denied. [AM1.example.com]"),
    ("rcpt", 550, "5.7.1 <ann@recipient.example.com>... User unknown"),
    ("rcpt", 550, "5.5.0 Requested action not taken: mailbox unavailable"),
    ("rcpt", 551, "User not local"),
    ("rcpt", 556, "5.1.10 Recipient address has null MX"),
    ("data", 554, "delivery error: dd This user doesn't have a yahoo.com account"),
    ("data", 550, "5.1.1 RESOLVER.ADR.RecipNotFound; not found"),
    ("rcpt", 550, "Mailbox not found http://service.mail.qq.com/"),
    ("rcpt", 550, "收件人不存在"),
)
SOFT_BOUNCES = (
    ("rcpt", 552, "5.2.2 Mailbox full"),
    ("rcpt", 550, "5.2.1 The email account that you tried to reach is disabled"),
    ("rcpt", 550, "ann@recipient.example.com: user is over quota"),
    ("data", 554, "5.2.2 mailbox full"),
    ("rcpt", 550, "This mailbox has been suspended"),
    ("rcpt", 550, "5.1.1 ann@recipient.example.com: mailbox full"),
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
    ("rcpt", 554, "5.7.1 <ann@recipient.example.com>: Relay access denied"),
    ("rcpt", 550, "5.7.1 Service unavailable; Client host [192.0.2.1] blocked using Spamhaus"),
    ("rcpt", 550, "relaying denied"),
    ("rcpt", 530, "5.7.0 Authentication required"),
    ("rcpt", 550, "5.7.26 This mail is unauthenticated: SPF and DKIM did not pass"),
    ("rcpt", 550, "5.1.8 Sender address rejected: user unknown in virtual table"),
    ("rcpt", 503, "5.5.1 Bad sequence of commands"),
    ("rcpt", 550, "5.4.5 Daily sending quota exceeded"),
    ("data", 554, "5.7.1 Your account has been suspended for sending spam"),
    ("rcpt", 550, "5.7.1 Your user account has been disabled"),
    ("rcpt", 550, "5.7.0 relay quota exceeded"),
    ("rcpt", 550, "sending quota exceeded"),
    ("rcpt", 550, "5.7.1 Sender mailbox is full"),
    ("rcpt", 550, "5.7.1 Client host [85.2.1.44] blocked using zen.spamhaus.org"),
    ("rcpt", 554, "Denied"),
    ("mail", 550, "no such user here"),
    ("data", 550, "Message rejected"),
    ("data", 554, "DT:SPM 163 smtp, please see http://mail.163.com/help"),
    ("data", 552, "5.3.4 Message size exceeds fixed limit"),
    ("data", 552, "5.3.1 Quota exceeded, the disk of the system is full"),
)


class TestMeaning(unittest.TestCase):
    def test_meaning(self):
        for meaning, refusals in (
            (delivery.BOUNCE, BOUNCES),
            (delivery.SOFT_BOUNCE, SOFT_BOUNCES),
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


class Session:
    """A connection to a mail server that answers as a test has it answer."""

    def __init__(self, **answers):
        self.answers = {"mail": (250, b"OK"), "rcpt": (250, b"OK"), "data": (250, b"OK"), **answers}
        self.asked = []

    def ask(self, name, *args):
        self.asked.append((name, *args))
        answer = self.answers[name]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def mail(self, sender):
        return self.ask("mail", sender)

    def rcpt(self, address):
        return self.ask("rcpt", address)

    def data(self, message):
        return self.ask("data", message)


class TestDelivery(unittest.TestCase):
    """How far the conversation about a mail came, whatever ends it."""

    def deliver(self, **answers):
        session, mail = Session(**answers), delivery.Delivery("Ours")
        with delivery.watch(session, mail):
            self.assertEqual(session.mail("me@example.com"), session.answers["mail"])
            self.assertEqual(session.rcpt("ann@example.com"), session.answers["rcpt"])
            if mail.refusal is None:
                session.data(b"Hello")
        return mail

    def test_accepted(self):
        mail = self.deliver()
        self.assertIs(mail.begun, True)
        self.assertIs(mail.accepted, True)
        self.assertIsNone(mail.refusal)

    def test_nothing_is_known_before(self):
        for value in (delivery.Delivery().begun, delivery.Delivery().accepted):
            self.assertIs(value, False)

    def test_refused_at_the_door(self):
        mail = self.deliver(rcpt=(550, b"no such user"))
        self.assertEqual(mail.refusal, delivery.Refusal("rcpt", 550, "no such user"))
        self.assertIs(mail.begun, False)
        self.assertIs(mail.accepted, False)
        self.assertEqual(self.deliver(mail=(450, "later")).refusal.stage, "mail")

    def test_refused_after_it_was_given(self):
        mail = self.deliver(data=(554, b"spam"))
        self.assertIs(mail.begun, False, "it surely does not have it")
        self.assertIs(mail.accepted, False)
        self.assertEqual(mail.refusal.stage, "data")

    def test_an_answer_that_is_no_plain_yes(self):
        mail = self.deliver(data=(251, b"will forward"))
        self.assertIs(mail.accepted, False)
        self.assertIsNone(mail.refusal)

    def test_what_counts_as_a_no(self):
        for code, refused in ((199, True), (200, False), (299, False), (300, True)):
            mail = self.deliver(rcpt=(code, b"words"))
            self.assertEqual(mail.refusal is not None, refused, code)

    def test_it_does_not_even_want_to_see_it(self):
        error = smtplib.SMTPDataError(552, b"too big")
        session, mail = Session(data=error), delivery.Delivery()
        with self.assertRaises(smtplib.SMTPDataError), delivery.watch(session, mail):
            session.data(b"Hello")
        self.assertIs(mail.begun, False)
        self.assertEqual(mail.refusal, delivery.Refusal("data", 552, "too big"))

    def test_the_line_goes_dead(self):
        """From the moment the server was given the mail it may have it."""
        session, mail = Session(data=ConnectionResetError()), delivery.Delivery()
        with self.assertRaises(ConnectionResetError), delivery.watch(session, mail):
            session.data(b"Hello")
        self.assertIs(mail.begun, True)
        self.assertIs(mail.accepted, False)
        self.assertIsNone(mail.refusal)

    def test_the_next_mail_begins_anew(self):
        session, mail = Session(), delivery.Delivery()
        with delivery.watch(session, mail):
            session.mail("me@example.com")
            session.data(b"Hello")
        session.answers["rcpt"] = (550, b"no")
        with delivery.watch(session, mail):
            self.assertIs(mail.begun, False)
            self.assertIs(mail.accepted, False)
            session.rcpt("ann@example.com")
        with delivery.watch(session, mail):
            self.assertIsNone(mail.refusal)

    def test_a_new_sender_forgets_the_refusal(self):
        session, mail = Session(rcpt=(550, b"no")), delivery.Delivery()
        with delivery.watch(session, mail):
            session.rcpt("ann@example.com")
            session.mail("me@example.com")
        self.assertIsNone(mail.refusal)

    def test_the_session_is_left_as_it_was(self):
        session, mail = Session(), delivery.Delivery()
        with self.assertRaises(ZeroDivisionError), delivery.watch(session, mail):
            raise ZeroDivisionError
        session.data(b"Hello")
        self.assertIs(mail.begun, False)

    def test_without_a_session_nothing_is_delivered(self):
        mail = delivery.Delivery()
        mail.begun = True
        with delivery.watch(None, mail):
            self.assertIs(mail.begun, False)

    def test_two_of_them_are_two(self):
        self.assertNotEqual(delivery.Delivery("a"), delivery.Delivery("a"))

    def test_a_refusal_in_other_letters(self):
        mail = self.deliver(rcpt=(550, "收件人不存在".encode()))
        self.assertEqual(mail.refusal.text, "收件人不存在")
        self.assertIn("\ufffd", self.deliver(rcpt=(550, b"\xff")).refusal.text)

    def test_a_refusal_is_what_was_said(self):
        with self.assertRaises(AttributeError):
            delivery.Refusal("rcpt", 550, "no").code = 250


class TestBorders(unittest.TestCase):
    def test_codes(self):
        for code, meaning in (
            (399, delivery.FAILURE),
            (400, delivery.LATER),
            (499, delivery.LATER),
            (500, delivery.FAILURE),
            *((code, delivery.BOUNCE) for code in (521, 550, 551, 552, 553, 556)),
            *((code, delivery.FAILURE) for code in (520, 522, 549, 554, 555, 557)),
        ):
            self.assertEqual(delivery.Refusal("rcpt", code, "no").meaning, meaning, code)

    def test_codes_without_words_blame_nobody_later(self):
        self.assertEqual(delivery.Refusal("data", 550, "no").meaning, delivery.FAILURE)

    def test_sender_unknown(self):
        text = "user unknown: Sender me@example.com"
        self.assertEqual(delivery.Refusal("rcpt", 550, text).meaning, delivery.FAILURE)
