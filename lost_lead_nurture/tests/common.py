"""Leads, sequences and a recipient who opens, clicks, answers: all as real people do it.

Where no page is opened and no mail read, :class:`NurtureCase` is enough; what arrives, and what is
clicked, is tested by :class:`NurtureHttpCase`. Both take mixins of what they are about.

Mails leave through Odoo's outgoing server by SMTP to a catcher on loopback, clicks and opens are
HTTP requests to the links found in the mail that was caught, answers and bounces are raw messages
for the mail gateway.
"""

import email
import email.policy
import hashlib
import itertools
import re
from contextlib import contextmanager
from datetime import datetime
from unittest.mock import patch

from dateutil.relativedelta import relativedelta

from odoo import fields
from odoo.fields import Command
from odoo.tests import Form, HttpCase, TransactionCase, new_test_user

from odoo.addons.base.tests.test_ir_cron import CronMixinCase
from odoo.addons.lost_lead_nurture.tools import transaction
from odoo.addons.lost_lead_nurture.tools.bots import HOLD, TOO_FAST

from .smtp import Catcher

ANN = "ann@recipient.example.com"
BOB = "bob@recipient.example.com"
NOW = datetime(2026, 3, 2, 9, 0, 0)
BODY = """<div><p>Hello <t t-out="object.contact_name">there</t>,</p>
<p><a href="https://shop.example.com/limited">See the item</a></p>
<p><a href="/unsubscribe_from_list">Unsubscribe</a></p></div>"""

TWO_LINKS = BODY.replace("</div>", '<p><a href="https://shop.example.com/all">All</a></p></div>')

#: For mails of other texts: without it a sequence does not start.
UNSUBSCRIBE = '<p><a href="/unsubscribe_from_list">Unsubscribe</a></p>'

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


