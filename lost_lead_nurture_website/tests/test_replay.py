from datetime import timedelta

from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.lost_lead_nurture.tests.common import ANN, NOW, NurtureCase, SequenceMixin
from odoo.addons.lost_lead_nurture.tests.replays import ReplayMixin


@tagged("post_install", "-at_install")
class TestReplay(ReplayMixin, SequenceMixin, NurtureCase):
    """A replay knows which pages had been looked at on a day."""

    def test_enters_as_it_looked(self):
        self.sequence.write({"entry": "visit", "entry_url": "/prices", "entry_past_days": 0})
        self.clock = NOW - timedelta(days=50)
        lead = self.make_lead(ANN)
        self.env.flush_all()
        self.env["website.visitor"].create(
            {
                "access_token": "a" * 32,
                "lead_ids": lead.ids,
                "website_track_ids": [
                    Command.create(
                        {
                            "url": "https://shop.example.com/prices",
                            "visit_datetime": NOW - timedelta(days=20),
                        }
                    )
                ],
            }
        )
        self.clock = NOW
        replay = self.sequence.with_user(self.marketer)._replay(1, "nobody")
        while replay.state != "done":
            replay.action_go_on()
        self.assertEqual(replay.entry_ids.lead_id, lead)
        self.assertLess((NOW - replay.entry_ids.date).days, 21)
