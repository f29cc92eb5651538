"""Records that contradict a lost reason are cited; a person decides."""

from datetime import timedelta

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..common import ANN, BOB, NurtureHttpCase


@tagged("post_install", "-at_install")
class TestContradictions(NurtureHttpCase):
    def setUp(self):
        super().setUp()
        self.reason_price.nurture_cure = "price"
        self.ann = self.make_lead(ANN, self.reason_price)

    def quote(self, lead=None, **values):
        return self.env["sale.order"].create(
            {
                "partner_id": self.env["res.partner"].create({"name": "Ann"}).id,
                "opportunity_id": (lead or self.ann).id,
                "date_order": self.clock,
                "user_id": self.salesman.id,
                "order_line": [Command.create({"name": "Desk", "price_unit": 10.0})],
                **values,
            }
        )

    def found(self, lead=None, user=None):
        rows = self.env["nurture.contradiction"].with_user(user or self.salesman)
        self.env.flush_all()
        return rows.search([("lead_id", "=", (lead or self.ann).id)])

    def said(self, user=None):
        """What stands on the lead; the list says the same."""
        self.env.invalidate_all()
        text = self.ann.with_user(user or self.salesman).nurture_contradictions
        self.assertEqual(text.split("\n"), self.found(user=user).mapped("description") or [""])
        return text

    def test_never_quoted(self):
        self.assertEqual(self.said(), "No quotation was ever made: nobody named a price.")
        self.reason_price.nurture_cure = "skill"
        self.assertEqual(self.said(), "", "price is not what it is about")

    def test_never_sent(self):
        self.quote()
        order = self.quote()
        self.assertEqual(self.said(), f"{order.name} of Mar 2, 2026 was never sent.")
        self.assertEqual(self.found().order_id, order)

    def test_never_opened(self):
        """Until the customer really opens its page."""
        order = self.quote(state="sent")
        self.assertEqual(
            self.said(),
            f"{order.name} of Mar 2, 2026 was sent, and nobody has opened it on its page.",
        )
        # marketers see no quotations, and what is said of one
        self.assertEqual(
            self.said(self.marketer),
            "A quotation of Mar 2, 2026 was sent, and nobody has opened it on its page.",
        )
        self._get(order.get_portal_url())
        self.assertEqual(self.said(), "")

    def test_late(self):
        """By the day on which it was sent, whatever the reason, but time."""
        self.quote(state="sent")
        self.ann.lost_reason_id = self.reason_stock
        self.ann.date_deadline = self.clock.date()
        self.assertEqual(self.said(), "")
        self.ann.date_deadline = self.clock.date() - timedelta(days=1)
        self.assertIn("was sent on Mar 2, 2026, after the expected closing on Mar 1", self.said())
        self.reason_stock.nurture_cure = "time"
        self.assertEqual(self.said(), "")

    def test_sent_by_mail(self):
        """The message that it was sent tells the day."""
        order = self.quote()
        order = order.with_context(tracking_disable=False)
        self.ann.date_deadline = self.clock.date() + timedelta(days=1)
        self.ann.lost_reason_id = self.reason_stock
        message = order.message_post(subtype_xmlid="sale.mt_order_sent")
        message.date = self.clock + timedelta(days=5)
        order.state = "sent"
        self.assertIn("was sent on Mar 7, 2026", self.said())

    def test_keep(self):
        """What was kept is not shown again, until the lead is lost anew."""
        self.assertTrue(self.said())
        self.ann.with_user(self.salesman).action_nurture_keep_reason()
        self.assertEqual(self.said(), "")
        kept = self.ann.nurture_reason_history_ids[:1]
        self.assertEqual((kept.event, kept.contradiction), ("kept", "never_quoted"))
        self.assertEqual(kept.user_id, self.salesman)
        self.assertEqual(self.ann.lost_reason_id, self.reason_price, "nothing else has changed")
        # something else contradicts it
        self.quote()
        self.assertIn("was never sent", self.said())
        self.ann.action_restore()
        self.assertEqual(self.said(), "")
        self.clock += timedelta(days=1)
        self.ann.order_ids.unlink()
        self.ann.action_set_lost(lost_reason_id=self.reason_price.id)
        self.assertTrue(self.said())

    def test_another_reason(self):
        self.ann.with_user(self.salesman).lost_reason_id = self.reason_stock
        self.assertEqual(self.said(), "")
        with self.assertRaisesRegex(UserError, "Nothing contradicts"):
            self.ann.with_user(self.salesman).action_nurture_keep_reason()

    @mute_logger("odoo.models", "odoo.addons.base.models.ir_rule")
    def test_rights(self):
        """Salespeople see and decide about their own leads; marketers see all, and change none."""
        bob = self.make_lead(BOB, self.reason_price, user_id=self.colleague.id)
        leads = self.ann | bob
        rows = self.env["nurture.contradiction"]
        self.env.flush_all()
        self.assertEqual(rows.with_user(self.salesman).search([]).lead_id & leads, self.ann)
        self.assertEqual(rows.with_user(self.marketer).search([]).lead_id & leads, leads)
        row = self.found(bob, self.colleague)
        for user in (self.salesman, self.marketer, self.employee):
            for forbidden in (
                lambda user=user: row.with_user(user).action_keep(),
                lambda user=user: bob.with_user(user).action_nurture_keep_reason(),
            ):
                # there is no such row for who does not see the lead
                with self.assertRaises(UserError), self.env.cr.savepoint():
                    self.env.invalidate_all()
                    forbidden()
        self.assertEqual(self.found(bob, self.colleague), row)
        action = row.action_view_lead()
        self.assertEqual((action["res_model"], action["res_id"]), ("crm.lead", bob.id))

    def test_queries(self):
        """A page of twenty leads takes as many queries as one of two."""
        leads = self.env["crm.lead"].union(
            *(self.make_lead(f"{n}@recipient.example.com", self.reason_price) for n in range(24))
        )
        for lead in leads[::2]:
            self.quote(lead)

        def read(some):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            some.with_user(self.salesman).read(["nurture_contradictions"])
            return self.cr.sql_log_count - before

        read(leads[:2])  # caches
        self.assertEqual(read(leads[2:4]), read(leads[4:]))

    def test_queries_of_keeping(self):
        """To keep the reasons of twenty takes as many as of two."""
        leads = self.env["crm.lead"].union(
            *(self.make_lead(f"{n}@recipient.example.com", self.reason_price) for n in range(24))
        )

        def keep(some):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            some.with_user(self.salesman).action_nurture_keep_reason()
            self.env.flush_all()
            return self.cr.sql_log_count - before

        keep(leads[:2])  # caches
        self.assertEqual(keep(leads[2:4]), keep(leads[4:]))