class NurtureMixin(CronMixinCase):
    """A company, its people, and all that makes leads and time pass."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # no noise from tracking and subscriptions
        cls.env = cls.env(context=dict(cls.env.context, tracking_disable=True))
        cls.company = cls.env.company
        # what protects people by default is off but in tests of it: many mails in a week, and
        # several sequences for one lead
        cls.company.write(
            {
                "name": "Test Company",
                "email": "company@test.example.com",
                "nurture_cap_number": 0,
            }
        )
        cls.alias_domain = cls.env["mail.alias.domain"].create({"name": "test.example.com"})
        cls.company.alias_domain_id = cls.alias_domain
        cls.marketer = new_test_user(
            cls.env,
            "nurture_marketer",
            "lost_lead_nurture.group_user",
            email="marketer@test.example.com",
        )
        cls.salesman = new_test_user(
            cls.env,
            "nurture_salesman",
            "sales_team.group_sale_salesman",
            email="salesman@test.example.com",
        )
        cls.colleague = new_test_user(
            cls.env,
            "nurture_colleague",
            "sales_team.group_sale_salesman",
            email="colleague@test.example.com",
        )
        cls.employee = new_test_user(cls.env, "nurture_employee", "base.group_user")
        cls.team = cls.env["crm.team"].create({"name": "Test Team", "user_id": cls.colleague.id})
        cls.reason_stock = cls.env["crm.lost.reason"].create({"name": "No stock (test)"})
        cls.reason_price = cls.env["crm.lost.reason"].create({"name": "Too dear (test)"})
        cls.cron = cls.env.ref("lost_lead_nurture.ir_cron_nurture")
        # where jobs could do what is due, the scheduled action does it
        cls.env["ir.config_parameter"].set_param("lost_lead_nurture.parallel_jobs", "0")

    def setUp(self):
        super().setUp()
        self.clock = NOW
        self.patch(fields.Datetime, "now", lambda: self.clock)
        # all cursors of a test share one transaction, which has always written
        self.patch(transaction, "has_written", lambda cr: False)

    # ------------------------------------------------------------
    # RECORDS
    # ------------------------------------------------------------

    def make_lead(self, email_from, reason=None, lost=True, **values):
        lead = self.env["crm.lead"].create(
            {
                "name": f"Desk for {email_from}",
                "type": "opportunity",
                "email_from": email_from,
                "contact_name": "Ann",
                "user_id": self.salesman.id,
                "team_id": self.team.id,
                "company_id": self.company.id,
                "expected_revenue": 100.0,
                **values,
            }
        )
        if lost:
            lead.action_set_lost(lost_reason_id=(reason or self.reason_stock).id)
        return lead

    def make_marketer(self, companies):
        """Make a marketer who works for these companies, in the first one."""
        return new_test_user(
            self.env,
            "nurture_elsewhere",
            "lost_lead_nurture.group_user",
            company_id=companies[0].id,
            company_ids=companies.ids,
        )

    def make_mailing(self, subject, body=BODY, **values):
        return self.env["mailing.mailing"].create(
            {
                "subject": subject,
                "mailing_type": "mail",
                "mailing_model_id": self.env["ir.model"]._get_id("crm.lead"),
                "body_arch": body,
                "body_html": body,
                "email_from": "shop@test.example.com",
                **values,
            }
        )

    def make_sequence(self, **values):
        return self.env["nurture.sequence"].create(
            {
                "name": "Restock",
                "user_id": self.marketer.id,
                "company_id": self.company.id,
                "domain": repr([("lost_reason_id", "=", self.reason_stock.id)]),
                "exclude_other_sequences": False,
                **values,
            }
        )

    def make_step(self, sequence, trigger="begin", parent=None, delay=0, unit="days", **values):
        subject = values.pop("subject", None) or f"{trigger} after {delay} {unit}"
        return self.env["nurture.step"].create(
            {
                "sequence_id": sequence.id,
                "parent_id": parent and parent.id,
                "trigger": trigger,
                "delay": delay,
                "delay_unit": unit,
                "mailing_id": self.make_mailing(subject).id,
                **values,
            }
        )

    def participant(self, lead):
        return self.env["nurture.participant"].search([("lead_id", "=", lead.id)])

    def entered(self):
        """The leads that are or were in the sequence."""
        return self.sequence.participant_ids.lead_id

    def reasons_against(self, lead):
        """Why the lead does not enter the sequence."""
        conditions = self.sequence.with_user(self.marketer).explain(lead.id)["conditions"]
        return [one["reason"] for one in conditions if not one["ok"]]

    def traces(self, step=None):
        return self.env["nurture.trace"].search([("step_id", "=", (step or self.first).id)])

    def trace(self, lead, step):
        return self.env["nurture.trace"].search(
            [("participant_id.lead_id", "=", lead.id), ("step_id", "=", step.id)]
        )

    def credits_of(self, order, model="last"):
        """The credits of what came of an order, by a model of attribution."""
        self.env["nurture.outcome"]._catch_up()
        return self.env["nurture.credit"].search(
            [("order_id", "=", order.id), ("model", "=", model)]
        )

    def journey_of(self, order):
        """The journey that an order is credited to."""
        return self.credits_of(order).participant_id

    def touch(self, lead):
        """Somebody clicks in the last mail to the lead, and is believed."""
        mailing_traces = self.env["mailing.trace"].search(
            [("model", "=", "crm.lead"), ("res_id", "=", lead.id), ("sent_datetime", "!=", False)],
            order="id desc",
            limit=1,
        )
        self.assertTrue(mailing_traces.set_clicked())

    def processed(self):
        """How many traces of the sequence were processed."""
        return self.env["nurture.trace"].search_count(
            [("sequence_id", "=", self.sequence.id), ("state", "=", "processed")]
        )

    def seen_by(self, user):
        """The sequence as in the browser of ``user``, which tells its time zone."""
        self.env.invalidate_all()
        return self.sequence.with_user(user).with_context(tz=user.tz)

    # ------------------------------------------------------------
    # TIME
    # ------------------------------------------------------------

    def run_cron(self):
        """Run the scheduled action as the scheduler does, then send what it queued."""
        self.cron.method_direct_trigger()
        self.env.invalidate_all()

    def send_mails(self):
        self.env["mail.mail"].process_email_queue()
        self.env.flush_all()

    def advance(self, **delta):
        """Let time pass, run the scheduled action, and send."""
        self.clock += relativedelta(**delta)
        self.run_cron()
        self.send_mails()

    def start(self, **settings):
        """Start the sequence with these settings, and have done what is due at once."""
        self.sequence.write(settings)
        self.sequence.action_start()
        self.advance()

    @contextmanager
    def breaking_mail_of(self, lead):
        """Make queueing fail whenever ``lead`` is among the recipients."""
        mailings = type(self.env["mailing.mailing"])
        original = mailings._action_send_mail

        def send(records, res_ids=None):
            if lead.id in (res_ids or []):
                raise ZeroDivisionError("this lead breaks the template")
            return original(records, res_ids)

        with patch.object(mailings, "_action_send_mail", send):
            yield


class NurtureCase(NurtureMixin, TransactionCase):
    """Mails stay in the queue: nothing leaves."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # the scheduled action opens cursors of its own
        cls.registry_enter_test_mode_cls()


