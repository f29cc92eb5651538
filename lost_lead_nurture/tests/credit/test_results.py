"""Statistics: what the smart buttons count, and that each opens the list it counts."""

from ast import literal_eval
from datetime import timedelta

from lxml import etree

from odoo.tests import new_test_user, tagged

from ..common import DealMixin, NurtureHttpCase


@tagged("post_install", "-at_install")
class TestResults(DealMixin, NurtureHttpCase):
    def setUp(self):
        super().setUp()
        self.leads = [self.make_lead(f"lead{number}@recipient.example.com") for number in range(6)]
        self.sequence = self.make_sequence()
        self.first = self.make_step(self.sequence, subject="First")
        self.second = self.make_step(self.sequence, "after", self.first, 7, subject="Second")
        self.sequence.action_start()
        self.advance()
        mails = [self.mail_to(f"lead{number}@recipient.example.com") for number in range(6)]
        self.read_mail(mails[0])
        self.click(mails[1])
        self.answer(mails[2])
        self.bounce(mails[3])
        self.advance(days=7)

    def list_of(self, record, method, **context):
        action = getattr(record.with_context(**context), method)()
        model = self.env[action["res_model"]].with_context(active_test=False)
        return model.search(action["domain"])

    def test_mails_of_the_sequence(self):
        # the answer and the bounce ended two journeys: four leads got the second mail
        statistics = {
            "sent": 10,
            "delivered": 9,
            "opened": 3,
            "clicked": 1,
            "replied": 1,
            "ignored": 2,
            "no_reaction": 4,
            "bounced": 1,
        }
        for statistic, count in statistics.items():
            with self.subTest(statistic):
                self.assertEqual(self.sequence[f"{statistic}_count"], count)
                mails = self.list_of(
                    self.sequence, "action_view_mails", nurture_statistic=statistic
                )
                self.assertEqual(len(mails), count)
                self.assertEqual(mails._name, "mailing.trace")
        self.assertAlmostEqual(self.sequence.opened_ratio, 100 * 3 / 9)
        self.assertEqual(self.sequence.participant_count, 6)
        self.assertEqual(len(self.list_of(self.sequence, "action_view_participants")), 6)

    def test_every_number_opens_what_it_counts(self):
        """Each number in a button of the overview and the forms, for whoever sees it."""
        self.leads[1].action_restore()
        self.leads[5].user_id = self.colleague
        order = self.order(self.leads[2])
        self.pay(self.invoice(order))
        buyer = order.partner_id
        self.order(self.leads[1]).user_id = self.salesman
        self.make_lead("new@recipient.example.com")
        self.advance()
        everything = new_test_user(
            self.env,
            "nurture_everything",
            "lost_lead_nurture.group_user,sales_team.group_sale_manager,"
            "account.group_account_invoice",
        )
        preset = self.env["nurture.preset"].create(
            {"name": "Stock", "lost_reason_ids": self.reason_stock.ids}
        )
        seen = set()
        for user in (everything, self.marketer, self.salesman):
            for record, view_type in (
                (self.sequence, "form"),
                (self.sequence, "kanban"),
                (self.reason_stock, "form"),
                (preset, "form"),
                (self.leads[2], "form"),
                (buyer, "form"),
                (self.first, "form"),
            ):
                if not record.with_user(user).has_access("read"):
                    continue
                for button, number in self.numbers_of(record.with_user(user), view_type):
                    is_core = record._name in ("crm.lead", "res.partner")
                    if is_core and button.get("name") != "action_view_nurture_results":
                        # core's own buttons, and where the lead stands
                        continue
                    with self.subTest(user=user.login, view=view_type, button=button, of=number):
                        self.check_number(record.with_user(user), button, number)
                        seen.add((record._name, view_type, number))
        numbers = {number for name, view, number in seen if name == "nurture.sequence"}
        for name in ("crm.lead", "res.partner", "nurture.step"):
            shown = {number for model, _view, number in seen if model == name}
            self.assertLessEqual({"nurture_quotation_count", "nurture_invoiced_label"}, shown)
        self.assertLessEqual(
            {"participant_count", "sent_count", "ended_count", "coming", "quotation_count"}, numbers
        )

    def numbers_of(self, record, view_type):
        """Buttons of a view, each with the number in it."""
        arch = etree.fromstring(record.get_view(view_type=view_type)["arch"])
        for button in arch.iter("button"):
            fields = [node.get("name") for node in button.iter("field")]
            if fields and button.get("type") == "object":
                yield button, fields[0]

    def check_number(self, record, button, number):
        self.env.invalidate_all()
        context = literal_eval(button.get("context") or "{}")
        number = {
            "coming": "coming_count",
            "invoiced_label": "invoiced_amount",
            "nurture_invoiced_label": "nurture_invoiced",
        }.get(number, number.replace("_ratio", "_count"))
        action = getattr(record.with_context(**context), button.get("name"))()
        if action["type"] == "ir.actions.client":
            # nothing of it is for the user
            said = "0 of" if record[number] else "none yet"
            self.assertIn(said, action["params"]["message"])
            return
        context = (
            literal_eval(action["context"] or "{}")
            if isinstance(action["context"], str)
            else action["context"]
        )
        listed = (
            self.env[action["res_model"]]
            .with_user(record.env.user)
            .with_context(**context)
            .search(action["domain"])
        )
        expected = record[number]
        if "are yours to see" in action["name"]:
            self.assertIn(f"{len(listed)} of ", action["name"])
            return
        if record._fields[number].type == "monetary":
            amount = {
                "account.move": "amount_untaxed_signed",
                "nurture.credit": {"discount_granted": "discount", "margin": "margin"}.get(
                    number, "company_amount"
                ),
            }.get(listed._name, "expected_revenue")
            self.assertAlmostEqual(sum(listed.sudo().mapped(amount)), expected)
        else:
            self.assertEqual(len(listed), expected)

    def test_mails_of_the_mailing(self):
        mailing = self.first.mailing_id
        self.assertEqual((mailing.sent, mailing.ignored), (6, 2))
        for statistic, count in (("sent", 6), ("ignored", 2), ("clicked", 1)):
            mails = self.list_of(mailing, "action_view_nurture_mails", nurture_statistic=statistic)
            self.assertEqual(len(mails), count, statistic)

    def test_leads(self):
        """A lead that is won back keeps its UTM source: the sequence is credited all the same."""
        self.leads[1].action_restore()
        won_back = self.leads[1] | self.leads[2]
        self.assertEqual(self.sequence.lead_count, 2)
        self.assertEqual(self.list_of(self.sequence, "action_view_leads"), won_back)
        mailing = self.first.mailing_id
        mailing.invalidate_recordset()
        self.assertEqual(mailing.nurture_lead_count, 2, "one replied to it, one clicked in it")
        self.assertEqual(
            self.list_of(mailing, "action_view_nurture_results", nurture_statistic="leads"),
            won_back,
        )
        self.assertEqual(self.second.mailing_id.nurture_lead_count, 0)

    def test_leads_credited_to_the_last_touch(self):
        """Who clicked is won back by that mail, whatever was sent since; who only opened, or only
        got mails, is not won back by them."""
        for lead, step in (
            (self.leads[1], self.first),
            (self.leads[0], None),
            (self.leads[4], None),
        ):
            lead.action_set_won()
            self.assertEqual(self.participant(lead).exit_reason, "won")
            self.assertEqual(self.participant(lead).credited_step_id, step or self.first.browse())

    def test_a_marketer_counts_quotations_of_others(self):
        """Who also sells, and sees own documents only, is shown why the list is shorter."""
        self.order(self.leads[1]).user_id = self.colleague
        self.marketer.group_ids += self.env.ref("sales_team.group_sale_salesman")
        mine = self.order(self.leads[2])
        mine.user_id = self.marketer
        sequence = self.sequence.with_user(self.marketer)
        self.assertEqual(sequence.quotation_count, 2)
        action = sequence.action_view_quotations()
        self.assertIn("1 of 2", action["name"])
        self.assertEqual(
            self.env["sale.order"].with_user(self.marketer).search(action["domain"]), mine
        )

    def test_quotations_and_invoiced(self):
        order = self.order(self.leads[2])
        stranger = self.order(self.make_lead("stranger@recipient.example.com", lost=False))
        participant = self.participant(self.leads[2])
        self.assertEqual(self.journey_of(order), participant)
        self.assertFalse(self.journey_of(stranger))
        mailing = self.first.mailing_id
        self.assertEqual(self.sequence.quotation_count, 1)
        self.assertEqual(mailing.nurture_quotation_count, 1)
        self.assertEqual(self.list_of(self.sequence, "action_view_quotations"), order)
        self.assertEqual(
            self.list_of(mailing, "action_view_nurture_results", nurture_statistic="quotations"),
            order,
        )
        invoice = self.invoice(order)
        self.sequence.invalidate_recordset()
        self.assertEqual(self.sequence.invoiced_amount, 0, "invoiced is what was paid")
        self.pay(invoice)
        self.env.invalidate_all()
        self.assertEqual(self.sequence.invoiced_amount, 250)
        self.assertIn("250", self.sequence.invoiced_label)
        self.assertEqual(mailing.nurture_invoiced, 250)
        self.assertEqual(self.list_of(self.sequence, "action_view_invoices"), invoice)
        self.assertEqual(
            self.list_of(mailing, "action_view_nurture_results", nurture_statistic="invoices"),
            invoice,
        )
        self.assertEqual(self.second.mailing_id.nurture_quotation_count, 0)
        self.assertEqual(self.reason_stock.nurture_won_back_revenue, 250)
        self.assertEqual(self.list_of(self.reason_stock, "action_nurture_invoices"), invoice)
        self.assertEqual(self.reason_price.nurture_won_back_revenue, 0)

    def test_credit_note(self):
        """An unpaid invoice that is credited comes to nothing, not to less."""
        invoice = self.invoice(self.order(self.leads[2]))
        wizard = self.env["account.move.reversal"].with_context(
            active_model="account.move", active_ids=invoice.ids
        )
        reversal = wizard.create({"journal_id": invoice.journal_id.id})
        reversal.modify_moves()
        self.assertEqual(self.sequence.invoiced_amount, 0)

    def test_invoice_of_several_orders(self):
        """Only the credited order's part of an invoice counts."""
        order = self.order(self.leads[2])
        stranger = self.make_lead("stranger@recipient.example.com", lost=False)
        other = order.copy({"opportunity_id": stranger.id})
        # another customer, on the same invoice
        customer = self.env["res.partner"].create({"name": "Stranger"})
        other.partner_id = customer
        other.partner_invoice_id = order.partner_invoice_id
        other.partner_shipping_id = order.partner_shipping_id
        (order | other).action_confirm()
        invoice = (order | other)._create_invoices()
        self.assertEqual(len(invoice), 1)
        invoice.action_post()
        self.pay(invoice)
        self.env.invalidate_all()
        self.assertEqual(self.sequence.invoiced_amount, 250)

    def test_bounce_after_a_reply(self):
        """What the recipient did is not undone by what a server says later."""
        message = self.mail_to("lead1@recipient.example.com", "First")
        self.bounce(message)
        self.assertEqual(self.sequence.clicked_count, 1)
        self.assertEqual(self.sequence.opened_count, 3)

    def test_quotation_after_the_window(self):
        self.clock += timedelta(days=self.sequence.window_days)
        self.assertFalse(self.journey_of(self.order(self.leads[2])))

    def test_lead_credit_ends_with_the_window(self):
        self.sequence.window_days = 10
        self.assertEqual(self.participant(self.leads[5]).state, "completed")
        self.advance(days=11)
        self.leads[5].action_restore()
        self.assertFalse(self.participant(self.leads[5]).won_back_date)

    def test_step_counts(self):
        self.assertEqual(self.first.processed_count, 6)
        self.assertEqual(self.second.processed_count, 4)
        self.assertEqual(self.second.scheduled_count, 0)
