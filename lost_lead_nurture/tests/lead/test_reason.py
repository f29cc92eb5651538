"""The history of lost reasons, and the queue of leads that were lost without one."""

from odoo.exceptions import AccessError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from ..common import ANN, BOB, NurtureCase


@tagged("post_install", "-at_install")
class TestReason(NurtureCase):
    def lose(self, leads, reason=None, user=None):
        """Press Lost, as a salesperson does."""
        wizards = self.env["crm.lead.lost"].with_user(user or self.salesman)
        with Form(wizards.with_context(default_lead_ids=leads.ids)) as form:
            if reason:
                form.lost_reason_id = reason
        form.record.action_lost_reason_apply()

    def history(self, lead, user=None):
        rows = lead.with_user(user or self.salesman).nurture_reason_history_ids.sorted("id")
        return [(row.event, row.lost_reason_id, row.user_id) for row in rows]

    def test_survives_restoring(self):
        """Core forgets the reason; the history does not."""
        lead = self.make_lead(ANN, lost=False)
        self.lose(lead, self.reason_price)
        lead.with_user(self.colleague).sudo().action_restore()
        self.assertFalse(lead.lost_reason_id)
        self.lose(lead, self.reason_stock)
        self.assertEqual(
            self.history(lead),
            [
                ("set", self.reason_price, self.salesman),
                ("restored", self.reason_price, self.colleague),
                ("set", self.reason_stock, self.salesman),
            ],
        )
        self.assertEqual(set(lead.nurture_reason_history_ids.mapped("date")), {self.clock})
        again = self.env["crm.lead"].with_context(active_test=False)
        domain = [("nurture_reason_history_ids.lost_reason_id", "=", self.reason_price.id)]
        self.assertEqual(again.search(domain), lead, "a filter finds what it was lost for once")

    def test_changed(self):
        lead = self.make_lead(ANN, self.reason_price)
        lead.with_user(self.salesman).lost_reason_id = self.reason_stock
        last = lead.nurture_reason_history_ids.sorted("id")[-1]
        self.assertEqual(last.previous_reason_id, self.reason_price)
        lead.with_user(self.salesman).lost_reason_id = self.reason_stock
        self.assertEqual(len(lead.nurture_reason_history_ids), 2, "nothing has changed")
        lead.with_user(self.salesman).lost_reason_id = False
        self.assertEqual(self.history(lead)[-1][:2], ("cleared", self.reason_stock))

    def test_imported(self):
        """Leads that are lost from the beginning have their reason there, too."""
        lead = self.env["crm.lead"].create(
            {
                "name": "Old",
                "active": False,
                "probability": 0,
                "user_id": self.salesman.id,
                "lost_reason_id": self.reason_price.id,
            }
        )
        self.assertEqual(self.history(lead), [("set", self.reason_price, self.env.user)])

    def test_merged(self):
        """Why the others were lost goes on being known."""
        ann, twin = self.make_lead(ANN, lost=False), self.make_lead(ANN, lost=False)
        self.lose(twin, self.reason_price)
        twin.action_restore()
        merged = (ann | twin)._merge_opportunity(auto_unlink=False)
        self.assertIn(self.reason_price, merged.nurture_reason_history_ids.lost_reason_id)

    def test_queries(self):
        """Twenty leads are lost and restored by as many queries of ours as two."""

        def note(leads):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            leads.lost_reason_id = self.reason_price
            leads.lost_reason_id = False
            self.env.flush_all()
            return self.cr.sql_log_count - before

        leads = self.env["crm.lead"].union(
            *(self.make_lead(f"{n}@recipient.example.com") for n in range(24))
        )
        note(leads[:2])  # caches
        self.assertEqual(note(leads[2:4]), note(leads[4:]))

    @mute_logger("odoo.models", "odoo.addons.base.models.ir_rule")
    def test_rights(self):
        """Salespeople see that of their leads, marketers all, and nobody writes it."""
        own = self.make_lead(ANN)
        others = self.make_lead(BOB, user_id=self.colleague.id)
        rows = self.env["nurture.reason.history"]
        self.assertEqual(rows.with_user(self.salesman).search([]).lead_id & (own | others), own)
        seen = rows.with_user(self.marketer).search([]).lead_id
        self.assertEqual(seen & (own | others), own | others)
        with self.assertRaises(AccessError):
            rows.with_user(self.employee).search([])
        row = own.nurture_reason_history_ids
        forged = {
            "lead_id": own.id,
            "event": "kept",
            "lost_reason_id": self.reason_stock.id,
            "date": self.clock,
        }
        for user in (self.salesman, self.marketer):
            for forbidden in (
                lambda user=user: rows.with_user(user).create(forged),
                lambda user=user: row.with_user(user).write({"event": "kept"}),
                lambda user=user: row.with_user(user).unlink(),
            ):
                with self.assertRaises(AccessError), self.env.cr.savepoint():
                    forbidden()
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            own.with_user(self.marketer).write({"nurture_reason_history_ids": [(5,)]})

    # ------------------------------------------------------------
    # NO REASON GIVEN
    # ------------------------------------------------------------

    def get_queue(self, user):
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "lost_lead_nurture.crm_lead_action_no_reason"
        )
        domain = [("won_status", "=", "lost"), ("active", "in", [True, False])]
        domain.append(("lost_reason_id", "=", False))
        self.assertEqual(repr(domain), action["domain"])
        return self.env["crm.lead"].with_user(user).search(domain)

    @mute_logger("odoo.models", "odoo.addons.base.models.ir_rule")
    def test_no_reason(self):
        """One click sets the reason, and nothing else, by the user's own rights."""
        own = self.make_lead(ANN, lost=False)
        others = self.make_lead(BOB, lost=False, user_id=self.colleague.id)
        self.lose(own)
        self.lose(others, user=self.colleague)
        leads = own | others
        self.assertEqual(self.get_queue(self.salesman) & leads, own)
        self.assertEqual(self.get_queue(self.marketer) & leads, leads)
        closed = own.date_closed
        self.clock = self.clock.replace(day=20)
        click = {"lost_reason_id": self.reason_price.id}
        own.with_user(self.salesman).web_save(click, {"lost_reason_id": {}})
        self.assertEqual((own.date_closed, own.won_status), (closed, "lost"))
        self.assertFalse(self.get_queue(self.salesman) & leads)
        for user in (self.salesman, self.marketer, self.employee):
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                others.with_user(user).web_save(click, {"lost_reason_id": {}})

    def test_buttons(self):
        """Only who may change leads has them."""
        view = self.env.ref("lost_lead_nurture.crm_lead_view_list_no_reason")
        for user, shown in ((self.salesman, True), (self.marketer, False)):
            arch = self.env["crm.lead"].with_user(user).get_view(view.id, "list")["arch"]
            self.assertEqual("nurture_reason" in arch, shown)
