"""Results of a mailing: each button of its form opens what it counts, for whoever presses it, and
what a plain mailing won back is its own."""

from ast import literal_eval
from datetime import timedelta

from lxml import etree

from odoo.tests import new_test_user, tagged

from ..buttons import ButtonsMixin
from ..common import DealMixin, NurtureHttpCase


class MailingCase(ButtonsMixin, DealMixin, NurtureHttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        mailer = "mass_mailing.group_mass_mailing_user"
        cls.mailer = new_test_user(cls.env, "nurture_mailer", mailer)
        cls.seller = new_test_user(
            cls.env, "nurture_seller", f"sales_team.group_sale_salesman,{mailer}"
        )
        cls.chief = new_test_user(
            cls.env,
            "nurture_chief",
            f"base.group_system,sales_team.group_sale_manager,account.group_account_invoice,{mailer}",
        )

    def make_plain(self, leads, subject="Plain", **values):
        """A mailing to these lost leads, sent by hand."""
        mailing = self.make_mailing(
            subject,
            mailing_domain=repr([("id", "in", leads.ids), ("active", "in", [True, False])]),
            **values,
        )
        mailing.action_send_mail()
        self.send_mails()
        self.env.invalidate_all()
        return mailing


@tagged("post_install", "-at_install")
class TestMailingButtons(MailingCase):
    def setUp(self):
        super().setUp()
        self.leads = self.env["crm.lead"].union(
            *(self.make_lead(f"lead{number}@recipient.example.com") for number in range(7))
        )
        self.leads[6].user_id = self.colleague

    def react(self, subject):
        """Opened, clicked, answered and bounced; two did nothing, one of them a colleague's."""
        mails = [self.mail_to(lead.email_from, subject) for lead in self.leads]
        self.read_mail(mails[0])
        self.click(mails[1])
        self.click(mails[6])
        self.answer(mails[2])
        self.bounce(mails[3])

    def bring_back(self):
        """Two are won back, and buy; one of them from a colleague."""
        back = self.leads[1] | self.leads[6]
        for lead in back:
            lead.action_restore()
            self.clock += timedelta(hours=1)
            order = self.order(lead)
            order.user_id = lead.user_id
            self.pay(self.invoice(order))
        self.env.flush_all()
        self.env.invalidate_all()

    def check_all(self, mailing):
        for user in (self.marketer, self.mailer, self.seller, self.chief):
            seen = self.check_buttons(mailing, user)
            names = {name.partition(":")[0] for name in seen}
            self.assertLessEqual(
                {"Sent", "Received", "Opened", "Clicked", "Replied", "Ignored", "Bounced"}, names
            )
        return seen

    def test_plain(self):
        mailing = self.make_plain(self.leads)
        blocked = self.make_lead("blocked@recipient.example.com")
        self.env["mail.blacklist"]._add(blocked.email_normalized)
        self.react("Plain")
        self.bring_back()
        self.clock += timedelta(days=2)
        self.env.invalidate_all()
        statistics = (mailing.sent, mailing.delivered, mailing.opened, mailing.clicked)
        self.assertEqual(statistics, (7, 6, 4, 2))
        statistics = (mailing.replied, mailing.bounced, mailing.ignored, mailing.no_reaction)
        self.assertEqual(statistics, (1, 1, 2, 0))
        self.assertEqual((mailing.nurture_lead_count, mailing.nurture_quotation_count), (2, 2))
        self.assertEqual(mailing.nurture_invoiced, 500)
        self.check_all(mailing)

    def test_step(self):
        sequence = self.make_sequence()
        first = self.make_step(sequence, subject="First")
        sequence.action_start()
        self.advance()
        self.react("First")
        self.bring_back()
        mailing = first.mailing_id
        self.clock += timedelta(days=2)
        self.env.invalidate_all()
        # the one who answered was restored, too
        self.assertEqual((mailing.nurture_lead_count, mailing.nurture_quotation_count), (3, 2))
        self.assertEqual((mailing.opened, mailing.ignored), (4, 2))
        self.check_all(mailing)

    def test_early(self):
        """Minutes after the sending nobody has ignored it."""
        mailing = self.make_plain(self.leads)
        self.assertEqual((mailing.ignored, mailing.no_reaction), (0, 7))
        self.assertIn("No Reaction Yet", self.check_buttons(mailing, self.marketer))

    def test_leads_are_shown_to_who_sees_them(self):
        mailing = self.make_plain(self.leads)
        self.react("Plain")
        opened = mailing.with_user(self.marketer).action_view_opened()
        self.assertEqual(opened["res_model"], "crm.lead")
        self.assertEqual(opened["name"], "Opened")
        found = self.list_of(opened, self.marketer)
        self.assertEqual(found.ids, (self.leads[6] | self.leads[:3]).sorted().ids)
        for user in (self.mailer, self.seller):
            opened = mailing.with_user(user).action_view_opened()
            self.assertEqual((opened["res_model"], opened["name"]), ("mailing.trace", "Opened"))

    def test_order(self):
        """What came of it stands first."""
        arch = etree.fromstring(
            self.env["mailing.mailing"].with_user(self.marketer).get_view(view_type="form")["arch"]
        )
        names = [
            (
                button.get("name"),
                literal_eval(button.get("context") or "{}").get("nurture_statistic"),
            )
            for button in arch.xpath("//div[@name='button_box']/button")
        ]
        self.assertEqual(
            [statistic or name for name, statistic in names],
            [
                *("leads", "quotations", "invoices", "sent", "action_view_delivered"),
                *("action_view_opened", "action_view_clicked", "action_view_nurture_clicks"),
                "action_view_replied",
                *("ignored", "no_reaction"),
                *("action_redirect_to_leads_and_opportunities", "action_redirect_to_quotations"),
                *("action_redirect_to_invoiced", "action_view_bounced"),
                *("unsubscribed", "complained", "action_view_link_trackers"),
            ],
        )

    def test_contacts(self):
        """Mailings to others than leads, too: an archived contact is still there."""
        contact = self.env["res.partner"].create(
            {"name": "Carl", "email": "carl@recipient.example.com"}
        )
        mailing = self.make_mailing(
            "To contacts",
            "<p>Hello</p>",
            mailing_model_id=self.env["ir.model"]._get_id("res.partner"),
            mailing_domain=repr([("id", "=", contact.id)]),
        )
        mailing.action_send_mail()
        self.send_mails()
        contact.active = False
        action = mailing.with_user(self.marketer).action_view_delivered()
        self.assertEqual(self.list_of(action, self.marketer), contact)


@tagged("post_install", "-at_install")
class TestMailingCredit(MailingCase):
    def setUp(self):
        super().setUp()
        self.ann = self.make_lead("ann@recipient.example.com")
        self.bob = self.make_lead("bob@recipient.example.com")
        self.mailing = self.make_plain(self.ann | self.bob)

    def statistics(self, mailing=None):
        self.env.flush_all()
        self.env.invalidate_all()
        mailing = mailing or self.mailing
        return (
            mailing.nurture_lead_count,
            mailing.nurture_quotation_count,
            mailing.nurture_invoiced,
        )

    def sell(self, lead, **delta):
        self.clock += timedelta(**(delta or {"hours": 1}))
        return self.order(lead)

    def test_paid(self):
        """What is invoiced counts when it is paid, and what is refunded counts off."""
        self.click(self.mail_to("ann@recipient.example.com"))
        self.ann.action_restore()
        self.assertEqual(self.statistics(), (1, 0, 0))
        invoice = self.invoice(self.sell(self.ann))
        self.assertEqual(self.statistics(), (1, 1, 0))
        self.pay(invoice)
        self.assertEqual(self.statistics(), (1, 1, 250))
        refund = invoice._reverse_moves([{"invoice_date": invoice.invoice_date}])
        refund.invoice_line_ids.price_unit = 100
        refund.action_post()
        self.pay(refund)
        self.assertEqual(self.statistics(), (1, 1, 150))
        self.assertIn("150", self.mailing.nurture_invoiced_label)

    def test_refund_of_what_was_not_paid(self):
        """It comes to nothing, not to less."""
        self.click(self.mail_to("ann@recipient.example.com"))
        self.ann.action_restore()
        invoice = self.invoice(self.sell(self.ann))
        refund = invoice._reverse_moves([{"invoice_date": invoice.invoice_date}])
        refund.invoice_line_ids.price_unit = 100
        refund.action_post()
        lines = (invoice | refund).line_ids
        lines.filtered(lambda line: line.account_type == "asset_receivable").reconcile()
        self.assertEqual(invoice.payment_state, "partial")
        self.assertEqual(self.statistics(), (1, 1, 0))

    def test_won(self):
        """A lead that is won at once is won back, too; a reply is as good as a click."""
        self.answer(self.mail_to("ann@recipient.example.com"))
        self.ann.action_set_won()
        self.assertEqual(self.statistics(), (1, 0, 0))
        # what follows is not another return
        self.ann.stage_id = self.env["crm.stage"].search([("is_won", "=", False)], limit=1)
        self.ann.action_set_won()
        restored = [("lead_id", "=", self.ann.id), ("kind", "=", "restored")]
        self.assertEqual(self.env["nurture.outcome"].search_count(restored), 1)

    def test_without_a_reaction(self):
        """To open it is not enough."""
        self.read_mail(self.mail_to("ann@recipient.example.com"))
        self.ann.action_restore()
        self.bob.action_restore()
        self.sell(self.ann)
        self.assertEqual(self.statistics(), (0, 0, 0))

    def test_reaction_afterwards(self):
        self.ann.action_restore()
        self.click(self.mail_to("ann@recipient.example.com"))
        self.ann.stage_id = self.env["crm.stage"].search([("is_won", "=", False)], limit=1)
        self.assertEqual(self.statistics(), (0, 0, 0))

    def test_window(self):
        self.click(self.mail_to("ann@recipient.example.com"))
        self.click(self.mail_to("bob@recipient.example.com"))
        self.ann.action_restore()
        self.sell(self.ann, days=self.company.nurture_window_days + 1)
        self.assertEqual(self.statistics(), (1, 0, 0), "the quotation came too late")
        self.bob.action_restore()
        self.assertEqual(self.statistics(), (1, 0, 0), "the lead came too late")

    def test_last_mailing(self):
        """It is the one clicked last, not the one sent last."""
        other = self.make_plain(self.ann | self.bob, "Other")
        self.click(self.mail_to("ann@recipient.example.com", "Other"))
        self.clock += timedelta(hours=1)
        self.click(self.mail_to("ann@recipient.example.com", "Plain"))
        (self.ann | self.bob).action_restore()
        self.assertEqual(self.statistics()[0], 1)
        self.assertEqual(self.statistics(other)[0], 0)

    def test_customer(self):
        """A quotation for no opportunity is credited by its customer."""
        self.click(self.mail_to("ann@recipient.example.com"))
        self.ann.action_restore()
        order = self.sell(self.ann)
        stranger = self.sell(self.bob)
        (order | stranger).opportunity_id = False
        self.env.flush_all()
        by_customer = order.copy({"date_order": self.clock})
        self.assertEqual(self.credits_of(by_customer).mailing_id, self.mailing)
        self.assertFalse(self.credits_of(stranger.copy({"date_order": self.clock})))

    def start_sequence(self):
        self.sequence = self.make_sequence()
        self.first = self.make_step(self.sequence, subject="First")
        self.sequence.action_start()
        self.advance()

    def test_step_clicked_last(self):
        self.start_sequence()
        self.click(self.mail_to("ann@recipient.example.com", "Plain"))
        self.clock += timedelta(hours=1)
        self.click(self.mail_to("ann@recipient.example.com", "First"))
        self.ann.action_restore()
        self.sell(self.ann)
        self.assertEqual(self.statistics(), (0, 0, 0))
        self.assertEqual(self.sequence.lead_count, 1)
        self.assertEqual(self.statistics(self.first.mailing_id)[:2], (1, 1))

    def test_mailing_clicked_last(self):
        """A lead that is won back is credited once."""
        self.start_sequence()
        self.click(self.mail_to("ann@recipient.example.com", "First"))
        self.clock += timedelta(hours=1)
        self.click(self.mail_to("ann@recipient.example.com", "Plain"))
        self.ann.action_restore()
        self.sell(self.ann)
        self.assertEqual(self.statistics(), (1, 1, 0))
        self.assertEqual(self.sequence.lead_count, 0)
        self.assertEqual(self.participant(self.ann).exit_reason, "restored")
        self.assertEqual(self.statistics(self.first.mailing_id), (0, 0, 0))

    def test_order_that_brings_it_back(self):
        """In a sequence a quotation brings the lead back, thanks to the mailing clicked in."""
        self.start_sequence()
        self.click(self.mail_to("ann@recipient.example.com", "Plain"))
        self.sell(self.ann)
        self.assertEqual(self.ann.won_status, "pending")
        self.assertEqual(self.statistics(), (1, 1, 0))
        self.assertEqual((self.sequence.lead_count, self.sequence.quotation_count), (0, 0))

    def test_merged(self):
        """What brought a lead back goes on with the one that is left."""
        self.click(self.mail_to("ann@recipient.example.com"))
        self.ann.action_restore()
        other = self.make_lead("ann@recipient.example.com", lost=False)
        left = (self.ann | other).merge_opportunity()
        self.assertEqual(self.statistics()[0], 1)
        credits_ = self.env["nurture.credit"].search([("lead_id", "=", left.id)])
        self.assertEqual(credits_.mailing_id, self.mailing)

    def test_cost(self):
        """A hundred leads that are won back ask no more than one."""
        leads = self.env["crm.lead"].union(
            *(self.make_lead(f"no{number}@recipient.example.com") for number in range(20))
        )
        self.env.flush_all()
        outcomes = self.env["nurture.outcome"]

        def queries(some):
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            outcomes._note_restored(dict.fromkeys(some, self.reason_stock))
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        self.assertEqual(queries(leads), queries(leads[0]))
