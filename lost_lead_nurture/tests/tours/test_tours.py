"""What people click: in a real browser, as marketer and as salesperson."""

from odoo.tests import tagged
from odoo.tools import mute_logger

from ...wizard import nurture_replay
from ..common import DrawMixin, NurtureHttpCase, RealClockMixin


@tagged("post_install", "-at_install")
class TestTours(DrawMixin, RealClockMixin, NurtureHttpCase):
    def test_marketer(self):
        lead = self.make_lead("tour@recipient.example.com")
        preset = self.env["nurture.preset"].create(
            {"name": "Tour preset", "lost_reason_ids": self.reason_stock.ids}
        )
        for subject in ("Tour mail one", "Tour mail two"):
            self.make_mailing(subject)
        self.start_tour("/odoo", "nurture_sequence_tour", login=self.marketer.login)
        participant = self.participant(lead)
        self.assertEqual(participant.sequence_id.preset_id, preset)
        self.assertEqual(participant.trace_ids.mapped("state"), ["processed", "waiting"])

    def test_workflow(self):
        lead = self.make_lead("tour@recipient.example.com")
        self.env["nurture.preset"].create(
            {"name": "Tour preset", "lost_reason_ids": self.reason_stock.ids}
        )
        for subject in ("Still there", "Last chance", "Did you see it"):
            self.make_mailing(subject)
        with mute_logger("odoo.http"):  # it tries what is refused
            self.start_tour("/odoo", "nurture_workflow_tour", login=self.marketer.login)
        sequence = self.participant(lead).sequence_id
        self.assertEqual(
            [
                (step.name, step.parent_id.name, step.trigger, step.delay, step.delay_unit)
                for step in sequence.step_ids.sorted("name")
            ],
            [
                ("Did you see it", "It is back", "mail_not_open", 4, "days"),
                ("It is back", False, "begin", 0, "days"),
                ("Last chance", "Still there", "after", 7, "days"),
                ("Still there", "It is back", "after", 7, "days"),
            ],
        )
        self.assertEqual(sequence.state, "running")

    def test_replay(self):
        self.make_lead("tour@recipient.example.com")
        self.env.cr.execute(
            "UPDATE crm_lead SET date_closed = date_closed - interval '20 days',"
            " create_date = create_date - interval '50 days'"
            " WHERE email_from = 'tour@recipient.example.com'"
        )
        self.env["nurture.reason.history"].search([]).unlink()
        sequence = self.make_sequence()
        first = self.make_step(sequence, subject="First")
        self.make_step(sequence, "after", first, 7)
        self.patch(nurture_replay, "PART_SECONDS", 1)
        self.start_tour("/odoo", "nurture_replay_tour", login=self.marketer.login)
        self.assertEqual(sequence.state, "draft")
        self.assertFalse(sequence.participant_ids)

    def test_salesperson(self):
        self.make_lead("own@recipient.example.com")
        self.make_lead("other@recipient.example.com", user_id=self.colleague.id)
        sequence = self.make_sequence()
        first = self.make_step(sequence, subject="First")
        self.make_step(sequence, "after", first, 7)
        sequence.action_start()
        self.run_cron()
        self.start_tour("/odoo", "nurture_salesperson_tour", login=self.salesman.login)

    def test_onboarding(self):
        """What a new user is shown: from the list of sequences to one that runs."""
        self.company.website = "https://www.test.example.com"
        self.make_lead("tour@recipient.example.com")
        before = self.env["nurture.sequence"].search([])
        self.start_tour("/odoo/nurture-sequences", "nurture_tour", login=self.marketer.login)
        sequence = self.env["nurture.sequence"].search([]) - before
        self.assertEqual((sequence.state, sequence.user_id), ("running", self.marketer))
        self.assertTrue(
            self.env["web_tour.tour"].with_user(self.marketer).get_tour_json_by_name("nurture_tour")
        )

    def test_overview(self):
        """From a number of a card to what it counts; calendar, analysis and links."""
        for number in range(3):
            self.make_lead(f"tour{number}@recipient.example.com")
        sequence = self.make_sequence(name="Tour overview")
        first = self.make_step(sequence, subject="First")
        self.make_step(sequence, "after", first, 1, subject="Second")
        sequence.action_start()
        self.run_cron()
        self.send_mails()
        self.start_tour("/odoo", "nurture_overview_tour", login=self.marketer.login)

    def test_overview_of_a_salesperson(self):
        self.make_lead("own@recipient.example.com")
        self.make_lead("other@recipient.example.com", user_id=self.colleague.id)
        sequence = self.make_sequence(name="Tour overview")
        first = self.make_step(sequence, subject="First")
        self.make_step(sequence, "after", first, 1, subject="Second")
        sequence.action_start()
        self.run_cron()
        self.send_mails()
        self.start_tour(
            "/odoo/nurture-sequences", "nurture_own_overview_tour", login=self.salesman.login
        )

    def test_gallery(self):
        """From New over a card and the dialog to a sequence that runs."""
        self.company.website = "https://www.test.example.com"
        lead = self.make_lead("tour@recipient.example.com")
        restock = self.env.ref("lost_lead_nurture.template_restock")
        restock.template_reason_ids = self.reason_stock
        self.start_tour("/odoo", "nurture_gallery_tour", login=self.marketer.login)
        sequence = self.participant(lead).sequence_id
        self.assertEqual((sequence.name, sequence.state), ("Tour restock", "running"))
        self.assertEqual(sequence.preset_id.lost_reason_ids, self.reason_stock)

    def test_lost_reason(self):
        """From a lost reason and its statistics to a sequence for it."""
        self.make_lead("tour@recipient.example.com")
        self.env.ref("lost_lead_nurture.template_restock").template_reason_ids = self.reason_stock
        self.start_tour("/odoo", "nurture_lost_reason_tour", login=self.marketer.login)
        sequence = self.env["nurture.sequence"].search([("name", "=", "Back in Stock")])
        self.assertEqual(sequence.preset_id.lost_reason_ids, self.reason_stock)
        self.assertEqual(sequence.state, "draft")

    def test_own_template(self):
        """A sequence is saved as template, found in the gallery, previewed and deleted."""
        sequence = self.make_sequence(name="Tour own")
        self.make_step(sequence, subject="Own mail")
        self.start_tour(
            f"/odoo/nurture-sequences/{sequence.id}",
            "nurture_own_template_tour",
            login=self.marketer.login,
        )
        templates = self.env["nurture.sequence"].with_context(active_test=False)
        self.assertFalse(templates.search([("template_name", "=", "Tour template")]))
        self.assertTrue(sequence.exists())

    def test_versions(self):
        """A version is added and comes later, both are sent, and one is chosen."""
        sequence = self.make_sequence(name="Tour versions")
        first = self.first = self.make_step(sequence, subject="First")
        page = f"/odoo/nurture-sequences/{sequence.id}"
        self.start_tour(page, "nurture_add_version_tour", login=self.marketer.login)
        self.assertEqual(first.variant_ids.mapped("delay"), [3])
        self.make_leads(2)
        sequence.action_start()
        self.run_cron()
        self.advance(days=3)
        mails = self.env["mailing.trace"].search(
            [("mass_mailing_id", "in", first._get_mailings().ids)]
        )
        mails.set_sent()
        mails.filtered(lambda mail: mail.mass_mailing_id != first.mailing_id).set_clicked()
        self.start_tour(page, "nurture_choose_version_tour", login=self.marketer.login)
        self.assertEqual((first.ab_winner, first.ab_reason), ("B", "by_hand"))
