from ast import literal_eval
from datetime import datetime, timedelta, timezone
from unittest.mock import patch

from odoo.fields import Datetime
from odoo.tests import tagged

from ..common import NurtureCase


@tagged("post_install", "-at_install")
class TestPreset(NurtureCase):
    def setUp(self):
        super().setUp()
        # “today” in a domain is the real one
        self.clock = datetime.now(timezone.utc).replace(tzinfo=None, microsecond=0)

    def found(self, **values):
        """Addresses of the leads that a preset with these values finds."""
        values.setdefault("lost_reason_ids", (self.reason_stock | self.reason_price).ids)
        preset = self.env["nurture.preset"].create({"name": "Preset", **values})
        action = preset.action_view_leads()
        leads = self.env["crm.lead"].with_context(**action["context"]).search(action["domain"])
        self.assertEqual(preset.matching_count, len(leads))
        favourite = preset.mailing_filter_id
        self.assertEqual(favourite.mailing_model_name, "crm.lead")
        self.assertEqual(
            self.env["crm.lead"].search(literal_eval(favourite.mailing_domain)),
            leads,
            "the favourite filter finds the same, archived leads included",
        )
        return set(leads.mapped(lambda lead: lead.email_from.split("@")[0]))

    def lose_on(self, lead, days_ago):
        lead.date_closed = Datetime.now() - timedelta(days=days_ago)

    def test_reasons(self):
        self.make_lead("stock@recipient.example.com")
        self.make_lead("price@recipient.example.com", self.reason_price)
        self.assertEqual(self.found(), {"stock", "price"})
        self.assertEqual(self.found(lost_reason_ids=self.reason_stock.ids), {"stock"})
        self.assertEqual(self.found(excluded_reason_ids=self.reason_stock.ids), {"price"})

    def test_list(self):
        """A list of presets does not count leads: it asks for the numbers once it is shown."""
        self.make_lead("stock@recipient.example.com")
        preset = self.env["nurture.preset"].create(
            {"name": "Preset", "lost_reason_ids": self.reason_stock.ids}
        )
        presets = preset.with_user(self.marketer)
        with patch.object(type(self.env["crm.lead"]), "search_count") as count:
            rows = presets.web_search_read([], {"name": {}, "matching_count": {}})["records"]
        count.assert_not_called()
        self.assertIn(preset.id, [row["id"] for row in rows])
        self.assertEqual(presets.read(["matching_count"])[0]["matching_count"], 1)
        (row,) = presets.web_read({"matching_count": {}})
        self.assertEqual(row["matching_count"], 1)

    def test_only_lost(self):
        self.make_lead("lost@recipient.example.com")
        self.make_lead(
            "open@recipient.example.com", lost=False, lost_reason_id=self.reason_stock.id
        )
        won = self.make_lead(
            "won@recipient.example.com", lost=False, lost_reason_id=self.reason_stock.id
        )
        won.action_set_won()
        archived = self.make_lead(
            "archived@recipient.example.com", lost=False, lost_reason_id=self.reason_stock.id
        )
        archived.action_archive()
        self.make_lead("black@recipient.example.com")
        self.env["mail.blacklist"]._add("black@recipient.example.com")
        self.assertEqual(self.found(), {"lost"})

    def test_blacklisted(self):
        """Core's filter finds the same by addresses that are looked up one by one."""
        black = self.make_lead("black@recipient.example.com")
        free = self.make_lead("free@recipient.example.com")
        nobody = self.make_lead(False)
        leads = self.env["crm.lead"].with_context(active_test=False)
        ours = [("id", "in", (black | free | nobody).ids)]
        yes, no = ours + [("is_blacklisted", "=", True)], ours + [("is_blacklisted", "!=", True)]
        self.assertFalse(leads.search(yes))
        entry = self.env["mail.blacklist"]._add("Black@recipient.example.com")
        self.assertEqual(leads.search(yes), black)
        self.assertEqual(leads.search(no), free | nobody)
        self.assertEqual(leads.search(ours).filtered_domain(yes), black)
        entry.active = False
        self.assertFalse(leads.search(yes))
        self.assertEqual(leads.search(no), black | free | nobody)

    def test_period(self):
        for days in (0, 29, 31, 364, 400):
            self.lose_on(self.make_lead(f"{days}@recipient.example.com"), days)
        self.assertEqual(self.found(), {"0", "29", "31", "364"}, "a year, unless said otherwise")
        self.assertEqual(self.found(lost_max_days=0), {"0", "29", "31", "364", "400"})
        self.assertEqual(self.found(lost_min_days=30), {"31", "364"})
        self.assertEqual(self.found(lost_max_days=30), {"0", "29"})

    def test_days_since_lost(self):
        """The days that a filter compares are those that a lead shows."""
        leads = {days: self.make_lead(f"{days}@recipient.example.com") for days in (0, 1, 5, 6)}
        for days, lead in leads.items():
            self.lose_on(lead, days)
            self.assertEqual(lead.days_since_lost, days)
        self.assertFalse(self.make_lead("open@recipient.example.com", lost=False).days_since_lost)
        for operator, expected in (
            ("<", {0, 1}),
            ("<=", {0, 1, 5}),
            (">", {6}),
            (">=", {5, 6}),
        ):
            found = self.found(extra_domain=repr([("days_since_lost", operator, 5)]))
            self.assertEqual(found, {str(days) for days in expected}, operator)

    def test_where_and_whose(self):
        stage = self.env["crm.stage"].create({"name": "Too early", "sequence": 1})
        self.make_lead("plain@recipient.example.com")
        self.make_lead("early@recipient.example.com", stage_id=stage.id)
        self.make_lead("other@recipient.example.com", user_id=self.colleague.id, team_id=False)
        self.make_lead(
            "big@recipient.example.com",
            expected_revenue=5000,
            country_id=self.env.ref("base.be").id,
        )
        self.assertEqual(self.found(excluded_stage_ids=stage.ids), {"plain", "other", "big"})
        self.assertEqual(self.found(user_ids=self.colleague.ids), {"other"})
        self.assertEqual(self.found(team_ids=self.team.ids), {"plain", "early", "big"})
        self.assertEqual(self.found(country_ids=self.env.ref("base.be").ids), {"big"})
        self.assertEqual(self.found(min_revenue=1000), {"big"})
        extra = "['|', ('expected_revenue', '>', 1000), ('email_from', 'like', 'early')]"
        self.assertEqual(self.found(extra_domain=extra), {"early", "big"})

    def test_defaults(self):
        """One preset for each of CRM's default reasons and one for all of them."""
        for xml_id, reason in (("expensive", 1), ("skills", 2), ("stock", 3)):
            preset = self.env.ref(f"lost_lead_nurture.nurture_preset_{xml_id}")
            self.assertEqual(preset.lost_reason_ids, self.env.ref(f"crm.lost_reason_{reason}"))
            self.assertTrue(preset.mailing_filter_id)
        self.assertFalse(self.env.ref("lost_lead_nurture.nurture_preset_all").lost_reason_ids)

    def test_filter_follows(self):
        preset = self.env["nurture.preset"].create({"name": "Mine"})
        favourite = preset.mailing_filter_id
        preset.write({"name": "Renamed", "lost_max_days": 10})
        self.assertEqual(favourite.name, "Renamed")
        self.assertIn("('days_since_lost', '<=', 10)", favourite.mailing_domain)
        preset.action_archive()
        self.assertFalse(favourite.exists())
        preset.action_unarchive()
        self.assertTrue(preset.mailing_filter_id)
        favourite = preset.mailing_filter_id
        preset.unlink()
        self.assertFalse(favourite.exists())

    def test_to_mailing_and_sequence(self):
        preset = self.env["nurture.preset"].create({"name": "Mine"}).with_user(self.marketer)
        mailing = (
            self.env["mailing.mailing"]
            .with_user(self.marketer)
            .with_context(**preset.action_new_mailing()["context"])
            .create({"subject": "Once"})
        )
        self.assertEqual(mailing.mailing_domain, preset.full_domain)
        self.assertEqual(mailing.mailing_filter_id, preset.mailing_filter_id)
        sequence = (
            self.env["nurture.sequence"]
            .with_user(self.marketer)
            .with_context(**preset.action_new_sequence()["context"])
            .create({})
        )
        self.assertEqual((sequence.name, sequence.domain), ("Mine", preset.full_domain))
