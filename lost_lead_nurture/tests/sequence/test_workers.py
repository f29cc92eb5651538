from unittest.mock import patch

from odoo.tests import tagged

from ..common import NurtureCase


@tagged("post_install", "-at_install")
class TestWorkers(NurtureCase):
    """Further scheduled actions help when there is much to do."""

    def setUp(self):
        super().setUp()
        # batches of two: eight leads make a helper worth while
        self.env["ir.config_parameter"].set_param("mail.batch_size", "2")
        self.helper = self.env.ref("lost_lead_nurture.ir_cron_nurture_2")
        self.sequence = self.make_sequence()
        self.step = self.make_step(self.sequence)

    def set_workers(self, number):
        self.env["res.config.settings"].create({"nurture_workers": str(number)}).execute()

    def make_due(self, leads):
        for number in range(leads):
            self.make_lead(f"lead{number}@recipient.example.com")
        self.sequence.action_start()
        self.sequence._enrol_matching()

    def woken(self):
        """Numbers of the helpers that the first action calls."""
        cron = type(self.env["ir.cron"])
        with (
            patch.object(cron, "_commit_progress", lambda *_args, **_kwargs: float("inf")),
            self.capture_triggers() as triggers,
        ):
            self.sequence._share_due(self.env["nurture.trace"]._due_steps(self.sequence))
        return [name[-2] for name in triggers.records.cron_id.mapped("name") if "help" in name]

    def test_one_worker_at_first(self):
        self.assertFalse(self.env["nurture.sequence"]._get_helpers())
        self.assertEqual(self.env["res.config.settings"].create({}).nurture_workers, "1")
        self.make_due(20)
        self.assertEqual(self.woken(), [])

    def test_set_workers(self):
        for number in (3, 4, 2, 1):
            self.set_workers(number)
            self.assertEqual(len(self.env["nurture.sequence"]._get_helpers()), number - 1)
            settings = self.env["res.config.settings"].create({})
            self.assertEqual(settings.nurture_workers, str(number))

    def test_other_settings_do_not_touch_a_worker(self):
        """A scheduled action at work is locked: nothing is written that stays as it is."""
        self.set_workers(2)
        with patch.object(type(self.helper), "write") as write:
            self.set_workers(2)
        write.assert_not_called()

    def test_as_many_as_have_work(self):
        self.set_workers(4)
        for due, woken in ((7, []), (8, ["2"]), (20, ["2", "3"]), (50, ["2", "3", "4"])):
            with self.subTest(due=due):
                self.env["crm.lead"].with_context(active_test=False).search(
                    [("lost_reason_id", "=", self.reason_stock.id)]
                ).unlink()
                self.make_due(due)
                self.assertEqual(self.woken(), woken)

    def test_nothing_due_wakes_nobody(self):
        self.set_workers(4)
        self.make_due(0)
        self.assertEqual(self.woken(), [])

    def test_helper_works_off_what_is_due(self):
        self.set_workers(2)
        self.make_due(5)
        self.make_lead("late@recipient.example.com")
        self.helper.method_direct_trigger()
        self.assertEqual(self.processed(), 5)
        self.assertEqual(len(self.sequence.participant_ids), 5, "entering is not its business")

    def test_helper_comes_again(self):
        self.set_workers(2)
        self.make_due(5)
        cron = type(self.env["ir.cron"])
        helping = self.env["nurture.sequence"].with_context(cron_id=self.helper.id)
        with (
            patch.object(cron, "_commit_progress", lambda *_args, **_kwargs: 0),
            self.capture_triggers("lost_lead_nurture.ir_cron_nurture_2") as triggers,
        ):
            helping._cron_help()
        self.assertEqual(self.processed(), 2)
        self.assertTrue(triggers.records)
        with self.capture_triggers("lost_lead_nurture.ir_cron_nurture_2") as triggers:
            self.helper.method_direct_trigger()
        self.assertEqual(self.processed(), 5)
        self.assertFalse(triggers.records)
