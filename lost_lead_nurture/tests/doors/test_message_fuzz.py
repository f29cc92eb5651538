"""Messages that were cut, mixed and damaged on their way, or made up: none of them stops the
mailbox, and none touches anybody but whom it is about."""

import random
import re

from odoo.tests import tagged
from odoo.tools import mute_logger

from ..common import ANN, NurtureHttpCase, SecondStepMixin, TwoLeadsMixin
from ..mail_samples import AUTOMATIC, HUMAN

#: How many messages, so many of them one after the other, and from which seed.
MESSAGES, TOGETHER, SEED = 3000, 20, 19
#: What core says of a message that is for nobody: it is the mailbox that reads that.
NO_ROUTE = "No possible route found for incoming message"
STATUS = """From: mailer-daemon@mx.recipient.example.com
To: {to}
Subject: Undelivered Mail Returned to Sender
Message-ID: <report@mx.recipient.example.com>
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

{said}
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.recipient.example.com

Final-Recipient: rfc822; {address}
Action: failed
Status: 5.0.0
Diagnostic-Code: smtp; {said}

--b
Content-Type: message/rfc822

Message-ID: {mid}
To: {address}

Hello
--b--
"""
COMPLAINT = """From: feedback@provider.example.com
To: {to}
Subject: FW: First
Message-ID: <complaint@provider.example.com>
Content-Type: multipart/report; report-type=feedback-report; boundary="b"

--b
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: Provider/1.0
Version: 1
--b
Content-Type: message/rfc822

Message-ID: {mid}

Hello
--b--
"""
AMAZON = """From: no-reply@sns.amazonaws.com
To: {to}
Subject: AWS Notification Message
Message-ID: <notification@sns.amazonaws.com>
Content-Type: text/plain

{{"notificationType":"Bounce","bounce":{{"bounceType":"Permanent","bouncedRecipients":[
{{"emailAddress":"{address}","status":"5.1.1","diagnosticCode":"smtp; {said}"}}]}},
"mail":{{"headers":[{{"name":"Message-ID","value":"{mid}"}}]}}}}
"""
LOGGERS = (
    "odoo.addons.mail.models.mail_thread",
    "odoo.addons.mail.models.mail_mail",
    # of time zones that are none
    "py.warnings",
)
SAID = ("550 5.1.1 user unknown", "552 5.2.2 mailbox full", "451 4.7.1 try again later")
PIECES = (
    *(b"", b"\x00", b"\xff\xfe", b"\r\n\r\n", b"\n"),
    *(b"=?utf-8?B?", b"--b\n", b'"', b"<>", b"{}["),
)


@tagged("post_install", "-at_install")
class TestMessageFuzz(SecondStepMixin, TwoLeadsMixin, NurtureHttpCase):
    def setUp(self):
        super().setUp()
        self.alias_domain.nurture_has_subaddresses = True
        self.sequence.action_start()
        self.advance()
        self.rest = random.Random(SEED)

    def originals(self):
        mail = self.mail_to(ANN, "First")
        marked = self.catcher.senders[self.catcher.messages.index(mail)]
        for to in (self.alias_domain.bounce_email, mail["Reply-To"], marked):
            for form in (STATUS, COMPLAINT, AMAZON):
                for said in SAID:
                    yield form.format(
                        to=to, said=said, mid=mail["Message-ID"], address=ANN
                    ).encode()
            for sample in self.rest.sample(AUTOMATIC + HUMAN, 30):
                yield sample.build(mail["Message-ID"], ANN, to)

    def damage(self, originals):
        """A message of ``originals`` with pieces changed, lost, doubled and taken from others."""
        raw = bytearray(self.rest.choice(originals))
        for _change in range(self.rest.randint(1, 12)):
            other = self.rest.choice(originals)
            begin, cut = self.rest.randrange(len(raw) + 1), self.rest.randrange(len(other))
            piece = self.rest.choice([*PIECES, other[cut : cut + self.rest.randrange(90)]])
            raw[begin : begin + self.rest.choice((0, 0, 1, 7, 40))] = piece
        return bytes(raw)

    def state_of_things(self):
        """Everything that is none of Ann's."""
        self.env.invalidate_all()
        bob = self.participant(self.bob)
        return (
            (self.bob.won_status, self.bob.message_bounce, len(self.bob.message_ids)),
            (bob.state, bob.exit_reason),
            bob.trace_ids.sorted("id").mapped(lambda trace: (trace.state, trace.reason)),
            self.trace(self.bob, self.first).mailing_trace_ids.read(
                ["trace_status", "reply_datetime", "nurture_soft_bounce_date"]
            ),
            self.sequence.read(["state", "step_count"]),
            self.env["mail.blacklist"].search([("email", "!=", ANN)]).mapped("email"),
            self.env["crm.lead"].with_context(active_test=False).search_count([]),
        )

    def test_messages(self):
        originals = list(self.originals())
        before, filed = self.state_of_things(), 0
        for number in range(0, MESSAGES, TOGETHER):
            with self.subTest(number), self.env.cr.savepoint() as savepoint:
                for one in range(TOGETHER):
                    raw = self.damage(originals)
                    # else it is one that was there already
                    raw = raw.replace(b"Message-ID: <", b"Message-ID: <%d" % one, 1)
                    filed += self.process(raw)
                self.assertEqual(self.state_of_things(), before)
                savepoint.rollback()
            self.env.invalidate_all()
        self.assertGreater(filed, MESSAGES / 2, "most of them are read")

    def process(self, raw):
        """Whether the gateway has taken the message."""
        try:
            with mute_logger(*LOGGERS):
                self.env["mail.thread"].message_process(False, raw)
            self.env.flush_all()
        except ValueError as error:
            self.assertTrue(re.match(NO_ROUTE, str(error)), f"{error!r} at {raw}")
            return False
        return True