class NurtureHttpCase(NurtureMixin, HttpCase):
    """Mails arrive by SMTP, and their recipient opens, clicks and answers."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.catcher = Catcher()
        cls.catcher.start()
        cls.addClassCleanup(cls.catcher.stop)
        cls.env["ir.mail_server"].search([]).active = False
        cls.env["ir.mail_server"].create(
            {"name": "Catcher", "smtp_host": "127.0.0.1", "smtp_port": cls.catcher.port}
        )

    def setUp(self):
        super().setUp()
        self.catcher.clear()
        # core does not connect to SMTP servers in tests
        self.patch(type(self.env["ir.mail_server"]), "_disable_send", lambda *_args: False)

    # ------------------------------------------------------------
    # THE RECIPIENT
    # ------------------------------------------------------------

    def mails_to(self, address, subject=None):
        """Messages caught for ``address``, oldest first."""
        return [
            message
            for message in self.catcher.messages
            if address in message["To"] and subject in (None, message["Subject"])
        ]

    def mail_to(self, address, subject=None):
        """The one message caught for ``address``."""
        messages = self.mails_to(address, subject)
        self.assertEqual(
            len(messages), 1, f"mails to {address}: {[m['Subject'] for m in messages]}"
        )
        return messages[0]

    def html_of(self, message):
        return message.get_body(("html",)).get_content()

    def read_mail(self, message):
        """Load the images of a mail, as a mail client does when it is opened."""
        self._take_time(message, self.pixel_of(message))

    def click(self, message):
        """Follow the first link of a mail that is tracked."""
        self._take_time(message, self.links_of(message)[0])

    def pixel_of(self, message):
        (pixel,) = re.findall(r'<img[^>]* src="([^"]+/mail/track/[^"]+)"', self.html_of(message))
        return pixel

    def links_of(self, message):
        """Links of a mail that are tracked."""
        return re.findall(r'href="([^"]+/r/[^"]+)"', self.html_of(message))

    def _take_time(self, message, url):
        """Do it as a person does: not within seconds of the sending, and once; then the clock
        goes on until it is believed (see nurture.hit)."""
        mail = self.env["mailing.trace"].search([("message_id", "=", message["Message-ID"])])
        self.clock = max(self.clock, mail.sent_datetime + TOO_FAST)
        self._get(url)
        self.believe()

    def believe(self):
        """Let pass the time that hits are held."""
        self.clock += HOLD
        self.env.flush_all()
        with self.registry.cursor() as cr:
            self.env["mailing.trace"].with_env(self.env(cr=cr))._nurture_catch_up()
        self.env.invalidate_all()

    def unsubscribe(self, message):
        """Follow the link to unsubscribe, and confirm."""
        link = re.findall(r'href="([^"]+confirm_unsubscribe[^"]+)"', self.html_of(message))[0]
        page = self._get(link.replace("&amp;", "&"))
        form = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
        response = self.url_open("/mailing/confirm_unsubscribe", data=form)
        self.assertEqual(response.status_code, 200)
        self.env.invalidate_all()

    def _get(self, url, user_agent=BROWSER, **headers):
        headers = {"User-Agent": user_agent, **headers}
        response = self.url_open(url, allow_redirects=False, headers=headers)
        self.assertLess(response.status_code, 400, url)
        self.env.invalidate_all()
        return response

    def answer(self, message, body="Yes, please call me.", headers=""):
        """Answer a mail: a raw message arrives at the gateway."""
        self._receive(
            f"From: {message['To']}\n"
            f"To: {message['Reply-To']}\n"
            f"Subject: Re: {message['Subject']}\n"
            f"Message-ID: <{id(message)}.{len(body)}@recipient.example.com>\n"
            f"In-Reply-To: {message['Message-ID']}\n"
            f"References: {message['Message-ID']}\n"
            f"{headers}"
            "MIME-Version: 1.0\n"
            "Content-Type: text/plain; charset=utf-8\n"
            f"\n{body}\n"
        )

    def complain(self, message, kind="abuse", recipient=None):
        """The recipient's mail provider reports a complaint (RFC 5965).

        :param recipient: whom the report names, if it does
        """
        self._receive(
            "From: Feedback <feedback@provider.example.com>\n"
            f"To: {self.alias_domain.bounce_email}\n"
            f"Subject: FW: {message['Subject']}\n"
            f"Message-ID: <complaint.{id(message)}@provider.example.com>\n"
            "MIME-Version: 1.0\n"
            'Content-Type: multipart/report; report-type=feedback-report; boundary="part"\n'
            "\n--part\nContent-Type: text/plain\n\nThis is an email abuse report.\n"
            "\n--part\nContent-Type: message/feedback-report\n\n"
            f"Feedback-Type: {kind}\nUser-Agent: Provider/1.0\nVersion: 1\n"
            + (f"Original-Rcpt-To: {recipient}\n" if recipient else "")
            + "\n--part\nContent-Type: message/rfc822\n\n"
            + (f"Message-ID: {message['Message-ID']}\n" if message["Message-ID"] else "")
            + f"Subject: {message['Subject']}\nTo: undisclosed\n\nHello\n--part--\n"
        )

    def bounce(self, message):
        """Return a mail to its sender as undeliverable (RFC 3464)."""
        address = email.utils.parseaddr(message["To"])[1]
        self._receive(
            "From: Mail Delivery System <MAILER-DAEMON@recipient.example.com>\n"
            f"To: {self.alias_domain.bounce_email}\n"
            "Subject: Undelivered Mail Returned to Sender\n"
            f"Message-ID: <bounce.{id(message)}@recipient.example.com>\n"
            "MIME-Version: 1.0\n"
            'Content-Type: multipart/report; report-type=delivery-status; boundary="part"\n'
            "\n--part\nContent-Type: text/plain\n\nNo such user here.\n"
            "\n--part\nContent-Type: message/delivery-status\n\n"
            "Reporting-MTA: dns; mx.recipient.example.com\n\n"
            f"Final-Recipient: rfc822; {address}\nAction: failed\nStatus: 5.1.1\n"
            "\n--part\nContent-Type: message/rfc822\n\n"
            f"Message-ID: {message['Message-ID']}\nTo: {message['To']}\n"
            f"From: {message['From']}\nSubject: {message['Subject']}\n\n\n--part--\n"
        )

    def _receive(self, raw):
        self.env["mail.thread"].message_process(False, raw)
        self.env.flush_all()
        self.env.invalidate_all()


class SequenceMixin:
    """A sequence with a first mail that nobody has started."""

    def setUp(self):
        super().setUp()
        self.sequence = self.make_sequence()
        self.first = self.make_step(self.sequence, subject="First")


class TwoLeadsMixin(SequenceMixin):
    """Ann and Bob, both lost."""

    def setUp(self):
        super().setUp()
        self.ann = self.make_lead(ANN)
        self.bob = self.make_lead(BOB)


class SecondStepMixin:
    """A second mail a week after the first one."""

    def setUp(self):
        super().setUp()
        self.second = self.make_step(self.sequence, "after", self.first, 7, subject="Second")


class DrawMixin:
    """Leads of whom it is known for which version of the first step they are drawn."""

    def make_leads(self, number, first=0):
        """So many leads, one for the lower half of the places that addresses fall to in the first
        step, one for the upper half, and so on: even shares divide them evenly."""
        leads, candidates = self.env["crm.lead"], itertools.count(first)
        for wanted in itertools.islice(itertools.cycle((False, True)), number):
            address = next(
                one
                for one in (f"lead{n}@recipient.example.com" for n in candidates)
                if (self.find_place(one) >= 0.5) == wanted
            )
            leads |= self.make_lead(address)
        return leads

    def find_place(self, address):
        """Where an address falls to, from 0 to 1."""
        digest = hashlib.md5(f"step {self.first.id}:{address}".encode()).hexdigest()
        return int(digest[:8], 16) / 2**32


class RealClockMixin:
    """The clock of a browser is the real one."""

    def setUp(self):
        super().setUp()
        self.clock = self.env.cr.now()


class DealMixin:
    """What comes of leads that are won back: quotations, invoices and money."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not cls.env["account.journal"].search(
            [("type", "=", "sale"), ("company_id", "=", cls.env.company.id)], limit=1
        ):
            cls.env["account.chart.template"].try_loading("generic_coa", cls.env.company)
        cls.product = cls.env["product.product"].create(
            {
                "name": "Limited item",
                "type": "service",
                "invoice_policy": "order",
                "taxes_id": False,
            }
        )

    def order(self, lead):
        partner = self.env["res.partner"].create({"name": "Ann", "email": lead.email_from})
        return self.env["sale.order"].create(
            {
                "partner_id": partner.id,
                "opportunity_id": lead.id,
                "date_order": self.clock,
                "order_line": [
                    Command.create({"product_id": self.product.id, "price_unit": 250.0})
                ],
            }
        )

    def invoice(self, order):
        order.action_confirm()
        invoice = order._create_invoices()
        invoice.action_post()
        return invoice

    def pay(self, invoice):
        Form.from_action(
            self.env, invoice.action_register_payment()
        ).save().action_create_payments()
