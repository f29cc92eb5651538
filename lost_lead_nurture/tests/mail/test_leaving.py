"""Recipients who have had enough: what is kept, and what follows at once."""

from odoo.tests import tagged

from ..common import ANN, BOB, NurtureHttpCase, SecondStepMixin, TwoLeadsMixin


class LeavingCase(SecondStepMixin, TwoLeadsMixin, NurtureHttpCase):
    def setUp(self):
        super().setUp()
        self.sequence.action_start()
        self.advance()
        self.mail = self.mail_to(ANN)

    def mailing_trace(self, lead=None):
        return self.trace(lead or self.ann, self.first).mailing_trace_ids

    def only(self, lead):
        """The filter of a mailing to this lead, which is lost."""
        return repr([("id", "=", lead.id), ("active", "=", False)])

    def texts(self):
        return [str(entry["text"]) for entry in self.participant(self.ann).timeline["entries"]]


@tagged("post_install", "-at_install")
class TestUnsubscribed(LeavingCase):
    def test_statistic(self):
        """The mail knows that somebody unsubscribed in it, and the timeline says so."""
        self.unsubscribe(self.mail)
        self.assertEqual(self.mailing_trace().nurture_unsubscribe_date, self.clock)
        self.assertFalse(self.mailing_trace(self.bob).nurture_unsubscribe_date)
        self.assertEqual(self.sequence.unsubscribed_count, 1)
        self.assertEqual(self.participant(self.ann).exit_reason, "unsubscribed")
        self.assertTrue(any("Unsubscribed in" in text for text in self.texts()))

    def test_list(self):
        """The button opens who did."""
        self.unsubscribe(self.mail)
        action = self.sequence.with_context(nurture_statistic="unsubscribed").action_view_mails()
        found = self.env[action["res_model"]].with_context(active_test=False)
        self.assertEqual(found.search_count(action["domain"]), 1)

    def test_one_click(self):
        """Mail programs post to the address of the header (RFC 8058), more than once if they like:
        the first time counts."""
        link = self.mail["List-Unsubscribe"].strip("<>")
        path = link.partition("://")[2].partition("/")[2]
        first = self.clock
        for _time in range(2):
            response = self.url_open(f"/{path}", data={"List-Unsubscribe": "One-Click"})
            self.assertEqual(response.status_code, 200)
            self.clock = self.clock.replace(hour=23)
        self.env.invalidate_all()
        self.assertEqual(self.mailing_trace().nurture_unsubscribe_date, first)

    def test_plain_mailing(self):
        mailing = self.make_mailing("Offer", mailing_domain=self.only(self.bob))
        self.catcher.clear()
        mailing.action_send_mail()
        self.env["mail.mail"].process_email_queue()
        self.unsubscribe(self.mail_to(BOB))
        self.assertEqual((mailing.unsubscribed, mailing.nurture_unsubscribed_ratio), (1, 100))
        # of the sequence as well, which he leaves, but in none of its mails
        self.assertEqual(self.participant(self.bob).exit_reason, "unsubscribed")
        self.assertEqual(self.sequence.unsubscribed_count, 0)


@tagged("post_install", "-at_install")
class TestComplained(LeavingCase):
    def test_leaves(self):
        """Whoever calls a mail spam is out, of everything: it is no bounce."""
        self.complain(self.mail)
        trace = self.mailing_trace()
        self.assertEqual(trace.nurture_complaint_date, self.clock)
        self.assertEqual(trace.trace_status, "sent")
        self.assertFalse(self.ann.message_bounce)
        self.assertEqual(self.participant(self.ann).exit_reason, "complained")
        self.assertEqual(self.env["mail.blacklist"].search([("email", "=", ANN)]).email, ANN)
        self.assertEqual((self.sequence.complained_count, self.sequence.bounced_count), (1, 0))
        self.assertTrue(any("spam" in text for text in self.texts()))
        self.assertEqual(self.participant(self.bob).state, "running")
        self.catcher.clear()
        self.advance(days=8)
        self.assertFalse(self.mails_to(ANN))
        self.mail_to(BOB)

    def test_in_spite_of_the_switch(self):
        """A sequence that lets blacklisted people stay does not let them who complained."""
        self.sequence.exit_on_blacklisted = False
        self.complain(self.mail)
        self.assertEqual(self.participant(self.ann).exit_reason, "complained")

    def test_twice(self):
        self.complain(self.mail)
        first = self.clock
        self.clock = self.clock.replace(hour=23)
        self.complain(self.mail)
        self.assertEqual(self.mailing_trace().nurture_complaint_date, first)

    def test_forged(self):
        """Anybody can write a report: an address in it is no proof. Somebody has to read it, and
        nobody is blamed."""
        leads = self.env["crm.lead"].with_context(active_test=False).search_count([])
        del self.mail["Message-ID"]
        self.complain(self.mail, recipient=ANN)
        self.assertFalse(self.mailing_trace().nurture_complaint_date)
        self.assertFalse(self.env["mail.blacklist"].search([("email", "=", ANN)]))
        self.assertEqual(self.participant(self.ann).state, "running")
        self.assertEqual(
            self.env["crm.lead"].with_context(active_test=False).search_count([]), leads
        )

    def test_taken_back(self):
        """“Not spam” is no complaint."""
        self.complain(self.mail, kind="not-spam")
        self.assertFalse(self.mailing_trace().nurture_complaint_date)
        self.assertEqual(self.participant(self.ann).state, "running")

    def test_plain_mailing(self):
        mailing = self.make_mailing("Offer", mailing_domain=self.only(self.bob))
        self.catcher.clear()
        mailing.action_send_mail()
        self.env["mail.mail"].process_email_queue()
        self.complain(self.mail_to(BOB))
        self.assertEqual((mailing.complained, mailing.bounced), (1, 0))
        self.assertEqual(self.participant(self.bob).exit_reason, "complained")
