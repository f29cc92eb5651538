"""The campaign code of a sequence, and the campaign that its mails and quotations are of."""

from psycopg2 import IntegrityError

from odoo.exceptions import UserError, ValidationError
from odoo.modules.migration import load_script
from odoo.tests import tagged
from odoo.tools import mute_logger
from odoo.tools.misc import file_path

from ..offers import OfferCase


@tagged("post_install", "-at_install")
class TestCampaign(OfferCase):
    def test_code(self):
        """It is made of the name, once in a company; another one is letters and digits."""
        self.assertEqual(self.sequence.campaign_code, "RESTOCK")
        second = self.make_sequence(name="Réstock!")
        self.assertEqual(second.campaign_code, "RESTOCK2")
        second.name = "Something else"
        self.assertEqual(second.campaign_code, "RESTOCK2", "it is known by it")
        with self.assertRaisesRegex(ValidationError, "letters and digits"):
            second.campaign_code = "RE-STOCK"
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError):
            second.campaign_code = "restock"
            self.env.flush_all()

    def test_taken_away(self):
        """Who takes the code away is not proposed another; what was a template gets one."""
        self.sequence.campaign_code = False
        self.sequence.name = "Another name"
        self.assertFalse(self.sequence.campaign_code)
        template = self.sequence._save_as_template({"template_name": "Rare"})
        template.with_user(self.marketer).write({"is_template": False})
        self.assertEqual(template.campaign_code, "RARE")

    def test_of_somebody_else(self):
        """A campaign that somebody made before is used, also one of all companies, and keeps its
        name: another code is another campaign, for what has not been sent."""
        theirs = self.env["utm.campaign"].create({"title": "restock", "company_id": False})
        self.offer()
        later = self.make_step(self.sequence, "after", self.step, 30).mailing_id
        self.start()
        self.mail.state = "done"
        self.assertEqual(self.mail.campaign_id, theirs)
        self.sequence.with_user(self.marketer).campaign_code = "STOCK26"
        self.assertEqual((theirs.name, theirs.title), ("restock", "restock"))
        own = self.sequence.campaign_id
        self.assertEqual(own.name, "STOCK26")
        self.assertEqual((self.mail.campaign_id, later.campaign_id), (theirs, own))
        self.sequence.campaign_code = "STOCK27"
        self.assertEqual((self.sequence.campaign_id, own.name), (own, "STOCK27"))

    def test_archived(self):
        """An archived campaign of that name is used again; another code does not collide with
        one."""
        archived, taken = self.env["utm.campaign"].create(
            [
                {"title": "RESTOCK", "company_id": self.company.id, "active": False},
                {"title": "STOCK26", "company_id": self.company.id, "active": False},
            ]
        )
        self.offer()
        other = self.make_sequence(company_id=self.env["res.company"].create({"name": "O"}).id)
        other.campaign_code = "RESTOCK"
        self.assertEqual(other._have_campaign().name, "RESTOCK [2]", "made past it")
        self.start()
        self.assertEqual(self.sequence.campaign_id, archived)
        self.assertTrue(archived.active)
        other.campaign_code = "STOCK26"
        self.env.flush_all()
        self.assertEqual(other.campaign_id.name, "STOCK26 [2]")
        self.assertFalse(taken.active)

    def test_without_free_mails(self):
        """What runs has a campaign, whatever its mails are: quotations join it. So has what ran
        before there were codes."""
        self.offer()
        self.mail.campaign_id = self.env["utm.campaign"].create({"title": "Spring"})
        self.start()
        self.assertEqual(self.sequence.campaign_id.name, "RESTOCK")
        stopped = self.make_sequence(name="Stopped")
        self.env.cr.execute(
            "UPDATE nurture_sequence SET campaign_code = NULL, campaign_id = NULL WHERE id IN %s",
            [(self.sequence.id, stopped.id)],
        )
        self.env.invalidate_all()
        migration = load_script(
            file_path("lost_lead_nurture/migrations/19.0.1.3.0/post-campaign.py"), "post-campaign"
        )
        migration.migrate(self.env.cr, "19.0.1.2.0")
        self.env.invalidate_all()
        self.assertEqual(self.sequence.campaign_code, "RESTOCK")
        self.assertEqual(self.sequence.campaign_id.title, "RESTOCK")
        self.assertEqual(stopped.campaign_code, "STOPPED")
        self.assertFalse(stopped.campaign_id)

    def test_same_code_elsewhere(self):
        """Another company may have the same code: Odoo's campaigns tell the two apart."""
        other = self.env["res.company"].create({"name": "Other"})
        sequences = self.sequence | self.make_sequence(company_id=other.id)
        sequences.campaign_code = "SPRING"
        campaigns = [sequence._have_campaign() for sequence in sequences]
        self.assertEqual([one.title for one in campaigns], ["SPRING", "SPRING"])
        self.assertEqual([one.name for one in campaigns], ["SPRING", "SPRING [2]"])

    def test_of_the_mails(self):
        """Mails get the campaign when the sequence starts, unless they have one; so do their links,
        and mails that are added while it runs. Another code is another name."""
        self.offer()
        chosen = self.env["utm.campaign"].create({"title": "Spring"})
        kept = self.make_step(self.sequence, "after", self.step, 30).mailing_id
        kept.campaign_id = chosen
        self.start()
        campaign = self.sequence.campaign_id
        self.assertEqual(campaign.name, "RESTOCK")
        self.assertEqual((self.mail.campaign_id, kept.campaign_id), (campaign, chosen))
        link = self.env["link.tracker"].search([("mass_mailing_id", "=", self.mail.id)], limit=1)
        self.assertIn("utm_campaign=RESTOCK", link.redirected_url)
        added = self.make_step(self.sequence, "after", self.step, 40)
        self.assertEqual(added.mailing_id.campaign_id, campaign)
        self.sequence.with_user(self.marketer).campaign_code = "STOCK26"
        self.assertEqual((campaign.name, campaign.title), ("STOCK26", "STOCK26"))
        with self.assertRaises(UserError):
            self.sequence.with_user(self.marketer).campaign_id = chosen

    def test_of_the_quotation(self):
        """A quotation that is credited to the sequence is of its campaign, once: who takes it out,
        or chooses another, has the last word. So is its invoice."""
        self.offer()
        self.start()
        self.leave(self.mail)
        self.react(self.ann, self.mail)
        self.ann.action_restore()
        order = self.sell(self.ann, 250.0)
        self.env["nurture.outcome"]._catch_up()
        campaign = self.sequence.campaign_id
        self.assertTrue(campaign)
        self.assertEqual(order.campaign_id, campaign)
        self.assertEqual(self.bill(order).campaign_id, campaign)
        order.campaign_id = False
        order.order_line.price_unit = 240.0
        self.env["nurture.outcome"]._catch_up()
        self.assertFalse(order.campaign_id)
        chosen = self.env["utm.campaign"].create({"title": "Spring"})
        typed = self.sell(self.ann, 100.0, campaign_id=chosen.id)
        self.env["nurture.outcome"]._catch_up()
        self.assertEqual(typed.campaign_id, chosen)
        self.sequence.campaign_code = False
        later = self.sell(self.ann, 10.0)
        self.env["nurture.outcome"]._catch_up()
        self.assertFalse(later.campaign_id)
        untouched = self.sell(self.make_lead("new@recipient.example.com", lost=False), 10.0)
        self.env["nurture.outcome"]._catch_up()
        self.assertFalse(untouched.campaign_id)
