"""Requests as people and bots make them, and what has to come of them."""

import re
from datetime import timedelta

from .common import ANN, BOB, TWO_LINKS, NurtureHttpCase


class BotCase(NurtureHttpCase):
    def setUp(self):
        super().setUp()
        self.env["ir.config_parameter"].set_param("lost_lead_nurture.honeypot", True)
        self.ann = self.make_lead(ANN)
        self.bob = self.make_lead(BOB)
        self.sequence = self.make_sequence()
        self.first = self.make_step(
            self.sequence, mailing_id=self.make_mailing("First", TWO_LINKS).id
        )
        self.opened = self.make_step(self.sequence, "mail_open", self.first, 1, "hours")
        self.clicked = self.make_step(self.sequence, "mail_click", self.first, 1, "hours")
        self.ignored = self.make_step(self.sequence, "mail_ignored", self.first, 9)

    def start(self, **delta):
        """Send the first mail, and let time pass."""
        self.sequence.action_start()
        self.advance()
        self.clock += timedelta(**(delta or {"minutes": 5}))
        self.mail = self.mail_to(ANN, "First")
        self.mailing_trace = self.trace(self.ann, self.first).mailing_trace_ids

    def honeypot_of(self, message):
        return re.findall(r'href="([^"]+/nurture/t/[^"]+)"', self.html_of(message))[0]

    def assertPerson(self, *events, clicks=1):  # noqa: N802
        """What happened to Ann's mail, for core and for the sequence."""
        self.assertEqual(bool(self.mailing_trace.open_datetime), "open" in events)
        self.assertEqual(bool(self.mailing_trace.links_click_datetime), "click" in events)
        self.assertEqual(
            len(self.mailing_trace.links_click_ids), clicks if "click" in events else 0
        )
        for event, step in (("open", self.opened), ("click", self.clicked)):
            state = "scheduled" if event in events else "waiting"
            self.assertEqual(self.trace(self.ann, step).state, state, event)
        self.assertEqual(
            self.trace(self.ann, self.ignored).state, "cancelled" if events else "scheduled"
        )
        statistics = (self.sequence.opened_count, self.sequence.clicked_count)
        self.assertEqual(statistics, (int("open" in events), int("click" in events)))

    def assertBot(self, reason):  # noqa: N802
        self.believe()
        self.assertPerson()
        self.assertEqual(self.mailing_trace.nurture_bot_reason, reason)
        self.assertTrue(self.mailing_trace.nurture_bot_date)
