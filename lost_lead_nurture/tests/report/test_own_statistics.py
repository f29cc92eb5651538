"""Whose leads statistics are of: all, or those of the salesperson who looks."""

import json

from odoo.fields import Command
from odoo.tests import tagged

from ..common import ANN, BOB, DealMixin, NurtureHttpCase

#: Statistics of the card, with the method that opens what they count; of mails, with their
#: statistic.
OPENS = {
    "participant_count": "action_view_participants",
    "running_count": "action_view_running",
    "ended_count": "action_view_ended",
    "sent_count": "sent",
    "opened_count": "opened",
    "replied_count": "replied",
    "lead_count": "action_view_leads",
    "quotation_count": "action_view_quotations",
}


@tagged("post_install", "-at_install")
class TestOwnStatistics(DealMixin, NurtureHttpCase):
    def setUp(self):
        super().setUp()
        # salespeople who may see statistics of mails and invoices, too
        for user in (self.salesman, self.colleague):
            user.group_ids = [
                Command.link(self.env.ref(group).id)
                for group in (
                    "mass_mailing.group_mass_mailing_user",
                    "account.group_account_invoice",
                )
            ]
        self.ann = self.make_lead(ANN)
        self.bob = self.make_lead(BOB, user_id=self.colleague.id)
        self.carl = self.make_lead("carl@recipient.example.com", user_id=self.colleague.id)
        self.sequence = self.make_sequence()
        self.first = self.make_step(self.sequence, subject="First")
        self.make_step(self.sequence, "after", self.first, 7, subject="Second")
        self.sequence.action_start()
        self.advance()
        for lead, number in ((self.ann, 1), (self.bob, 2)):
            self.answer(self.mail_to(lead.email_from))
            for _number in range(number):
                order = self.order(lead)
                order.user_id = lead.user_id
                self.pay(self.invoice(order))
        self.env.flush_all()

    def statistics(self, user):
        """The statistics that ``user`` sees, each with what is listed behind it."""
        self.env.invalidate_all()
        sequence = self.sequence.with_user(user)
        statistics = {}
        for name, method in OPENS.items():
            if method.startswith("action_"):
                action = getattr(sequence, method)()
            else:
                action = sequence.with_context(nurture_statistic=method).action_view_mails()
            listed = sequence.env[action["res_model"]].with_context(**action["context"])
            # as it comes from the browser
            domain = json.loads(json.dumps(action["domain"]))
            self.assertEqual(sequence[name], listed.search_count(domain), name)
            statistics[name] = sequence[name]
        return statistics

    def invoiced(self, user):
        """What was invoiced, and what the list behind it adds up to."""
        self.env.invalidate_all()
        sequence = self.sequence.with_user(user)
        action = sequence.action_view_invoices()
        invoices = self.env["account.move"].with_user(self.colleague).search(action["domain"])
        return sequence.invoiced_amount, sum(invoices.mapped("amount_untaxed"))

    def test_card_of_a_salesperson(self):
        """Each number is of own leads, and opens just what it counts."""
        self.assertTrue(self.sequence.with_user(self.salesman).is_own_only)
        own = dict.fromkeys(OPENS, 1) | {"running_count": 0}
        self.assertEqual(self.statistics(self.salesman), own)
        self.assertEqual(self.invoiced(self.salesman), (250, 250))
        self.assertEqual(
            self.statistics(self.colleague),
            {
                **dict.fromkeys(("participant_count", "sent_count", "quotation_count"), 2),
                **dict.fromkeys(("running_count", "ended_count", "lead_count"), 1),
                **dict.fromkeys(("opened_count", "replied_count"), 1),
            },
        )
        self.assertEqual(self.invoiced(self.colleague), (500, 500))

    def test_card_of_who_sees_all_leads(self):
        every = {
            **dict.fromkeys(("participant_count", "sent_count"), 3),
            **dict.fromkeys(("opened_count", "replied_count", "ended_count", "lead_count"), 2),
            "running_count": 1,
        }
        self.colleague.group_ids += self.env.ref("sales_team.group_sale_salesman_all_leads")
        for user in (self.colleague, self.marketer):
            self.assertFalse(self.sequence.with_user(user).is_own_only)
            self.env.invalidate_all()
            sequence = self.sequence.with_user(user)
            self.assertEqual({name: sequence[name] for name in every}, every)
            self.assertEqual(sequence.invoiced_amount, 750)
        self.assertEqual(self.invoiced(self.colleague), (750, 750))

    def test_chart_of_a_salesperson(self):
        self.env.invalidate_all()
        lines = json.loads(self.sequence.with_user(self.colleague).chart)
        self.assertEqual([sum(point["y"] for point in line["values"]) for line in lines], [2, 1])

    def test_workflow_of_a_salesperson(self):
        self.env.invalidate_all()
        steps = self.sequence.with_user(self.colleague).workflow["steps"]
        (card,) = (card for card in steps if card["id"] == self.first.id)
        self.assertEqual((card["mails"]["sent"], card["counts"]), (2, {"processed": 2}))
        action = self.first.with_user(self.colleague).action_view_statistic("sent")
        mails = self.env["mailing.trace"].with_user(self.colleague).search(action["domain"])
        self.assertEqual(set(mails.mapped("res_id")), set((self.bob | self.carl).ids))

    def test_workflow_without_the_right_to_read_mails(self):
        self.salesman.group_ids -= self.env.ref("mass_mailing.group_mass_mailing_user")
        self.env.invalidate_all()
        steps = self.sequence.with_user(self.salesman).workflow["steps"]
        (card,) = (card for card in steps if card["id"] == self.first.id)
        self.assertEqual(card["mails"]["sent"], 1)

    def test_lead_changes_hands(self):
        self.assertEqual(self.statistics(self.salesman)["sent_count"], 1)
        self.carl.user_id = self.salesman
        self.assertEqual(self.statistics(self.salesman)["sent_count"], 2)
        self.assertEqual(self.statistics(self.colleague)["sent_count"], 1)
