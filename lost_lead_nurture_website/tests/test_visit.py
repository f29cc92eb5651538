"""Leads enter when their visitor looks at a page: by real requests to the website."""

import gc
from datetime import timedelta

from odoo.exceptions import UserError
from odoo.tests import new_test_user, tagged

from odoo.addons.lost_lead_nurture.tests.common import (
    ANN,
    BOB,
    NurtureHttpCase,
    RealClockMixin,
    SequenceMixin,
)
from odoo.addons.lost_lead_nurture_website.models import nurture_sequence


@tagged("post_install", "-at_install")
class TestVisit(RealClockMixin, SequenceMixin, NurtureHttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # core tracks nothing while it reads from a copy of the database
        cls.set_registry_readonly_mode(False)
        cls.prices = cls.make_page("prices")
        cls.make_page("news")

    @classmethod
    def make_page(cls, name, track=True):
        """A page of the website, as somebody makes it there."""
        key = f"test.nurture_{name}"
        view = cls.env["ir.ui.view"].create(
            {
                "name": name,
                "type": "qweb",
                "key": key,
                "arch": f'<t t-name="{key}"><t t-call="website.layout">{name}</t></t>',
                "track": track,
            }
        )
        return cls.env["website.page"].create(
            {"view_id": view.id, "url": f"/nurture-{name}", "website_published": True}
        )

    def setUp(self):
        super().setUp()
        # the database writes down visits, by its own clock
        self.clock = self.env.cr.now().replace(microsecond=0)
        self.ann, self.bob = self.make_lead(ANN), self.make_lead(BOB)
        self.sequence.write({"entry": "visit", "entry_url": "/nurture-prices*", "domain": "[]"})

    def visit(self, name, lead=None, query=""):
        """Look at a page, as the visitor who has filled in the form of ``lead``."""
        self._get(f"/nurture-{name}{query}")
        visitor = self.env["website.visitor"].search([], order="id desc", limit=1)
        if lead:
            visitor.lead_ids = lead
        self.env.flush_all()
        return visitor

    def test_page(self):
        """Its lead enters, once; the lead of nobody who looked does not."""
        self.start()
        with self.capture_triggers(self.cron.id) as captured:
            self.visit("prices", self.ann, "?utm_source=mail")
        self.assertTrue(captured.records)
        self.assertFalse(self.reasons_against(self.ann))
        self.assertEqual(self.reasons_against(self.bob), ["no_event"])
        audience = self.sequence.with_user(self.marketer).get_audience()
        self.assertEqual(audience["entering"], 1)
        self.advance()
        self.assertEqual(self.entered(), self.ann)
        self.assertEqual(len(self.mails_to(ANN, "First")), 1)
        journey = self.participant(self.ann)
        self.assertIn("looked at a page (/nurture-prices) on", journey._get_decisions()[0][3])
        self.advance(hours=2)
        self.assertEqual(len(self.participant(self.ann)), 1)

    def test_other_page(self):
        self.start()
        with self.capture_triggers(self.cron.id) as captured:
            self.visit("news", self.ann)
        self.assertFalse(captured.records)
        self.advance()
        self.assertFalse(self.entered())

    def test_program(self):
        """Core tracks no programs."""
        self.start()
        visitor = self.visit("news", self.ann)
        self._get("/nurture-prices", user_agent="Googlebot/2.1 (+http://www.google.com/bot.html)")
        self.assertEqual(len(visitor.website_track_ids), 1)
        self.advance()
        self.assertFalse(self.entered())

    def test_logged_in(self):
        """A contact of the lead is known by its login."""
        user = new_test_user(self.env, "nurture_portal", "base.group_portal", email=ANN)
        self.ann.partner_id = user.partner_id
        self.start()
        self.authenticate("nurture_portal", "nurture_portal")
        self.visit("prices")
        self.advance()
        self.assertEqual(self.entered(), self.ann)

    def test_one_website(self):
        """An address with the website is of that one."""
        self.sequence.entry_url = f"{self.base_url()}/nurture-prices"
        self.start()
        self.visit("prices", self.ann)
        self.assertFalse(self.reasons_against(self.ann))
        self.sequence.entry_url = "https://elsewhere.example.com/nurture-prices"
        self.assertEqual(self.reasons_against(self.ann), ["no_event"])

    def test_as_copied(self):
        """The address may be pasted as the browser shows it."""
        self.start(entry_url=f" {self.base_url()}/nurture-prices/#plans")
        with self.capture_triggers(self.cron.id) as captured:
            self.visit("prices", self.ann)
        self.assertTrue(captured.records)
        self.advance()
        self.assertEqual(self.entered(), self.ann)

    def test_other_company(self):
        """What somebody looks at on the website of another company lets nobody in, by the page nor
        by the website's own address; a company without any shares those of the others."""
        own, foreign = self.env["website"].create(
            [{"name": company.name, "company_id": company.id} for company in self.make_companies()]
        )
        self.start()
        self.visit("prices", self.ann)
        for website, reasons in ((foreign, ["no_event"]), (own, [])):
            self.prices.website_id = website
            self.assertEqual(self.reasons_against(self.ann), reasons)
        self.prices.website_id = False
        for website, reasons in ((foreign, ["no_event"]), (own, [])):
            website.domain = self.base_url()
            self.assertEqual(self.reasons_against(self.ann), reasons)
            website.domain = False
            self.env.flush_all()
        foreign.domain = self.base_url()
        own.unlink()
        self.env["website"].search(
            [("company_id", "=", self.company.id)]
        ).company_id = foreign.company_id
        self.assertFalse(self.reasons_against(self.ann))

    def make_companies(self):
        """That of the sequence, and another one."""
        return self.company | self.env["res.company"].create({"name": "Other Company"})

    def test_before_the_start(self):
        self.visit("prices", self.ann)
        self.clock += timedelta(days=2)
        self.start()
        self.assertFalse(self.entered())
        self.sequence.entry_past_days = 3
        self.advance(minutes=1)
        self.assertEqual(self.entered(), self.ann)

    def test_problems(self):
        """It says which page, and that one is tracked."""
        self.sequence.entry_url = False
        with self.assertRaisesRegex(UserError, "does not say which page"):
            self.sequence.action_start()
        for wrong in ("nurture-prices", "www.shop.example.com/prices"):
            self.sequence.entry_url = wrong
            with self.assertRaisesRegex(UserError, f"“{wrong}” is the address of no page"):
                self.sequence.action_start()
        self.make_page("secret", track=False)
        for page in ("/nurture-secret", f"{self.base_url()}/nurture-secret"):
            self.sequence.entry_url = page
            with self.assertRaisesRegex(UserError, "is not tracked"):
                self.sequence.with_user(self.marketer).action_start()

    def test_queries_do_not_grow(self):
        """However many have looked, they enter at once."""
        leads = [self.make_lead(f"lead{n}@recipient.example.com") for n in range(20)]
        visitor = self.visit("prices")
        self.start()

        def count(*looking):
            visitor.lead_ids = [lead.id for lead in looking]
            self.env.flush_all()
            self.env.invalidate_all()
            # environments keep the user's time zone until nothing refers to them
            gc.collect()
            before = self.env.cr.sql_log_count
            self.assertEqual(len(self.sequence._enrol()), len(looking))
            return self.env.cr.sql_log_count - before

        count(leads[0])
        few, many = count(*leads[1:3]), count(*leads[3:])
        self.assertLessEqual(many, few)

    def test_uninstalled(self):
        """Nobody enters then who did not look at a page."""
        nurture_sequence._retire(self.sequence)
        self.assertEqual((self.sequence.entry, self.sequence.entry_url), ("manual", False))

    def test_template(self):
        template = self.env.ref("lost_lead_nurture_website.template_visit")
        new = self.env["nurture.sequence.new"].with_user(self.marketer)
        made = new.create({"template_id": template.id}).action_create()["infos"]["sequence_id"]
        sequence = self.env["nurture.sequence"].browse(made)
        self.assertEqual((sequence.entry, sequence.entry_url), ("visit", "/prices*"))
        self.assertFalse(sequence._get_problems())
