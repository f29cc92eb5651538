"""On which lawful basis somebody may be written to, and who is excluded without one."""

import io
from unittest.mock import patch

from openpyxl import load_workbook

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import Form, new_test_user, tagged

from ..common import ANN, BOB, NurtureCase, NurtureHttpCase, TwoLeadsMixin
from ..leaving import PageMixin


class BasisMixin(TwoLeadsMixin):
    def note(self, lead, basis="consent", user=None, **values):
        values = {"source": "Trade fair", "wording": "Yes, write to me.", **values}
        lead.with_user(user or self.marketer).nurture_note_basis(basis, **values)


@tagged("post_install", "-at_install")
class TestConsent(BasisMixin, NurtureCase):
    def excluded(self):
        """Which of Ann and Bob may not enter, by hand, and why."""
        return self.sequence.enrol([self.ann.id, self.bob.id])["excluded"]

    # ------------------------------------------------------------
    # THE BASIS
    # ------------------------------------------------------------

    def test_newest_counts(self):
        """The history grows, and what is valid is what was noted last."""
        self.note(self.ann, "interest")
        self.note(self.ann, "consent", user=self.salesman)
        rows = self.env["nurture.consent"].search([("email", "=", ANN)], order="id")
        self.assertEqual(rows.mapped("basis"), ["interest", "consent"])
        self.assertEqual(rows.mapped("is_current"), [False, True])
        self.assertEqual(rows[1].user_id, self.salesman)
        lead = self.ann.with_user(self.salesman)
        self.assertEqual(
            (lead.nurture_basis, lead.nurture_basis_source, lead.nurture_basis_wording),
            ("consent", "Trade fair", "Yes, write to me."),
        )
        self.assertEqual(lead.nurture_basis_date, self.clock)

    def test_contact_and_lead_are_one(self):
        """It is the address that has a basis, in whatever spelling."""
        self.note(self.ann)
        contact = self.env["res.partner"].create({"name": "Ann", "email": ANN.upper()})
        self.assertEqual(contact.with_user(self.marketer).nurture_basis, "consent")
        again = self.make_lead(f"Ann <{ANN.upper()}>")
        self.assertEqual(again.nurture_basis, "consent")
        found = self.env["crm.lead"].with_context(active_test=False)
        known = found.search([("nurture_basis", "=", "consent")])
        self.assertEqual(known & (self.ann | again | self.bob), self.ann | again)
        unknown = found.search([("nurture_basis", "=", False)])
        self.assertEqual(unknown & (self.ann | self.bob), self.bob)

    def test_withdrawn(self):
        """Whoever withdraws is blacklisted, and leaves, whatever the company has chosen."""
        self.start()
        self.note(self.ann, "withdrawn")
        self.assertEqual(self.participant(self.ann).exit_reason, "blacklisted")
        self.assertTrue(self.env["mail.blacklist"].search([("email", "=", ANN)]))

    def test_bad_input(self):
        lead = self.ann.with_user(self.marketer)
        nobody = self.make_lead(False)
        for args, message in (
            (("because", "Fair"), "is none of"),
            (("consent", " "), "where the lawful basis comes from"),
            (("consent", None), "where the lawful basis comes from"),
            (("consent", "Fair", 7), "is a text"),
        ):
            with self.assertRaisesRegex(UserError, message):
                lead.nurture_note_basis(*args)
        with self.assertRaisesRegex(UserError, "There is no email address"):
            (lead | nobody.with_user(self.marketer)).nurture_note_basis("consent", "Fair")
        self.assertFalse(self.env["nurture.consent"].search([]))

    def test_double_click(self):
        """The second of two clicks waits for the first one."""
        values = {"email": ANN, "company_id": self.company.id, "event": "requested"}
        expire_date = self.clock.replace(year=self.clock.year + 1)
        request = self.env["nurture.consent"]._note(
            [{**values, "is_pending": True, "expire_date": expire_date}]
        )
        queries = []
        execute = type(self.env.cr).execute

        def spy(cr, query, *args, **kwargs):
            queries.append(getattr(query, "code", query))
            return execute(cr, query, *args, **kwargs)

        with patch.object(type(self.env.cr), "execute", spy):
            self.assertTrue(request._confirm("https://page.example.com", "Yes"))
        locks = [query for query in queries if "nurture_consent" in query and "FOR UPDATE" in query]
        self.assertEqual(len(locks), 1)
        self.assertNotIn("SKIP LOCKED", locks[0])

    def test_dialog(self):
        wizard = Form(
            self.env["nurture.consent.note"]
            .with_user(self.salesman)
            .with_context(active_model="crm.lead", active_ids=(self.ann | self.bob).ids)
        )
        wizard.source = "A call"
        wizard.save().action_note()
        self.assertEqual((self.ann | self.bob).mapped("nurture_basis"), ["consent"] * 2)

    def test_many_at_once(self):
        leads = self.env["crm.lead"].union(*(self.make_lead(f"{n}@x.example") for n in range(20)))
        self.note(leads[0])
        with self.assertQueryCount(2):
            self.note(leads)
        self.assertEqual(set(leads.mapped("nurture_basis")), {"consent"})

    # ------------------------------------------------------------
    # WHO MAY BE WRITTEN TO
    # ------------------------------------------------------------

    def test_nobody_has_chosen(self):
        """A company that has not chosen writes to everybody, and nothing is looked up."""
        self.assertFalse(self.env["nurture.consent"]._get_choices())
        self.sequence.action_start()
        self.assertFalse(self.excluded())

    def test_excluded_without_basis(self):
        """Who has none of the bases that the company chose does not enter; all screens say why."""
        self.company.nurture_basis_customer = True
        self.company.nurture_basis_confirmed = True
        self.note(self.ann, "customer")
        self.note(self.bob, "consent")
        self.sequence.action_start()
        self.assertEqual(self.excluded(), {"no_basis": self.bob.ids})
        self.run_cron()
        self.assertTrue(self.participant(self.ann))
        self.assertFalse(self.participant(self.bob))
        explained = self.sequence.with_user(self.marketer).explain(self.bob.id)
        no = [one["label"] for one in explained["conditions"] if not one["ok"]]
        self.assertEqual(no, ["There is a lawful basis on which the company writes"])
        audience = self.sequence.with_user(self.marketer).get_audience()["excluded"]
        (row,) = (row for row in audience if row["reason"] == "no_basis")
        self.assertEqual(row["label"], "No lawful basis to write to the address")
        self.note(self.bob, "confirmed")
        self.assertFalse(self.sequence.enrol(self.bob.ids)["excluded"])

    def test_basis_ends_inside(self):
        """Before each mail it is looked at once more."""
        self.company.nurture_basis_consent = True
        self.note(self.ann)
        self.first.delay = 7
        self.start()
        self.note(self.ann, "interest")
        self.advance(days=7)
        self.assertEqual(self.trace(self.ann, self.first).reason, "no_basis")

    def test_each_company_for_itself(self):
        """What one company has chosen, and what was agreed with it, is no other's."""
        other = self.env["res.company"].create({"name": "Other Company"})
        other.nurture_basis_consent = True
        self.note(self.ann)
        abroad = self.make_lead(ANN, company_id=other.id, user_id=False, team_id=False)
        both = self.make_sequence(
            name="Both", company_id=False, user_id=self.make_marketer(self.company | other).id
        )
        self.make_step(both)
        both.entry_per = "lead"
        both.action_start()
        self.assertEqual(both.enrol([self.ann.id, abroad.id])["excluded"], {"no_basis": abroad.ids})

    def test_plain_mailing(self):
        """Mailings that somebody sends to leads keep to it, too."""
        self.company.nurture_basis_consent = True
        self.note(self.ann)
        mailing = self.make_mailing(
            "Plain",
            mailing_domain=repr(
                [("id", "in", (self.ann | self.bob).ids), ("active", "in", [True, False])]
            ),
        )
        mailing.action_send_mail()
        states = {
            trace.email: trace.trace_status
            for trace in self.env["mailing.trace"].search([("mass_mailing_id", "=", mailing.id)])
        }
        self.assertEqual(states, {ANN: "outgoing", BOB: "cancel"})

    def test_plain_mailing_to_each_address(self):
        """It is every address that is written to that needs a basis, not the lead's first one."""
        self.company.nurture_basis_consent = True
        both = self.make_lead(f"{ANN}, {BOB}")
        self.note(both)
        self.assertEqual(both.nurture_basis, "consent")
        mailing = self.make_mailing(
            "Plain", mailing_domain=repr([("id", "=", both.id), ("active", "=", False)])
        )
        mailing.action_send_mail()
        self.assertEqual(mailing.mailing_trace_ids.mapped("trace_status"), ["cancel"])
        self.note(self.bob)
        mailing = mailing.copy()
        mailing.mailing_domain = repr([("id", "=", both.id), ("active", "=", False)])
        mailing.action_send_mail()
        self.assertNotIn("cancel", mailing.mailing_trace_ids.mapped("trace_status"))

    # ------------------------------------------------------------
    # RIGHTS
    # ------------------------------------------------------------

    def test_nobody_edits_the_history(self):
        self.note(self.ann)
        row = self.env["nurture.consent"].search([])
        for user in (self.marketer, self.salesman, self.env.ref("base.user_admin")):
            mine = row.with_user(user)
            for forbidden in (
                lambda mine=mine: mine.write({"basis": "confirmed"}),
                mine.unlink,
                lambda mine=mine: mine.create(
                    {
                        "email": BOB,
                        "company_id": self.company.id,
                        "event": "confirmed",
                        "date": self.clock,
                    }
                ),
            ):
                with self.assertRaises(AccessError):
                    forbidden()

    def test_who_may_what(self):
        """A salesperson sees and notes what is of their own leads, marketers all of their
        companies, others nothing."""
        self.note(self.ann)
        mailer = new_test_user(
            self.env, "nurture_mailer", "base.group_user,mass_mailing.group_mass_mailing_user"
        )
        elsewhere = self.make_marketer(self.env["res.company"].create({"name": "Other Company"}))
        consents = self.env["nurture.consent"]
        self.assertTrue(consents.with_user(self.salesman).search([]))
        self.assertTrue(self.ann.with_user(self.salesman).get_nurture_consent_history())
        for user in (self.colleague, elsewhere):
            self.assertFalse(consents.with_user(user).search([]))
        for user in (self.colleague, elsewhere, mailer, self.employee):
            with self.subTest(user=user.login):
                lead = self.ann.with_user(user)
                for forbidden in (
                    lead.get_nurture_consent_history,
                    lead.action_view_nurture_consent,
                    lead.action_export_nurture_consent,
                    lambda lead=lead: lead.nurture_note_basis("consent", "Fair"),
                ):
                    with self.assertRaises(AccessError):
                        forbidden()
        contact = self.env["res.partner"].create({"name": "Ann", "email": ANN})
        for user in (mailer, self.employee):
            with self.assertRaises(AccessError):
                contact.with_user(user).get_nurture_consent_history()

    def test_invented_contact(self):
        """Whoever makes a contact with somebody's address learns no more than the basis: not what
        was said to whom, and not that somebody was forgotten."""
        self.note(self.ann, source="Sam, at the fair")
        self.env["mail.blacklist"]._add(ANN, message="Angry about Sam")
        spy = new_test_user(
            self.env,
            "nurture_spy",
            "base.group_user,base.group_partner_manager,sales_team.group_sale_salesman",
        )
        contact = self.env["res.partner"].with_user(spy).create({"name": "Me", "email": ANN})
        self.assertEqual(contact.nurture_basis, "consent")
        self.assertFalse(contact.nurture_basis_source or contact.nurture_basis_wording)
        history = str(contact.get_nurture_consent_history())
        self.assertNotIn("Sam", history)
        self.env["nurture.forgotten"].with_user(self.marketer)._forget_address([ANN])
        self.assertNotIn("orgotten", str(contact.get_nurture_consent_history()))
        self.assertIn(
            "orgotten", str(contact.with_user(self.marketer).get_nurture_consent_history())
        )

    def test_company_elsewhere(self):
        """What a company may do is noted by who works in it."""
        other = self.env["res.company"].create({"name": "Other Company"})
        contact = self.env["res.partner"].create(
            {"name": "Ann", "email": ANN, "company_id": other.id, "partner_share": False}
        )
        with self.assertRaisesRegex(UserError, "Other Company"):
            contact.with_context(allowed_company_ids=self.company.ids).nurture_note_basis(
                "confirmed", "Fair"
            )
        self.assertFalse(self.env["nurture.consent"].search([("company_id", "=", other.id)]))

    # ------------------------------------------------------------
    # HISTORY
    # ------------------------------------------------------------

    def test_history(self):
        """Whatever keeps it, a person's history reads as one, and exports as it reads."""
        self.note(self.ann, "consent", user=self.salesman)
        self.clock = self.clock.replace(day=3)
        contact = self.env["mailing.contact"].create({"name": "Ann", "email": ANN})
        mailing_list = self.env["mailing.list"].create({"name": "News"})
        contact.subscription_ids = [Command.create({"list_id": mailing_list.id})]
        contact.subscription_ids.opt_out = True
        self.env["mail.blacklist"]._add(ANN, message="Asked on the phone")
        self.env["mail.blacklist"]._remove(ANN)
        history = self.ann.with_user(self.marketer).get_nurture_consent_history()
        whats = [entry["what"] for entry in history]
        self.assertEqual(whats[0], "Basis noted")
        self.assertEqual(
            {
                "Basis noted": {"by": self.salesman.name, "wording": "Yes, write to me."},
                "Left a mailing list": {"source": "News"},
            },
            {
                "Basis noted": {key: history[0][key] for key in ("by", "wording")},
                "Left a mailing list": {
                    "source": history[whats.index("Left a mailing list")]["source"]
                },
            },
        )
        self.assertIn("Blacklisted", whats)
        self.assertIn("Asked on the phone", [entry["source"] for entry in history])
        content = self.ann.with_user(self.marketer)._nurture_make_consent_workbook()
        book = load_workbook(io.BytesIO(content))
        self.assertEqual(book.sheetnames, ["Today", "History"])
        self.assertEqual(
            [row[1] for row in book["History"].iter_rows(min_row=2, values_only=True)], whats
        )
        today = dict(book["Today"].iter_rows(min_row=2, values_only=True))
        self.assertEqual(today["Lawful Basis"], "Consent, not confirmed")
        page = self.env["nurture.consent.history"].browse(
            self.ann.with_user(self.salesman).action_view_nurture_consent()["res_id"]
        )
        page = page.with_user(self.salesman)
        self.assertIn("Left a mailing list", page.history)
        self.assertIn("has not chosen", page.may_write)

    # ------------------------------------------------------------
    # RETENTION
    # ------------------------------------------------------------

    def test_retention(self):
        """Journeys that ended long ago lose who it was, and nothing that is counted; nobody enters
        again who may not."""
        self.start()
        self.company.nurture_retention_months = 6
        ann, bob = self.participant(self.ann), self.participant(self.bob)
        ann.action_remove()
        before = self.sequence.with_user(self.marketer).read(["participant_count", "sent_count"])
        retention = self.env.ref("lost_lead_nurture.ir_cron_nurture_retention")
        self.clock = self.clock.replace(month=8)
        retention.method_direct_trigger()
        self.assertEqual(ann.email, ANN, "kept for six months")
        self.clock = self.clock.replace(month=10)
        retention.method_direct_trigger()
        self.env.invalidate_all()
        self.assertFalse(ann.email)
        self.assertNotIn("ann", f"{ann.lead_name} {ann.dedup_key}")
        self.assertFalse(ann.trace_ids.mailing_trace_ids.email)
        self.assertEqual(
            self.sequence.with_user(self.marketer).read(["participant_count", "sent_count"]), before
        )
        self.assertEqual(bob.email, BOB if bob.state == "running" else False)
        again = self.make_lead(ANN)
        self.assertEqual(self.sequence.enrol(again.ids)["excluded"], {"inside": again.ids})


