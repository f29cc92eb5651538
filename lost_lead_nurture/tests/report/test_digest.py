"""What sequences came to, in core's digest."""

from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from ..common import ANN, BOB, DealMixin, NurtureHttpCase, RealClockMixin, TwoLeadsMixin

NAMES = ("won_back", "invoiced", "sent", "delivered")


@tagged("post_install", "-at_install")
class TestDigest(RealClockMixin, TwoLeadsMixin, DealMixin, NurtureHttpCase):
    """Ann clicks and pays, Bob's mail bounces, two days ago."""

    def setUp(self):
        super().setUp()
        self.digest = self.env["digest.digest"].create(
            {
                "name": "Digest",
                "company_id": self.company.id,
                **{f"kpi_nurture_{name}": True for name in NAMES},
            }
        )
        self.clock -= timedelta(days=2)
        self.begin = self.clock
        self.start()
        self.click(self.mail_to(ANN))
        self.bounce(self.mail_to(BOB))
        self.pay(self.invoice(self.order(self.ann)))
        # core pays on the day that it is
        self.end = self.env.cr.now() + timedelta(days=1)
        self.env.flush_all()
        self.env.invalidate_all()

    def values(self, user, digest=None, begin=None, end=None):
        """The values of a digest, in a period, for ``user``: None for what it leaves away."""
        digest = (digest or self.digest).with_user(user).with_company(self.company)
        digest = digest.with_context(
            start_datetime=begin or self.begin, end_datetime=end or self.end
        )
        values = {}
        for name in NAMES:
            self.env.invalidate_all()
            try:
                values[name] = digest[f"kpi_nurture_{name}_value"]
            except AccessError:
                values[name] = None
        return values

    def test_period(self):
        expected = {"won_back": 1, "invoiced": 250.0, "sent": 2, "delivered": 1}
        self.assertEqual(self.values(self.marketer), expected)
        nothing = dict.fromkeys(NAMES, 0)
        before = self.begin - timedelta(days=1)
        self.assertEqual(self.values(self.marketer, begin=before, end=self.begin), nothing)
        self.assertEqual(self.values(self.marketer, begin=self.end), nothing, "later")

    def test_same_as_on_the_sequence(self):
        values = self.values(self.marketer)
        sequence = self.seen_by(self.marketer)
        self.assertEqual(values["won_back"], sequence.lead_count)
        self.assertEqual(values["invoiced"], sequence.invoiced_amount)
        self.assertEqual(values["sent"], sequence.sent_count)
        self.assertEqual(values["delivered"], sequence.delivered_count)

    def test_companies(self):
        """As in core: those of the digest's company; a digest of none is about the user's."""
        other = self.env["res.company"].create({"name": "Elsewhere"})
        self.marketer.company_ids += other
        elsewhere = self.digest.copy({"company_id": other.id})
        self.assertEqual(self.values(self.marketer, elsewhere), dict.fromkeys(NAMES, 0))
        anywhere = self.digest.copy({"company_id": False})
        self.assertEqual(self.values(self.marketer, anywhere)["sent"], 2)

    def test_who_sees_what(self):
        """Salespeople get their own leads; nobody else gets anything of it."""
        own = {"won_back": 1, "invoiced": None, "sent": None, "delivered": None}
        self.assertEqual(self.values(self.salesman), own)
        self.assertEqual(self.values(self.colleague), own | {"won_back": 0})
        mailer = new_test_user(self.env, "digest_mailer", "mass_mailing.group_mass_mailing_user")
        for user in (self.employee, mailer):
            self.assertEqual(self.values(user), dict.fromkeys(NAMES))

    def test_mail(self):
        """The digest that arrives has them, with a link to the sequences."""
        self.marketer.tz = "UTC"
        self.digest.user_ids = self.marketer
        # what is paid today is of noon, and the digest of the days until now
        self.env["nurture.outcome"]._catch_up()
        paid = self.env["nurture.outcome"].search([("order_id.opportunity_id", "=", self.ann.id)])
        paid.filtered(lambda one: one.kind == "paid").date -= timedelta(days=1)
        self.digest.action_send_manual()
        self.send_mails()
        text = self.html_of(self.mail_to(self.marketer.email))
        for label in (
            "Leads Won Back",
            "Invoiced (Paid) Thanks to Sequences",
            "Messages of Sequences Sent",
        ):
            self.assertIn(label, text)
        self.assertIn("250", text)
        self.assertIn("/odoo/action-lost_lead_nurture.", text)

    def test_index(self):
        """A week's messages are found without reading those of all years."""
        self.env.cr.execute(
            """
            INSERT INTO mailing_trace (trace_type, model, res_id, sent_datetime, nurture_trace_id)
            SELECT 'mail', 'crm.lead', %s, now() - make_interval(days => day), %s
              FROM generate_series(1, 5000) day
            """,
            [self.ann.id, self.trace(self.ann, self.first).id],
        )
        self.env.cr.execute("ANALYZE mailing_trace")
        mailing_traces = self.env["mailing.trace"].sudo()
        domain = mailing_traces._nurture_get_statistics()["sent"]
        query = mailing_traces._search(
            domain
            & fields.Domain("sent_datetime", ">=", self.begin)
            & fields.Domain("nurture_trace_id", "!=", False)
        )
        self.env.cr.execute("EXPLAIN " + query.select().code, query.select().params)
        plan = "\n".join(line for (line,) in self.env.cr.fetchall())
        self.assertIn("mailing_trace_nurture_sent_index", plan)
