"""Which lost leads are not written to any more, and why."""

from odoo.tests import tagged

from ..common import ANN, BOB, NurtureCase, SequenceMixin


@tagged("post_install", "-at_install")
class TestHygiene(SequenceMixin, NurtureCase):
    def setUp(self):
        super().setUp()
        self.contact = self.env["res.partner"].create({"name": "Carl", "email": "carl@x.example"})
        self.leads = {
            "blacklisted": self.make_lead(ANN),
            "complained": self.make_lead(BOB),
            "left": self.make_lead("carl@x.example", partner_id=self.contact.id),
            "role": self.make_lead("Sales@x.example"),
            "no_address": self.make_lead("nobody"),
            "bounced": self.make_lead("dead@x.example"),
            "opted_out": self.make_lead("not.this@x.example"),
        }
        self.contact.active = False
        self.leads["bounced"].message_bounce = 1
        self.env["mail.blacklist"]._add(ANN)
        preferences = self.env["nurture.preference"]
        preferences._note([BOB], "complaint", "complaint")
        preferences._note(["not.this@x.example"], "sequence", "page", sequence_id=self.sequence.id)
        self.make_lead("fine@x.example")
        self.env.flush_all()

    def reasons(self, user):
        rows = self.env["nurture.retired"].with_user(user).search([("lead_id", "!=", False)])
        ids = {lead.id for lead in self.leads.values()}
        return {row.reason: row.lead_id for row in rows if row.lead_id.id in ids}

    def test_reasons(self):
        self.assertEqual(self.reasons(self.marketer), self.leads)
        retired = self.env["nurture.retired"].with_user(self.marketer)
        counts = dict(retired._read_group([], ["reason"], ["__count"]))
        for reason in self.leads:
            self.assertEqual(counts[reason], retired.search_count([("reason", "=", reason)]))
        row = retired.search([("lead_id", "=", self.leads["blacklisted"].id)])
        self.assertEqual((row.email, row.date), (ANN, self.clock))

    def test_whose_leads(self):
        """As far as the leads are the user's to see."""
        self.leads["role"].user_id = self.colleague
        self.env.flush_all()
        seen = self.reasons(self.salesman)
        self.assertNotIn("role", seen)
        self.assertIn("left", seen)
        other = self.env["res.company"].create({"name": "Other"})
        self.assertFalse(self.reasons(self.make_marketer(other)))

    def test_salespeople_get_there(self):
        """Who may see it has it in a menu: salespeople where they work."""
        for user in (self.salesman, self.marketer):
            menus = self.env["ir.ui.menu"].browse(
                self.env["ir.ui.menu"].with_user(user)._visible_menu_ids()
            )
            self.assertIn(
                self.env.ref("lost_lead_nurture.nurture_retired_action"), menus.mapped("action")
            )

    def test_excluded(self):
        """They do not enter, by the words of the report; roles only where it is chosen."""
        self.sequence.exclude_roles = True
        groups = self.sequence._group_by_exclusion()
        for reason, lead in self.leads.items():
            self.assertIn(lead.id, groups[reason], reason)
        self.sequence.write({"exclude_roles": False, "exclude_left": False})
        groups = self.sequence._group_by_exclusion()
        self.assertIn(self.leads["role"].id, groups[None])
        self.assertIn(self.leads["left"].id, groups[None])

    def test_who_leaves_the_company(self):
        contact = self.env["res.partner"].create({"name": "Dora", "email": "dora@x.example"})
        lead = self.make_lead("dora@x.example", partner_id=contact.id)
        self.make_step(self.sequence, "after", self.first, 7)
        self.sequence.action_start()
        self.run_cron()
        self.assertEqual(self.participant(lead).state, "running")
        contact.active = False
        self.env["mail.mail"].search([]).mailing_trace_ids.set_sent()
        self.advance(days=8)
        self.assertEqual(self.participant(lead).exit_reason, "contact_left")