@tagged("post_install", "-at_install")
class TestWithdrawn(PageMixin, BasisMixin, NurtureHttpCase):
    """Whoever wants no more mails has withdrawn the consent, and objected to whatever else they
    were sent on."""

    def setUp(self):
        super().setUp()
        self.company.nurture_basis_consent = self.company.nurture_basis_interest = True
        self.note(self.ann, "consent")
        self.note(self.bob, "interest")
        self.start()

    def basis(self, lead):
        self.env.invalidate_all()
        return lead.with_user(self.salesman).nurture_basis

    def history(self, lead):
        return lead.with_user(self.salesman).get_nurture_consent_history()

    def test_unsubscribed(self):
        self.fill_in(self.mail_to(ANN), "everything")
        self.assertEqual(self.basis(self.ann), "withdrawn")
        (line,) = [one for one in self.history(self.ann) if one["basis"] == "Withdrawn"]
        self.assertEqual(line["what"], "Objected to mails")
        self.assertEqual(line["source"], "Page behind the link")
        self.assertEqual(line["wording"], "Unsubscribe from all mails")
        self.assertFalse(line["by"])
        # off the blacklist is no consent
        self.env["mail.blacklist"].with_user(self.marketer)._remove(ANN)
        self.assertEqual(self.basis(self.ann), "withdrawn")
        other = self.make_sequence(name="Other")
        self.assertEqual(other._group_by_exclusion(self.ann), {"no_basis": self.ann.ids})
        self.assertEqual(self.basis(self.bob), "interest")

    def test_each_of_all(self):
        """The button of the mail program, a complaint, an answer, a call: each ends every basis,
        once, in every company."""
        other = self.env["res.company"].create({"name": "Other Company"})
        row = self.env["nurture.consent"]._note(
            [{"email": BOB, "company_id": other.id, "event": "noted", "basis": "customer"}]
        )
        path = self.path_of(self.mail_to(ANN)["List-Unsubscribe"].strip("<>"))
        self.url_open(path, data={"List-Unsubscribe": "One-Click"})
        self.assertEqual(self.basis(self.ann), "withdrawn")
        self.complain(self.mail_to(BOB))
        self.assertEqual(self.basis(self.bob), "withdrawn")
        self.assertFalse(row.is_current)
        for number, say in enumerate(
            (
                lambda lead, mail: self.answer(mail, "Unsubscribe!"),
                lambda lead, mail: (
                    self.env["nurture.preference.choose"]
                    .with_user(self.salesman)
                    .create({"lead_id": lead.id, "kind": "everything"})
                    .action_note()
                ),
            )
        ):
            lead = self.make_lead(f"carl{number}@recipient.example.com")
            self.note(lead)
            self.advance(hours=1)
            say(lead, self.mail_to(lead.email_from))
            self.assertEqual(self.basis(lead), "withdrawn")
        self.assertEqual(self.history(lead)[-1]["by"], self.salesman.name)
        ended = self.env["nurture.consent"].search([("event", "=", "objected")])
        self.assertEqual(len(ended), 5)

    def test_less_is_no_objection(self):
        """Nor is what somebody else does with the blacklist."""
        self.fill_in(self.mail_to(ANN), "fewer", number="1")
        self.env["mail.blacklist"].with_user(self.marketer)._add(BOB)
        self.assertEqual(self.basis(self.ann), "consent")
        self.assertEqual(self.basis(self.bob), "interest")

    def test_come_again(self):
        """By the own link somebody gives again what was taken back; nobody else does."""
        for address, lead in ((ANN, self.ann), (BOB, self.bob)):
            self.fill_in(self.mail_to(address), "everything")
            self.assertEqual(self.basis(lead), "withdrawn")
        self.env["nurture.preference.choose"].with_user(self.marketer).create(
            {"lead_id": self.bob.id, "kind": "return"}
        ).action_note()
        self.assertEqual(self.basis(self.bob), "withdrawn")
        self.fill_in(self.mail_to(BOB), "return")
        self.assertEqual(self.basis(self.bob), "interest")
        self.clock = self.clock.replace(day=4)
        for _time in range(2):
            self.post(self.mail_to(ANN), choice="return")
        self.assertEqual(self.basis(self.ann), "consent")
        (line,) = [one for one in self.history(self.ann) if one["what"] == "Wants mails again"]
        self.assertEqual(line["wording"], "All mails again, as before")
        self.assertEqual(self.ann.with_user(self.salesman).nurture_basis_date, self.clock)
        other = self.make_sequence(name="Other")
        self.assertEqual(other._group_by_exclusion(self.ann), {None: self.ann.ids})
        # who had no basis before gets none by it
        carl = self.make_lead("carl@recipient.example.com")
        preferences = self.env["nurture.preference"]
        preferences._choose(carl.email_normalized, "everything", "page")
        preferences._choose(carl.email_normalized, "return", "page")
        self.assertFalse(self.basis(carl))

    def test_history_has_what_was_chosen(self):
        """Each choice is in the history of the consent and in its export; whoever only has a
        contact with the address learns nothing by it."""
        reason = self.env.ref("mass_mailing.mailing_subscription_optout_data_2")
        self.fill_in(
            self.mail_to(ANN), "fewer", number="1", feedback="Too many", opt_out_reason_id=reason.id
        )
        self.clock = self.clock.replace(day=4)
        self.fill_in(self.mail_to(ANN), "pause", until=self.day(days=20))
        self.clock = self.clock.replace(day=5)
        self.complain(self.mail_to(ANN))
        history = self.history(self.ann)
        whats = [entry["what"] for entry in history]
        for what in ("Fewer mails", "A pause", "Complaint"):
            self.assertIn(what, whats)
        fewer = history[whats.index("Fewer mails")]
        self.assertEqual(fewer["wording"], "Fewer mails: at most one a month")
        self.assertEqual(fewer["source"], "Page behind the link: First")
        self.assertEqual(fewer["proof"], f"{reason.name}\nToo many")
        content = self.ann.with_user(self.salesman)._nurture_make_consent_workbook()
        rows = load_workbook(io.BytesIO(content))["History"].iter_rows(min_row=2, values_only=True)
        self.assertEqual([row[1] for row in rows], whats)
        spy = new_test_user(
            self.env,
            "nurture_spy",
            "base.group_user,base.group_partner_manager,sales_team.group_sale_salesman",
        )
        contact = self.env["res.partner"].with_user(spy).create({"name": "Me", "email": ANN})
        self.assertNotIn("Fewer mails", str(contact.get_nurture_consent_history()))
        mine = contact.with_user(self.marketer).get_nurture_consent_history()
        self.assertIn("Fewer mails", str(mine))
