from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command
from odoo.service.model import call_kw
from odoo.tests import new_test_user, tagged

from odoo.addons.lost_lead_nurture.tests.common import NurtureCase

from .common import WaitingMixin


@tagged("post_install", "-at_install")
class TestRights(WaitingMixin, NurtureCase):
    """What marketers, salespeople and others may do with it over RPC."""

    def call(self, user, model, method, *args):
        return call_kw(self.env[model].with_user(user), method, list(args), {})

    def test_marketers_set_it_up(self):
        ids = self.sequence.ids
        values = {"wait_for_stock": "forecast", "wave_days": 3, "wave_share": 20}
        self.call(self.marketer, "nurture.sequence", "write", ids, values)
        (row,) = self.call(self.marketer, "nurture.sequence", "read", ids, [*values])
        self.assertEqual({name: row[name] for name in values}, values)

    def test_salespeople_see_it_only(self):
        (row,) = self.call(
            self.salesman, "nurture.sequence", "read", self.sequence.ids, ["wait_for_stock"]
        )
        self.assertEqual(row["wait_for_stock"], "free")
        with self.assertRaises(AccessError):
            self.call(
                *(self.salesman, "nurture.sequence", "write"),
                *(self.sequence.ids, {"wait_for_stock": False}),
            )

    def test_nobody_writes_what_was_offered(self):
        """What counts as taken is the engine's, administrators of Odoo may look."""
        lead = self.lose("ann", (self.desk, 1))
        self.receive(self.desk, 1)
        self.advance(hours=2)
        claim = self.participant(lead).stock_claim_ids
        self.assertTrue(claim)
        admin = new_test_user(self.env, "nurture_admin", "base.group_system")
        for model, record in (
            ("nurture.stock.claim", claim),
            ("nurture.stock.level", self.env["nurture.stock.level"].search([], limit=1)),
        ):
            self.call(admin, model, "read", record.ids, ["product_id"])
            for user in (self.marketer, self.salesman, self.employee):
                with self.assertRaises(AccessError):
                    self.call(user, model, "read", record.ids, ["product_id"])
            for user in (admin, self.marketer, self.salesman, self.employee):
                with self.assertRaises(AccessError):
                    self.call(user, model, "write", record.ids, {"product_id": self.lamp.id})
                with self.assertRaises(AccessError):
                    self.call(user, model, "unlink", record.ids)

    def test_others_see_nothing_on_leads(self):
        lead = self.lose("ann", (self.desk, 1))
        fields = ["nurture_stock", "nurture_missing", "nurture_product_ids", "nurture_waits_for"]
        for user in (self.marketer, self.salesman):
            (row,) = self.call(user, "crm.lead", "read", lead.ids, fields)
            self.assertIn("Desk", row["nurture_stock"])
        for field in fields:
            with self.assertRaises(AccessError):
                self.call(self.employee, "crm.lead", "read", lead.ids, [field])

    def test_nobody_writes_what_was_missing(self):
        """It is noted when a lead is lost."""
        lead = self.lose("ann", (self.desk, 1))
        noted = lead.nurture_missing
        for value in ([], [{"product": self.desk.id}]):
            with self.assertRaises(AccessError):
                self.call(
                    *(self.salesman, "crm.lead", "write"), *(lead.ids, {"nurture_missing": value})
                )
        self.assertEqual(lead.nurture_missing, noted)

    def test_products_of_others(self):
        """Nobody chooses what they may not see."""
        second = self.env["res.company"].create({"name": "Second Company"})
        theirs = self.make_product("Secret", company_id=second.id)
        with self.assertRaises(AccessError):
            self.call(
                *(self.marketer, "nurture.preset", "create"),
                {"name": "Secret", "product_ids": [Command.set(theirs.ids)]},
            )
        self.env.user.company_ids |= second
        elsewhere = self.env["stock.warehouse"].search([("company_id", "=", second.id)], limit=1)
        lead = self.lose("ann", (theirs, 1), warehouse=elsewhere, company_id=False, team_id=False)
        self.env.invalidate_all()
        (row,) = self.call(self.salesman, "crm.lead", "read", lead.ids, ["nurture_stock"])
        self.assertFalse(row["nurture_stock"])
        explanation = self.call(
            self.marketer, "nurture.sequence", "explain", self.sequence.ids, lead.id
        )
        (failed,) = [one for one in explanation["conditions"] if not one["ok"]]
        self.assertEqual((failed["reason"], failed["parts"]), ("not_in_stock", []))

    def test_marketers_run_it(self):
        """What the engine looks up for a marketer it looks up with all rights."""
        second = self.make_step(self.sequence, "after", self.first, 3, subject="Second")
        lead = self.lose("ann", (self.desk, 1))
        self.receive(self.desk, 1)
        self.sequence.with_user(self.marketer).action_advance()
        self.assertEqual(self.trace(lead, self.first).state, "processed")
        self.clock += self.hours(1)
        self.send_mails()
        self.trace(lead, self.first).mailing_trace_ids.set_sent()
        self.trace(lead, second).with_user(self.marketer).action_run_now()
        self.assertEqual(self.trace(lead, second).state, "processed")

    def test_bad_settings(self):
        for values in (
            {"wave_days": 0},
            {"wave_days": 10**9},
            {"wave_share": -1},
            {"wave_share": 101},
            {"wait_for_stock": False, "reentry": "stock"},
        ):
            with self.subTest(values), self.assertRaises(ValidationError):
                self.call(self.marketer, "nurture.sequence", "write", self.sequence.ids, values)
        for values in ({"wave_days": "many"}, {"wait_for_stock": "all"}):
            with self.subTest(values), self.assertRaises(ValueError):
                self.call(self.marketer, "nurture.sequence", "write", self.sequence.ids, values)
