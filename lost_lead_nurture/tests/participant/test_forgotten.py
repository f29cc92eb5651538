"""Somebody who asked to be forgotten is not written to again, by whatever sequence, unless a person
lets them in."""

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from ..common import ANN, BOB, NurtureHttpCase


@tagged("post_install", "-at_install")
class TestForgotten(NurtureHttpCase):
    def setUp(self):
        super().setUp()
        self.sequence = self.make_sequence()
        self.first = self.make_step(self.sequence, subject="First")
        self.make_step(self.sequence, "after", self.first, 7, subject="Second")
        self.ann = self.make_lead(ANN)
        self.sequence.action_start()
        self.advance()

    def forget(self, lead=None):
        here = self.participant(lead or self.ann) & self.sequence.participant_ids
        here.with_user(self.marketer).action_forget()
        self.catcher.clear()

    def make_other(self, **values):
        other = self.make_sequence(name="Other", **values)
        self.make_step(other, subject="Other")
        other.action_start()
        return other

    def let_in(self, address, user=None):
        wizard = Form(self.env["nurture.let.in"].with_user(user or self.marketer))
        wizard.address = address
        return wizard.save().action_let_in()

    # ------------------------------------------------------------
    # OUT
    # ------------------------------------------------------------

    def test_another_lead(self):
        """Neither this sequence nor another takes the address again, automatically or by hand, per
        address or per lead; all screens say why."""
        self.forget()
        again = self.make_lead(ANN.upper())
        other = self.make_other(entry_per="lead")
        self.advance(hours=2)
        self.assertFalse(self.catcher.messages)
        for sequence in (self.sequence, other):
            with self.subTest(sequence=sequence.name):
                self.assertEqual(
                    sequence.enrol(again.ids),
                    {"entered": [], "excluded": {"forgotten": again.ids}, "unknown": []},
                )
                explained = sequence.with_user(self.marketer).explain(again.id)
                self.assertFalse(explained["enters"])
                no = [one["label"] for one in explained["conditions"] if not one["ok"]]
                self.assertEqual(no, ["Nobody with this address has asked to be forgotten"])
        (row,) = (
            row
            for row in other.with_user(self.marketer).get_audience()["excluded"]
            if row["reason"] == "forgotten"
        )
        self.assertEqual(row["label"], "Asked to be forgotten")
        wizard = Form(
            self.env["nurture.enrol"]
            .with_user(self.salesman)
            .with_context(active_model="crm.lead", active_ids=again.ids)
        )
        wizard.sequence_id = other
        self.assertFalse(wizard.can_enter)
        dry_run = self.env["nurture.dry.run"].browse(other.action_dry_run()["res_id"])
        self.assertIn("forgotten", dry_run.line_ids.mapped("reason"))
        self.assertFalse(again.nurture_possible)

    def test_others_stay(self):
        self.forget()
        bob = self.make_lead(BOB)
        self.advance()
        self.assertTrue(self.participant(bob))
        self.assertEqual(len(self.mails_to(BOB)), 1)

    def test_running_elsewhere(self):
        """Whoever is in other sequences leaves them at once, mails in the queue included."""
        other = self.make_other(entry="manual")
        other.enrol(self.ann.ids)
        self.run_cron()
        elsewhere = other.participant_ids
        self.forget()
        self.assertEqual((elsewhere.state, elsewhere.exit_reason), ("exited", "forgotten"))
        self.send_mails()
        self.assertFalse(self.catcher.messages)

    def test_lead_gets_the_address(self):
        """A lead inside whose address becomes a forgotten one leaves before its next mail."""
        bob = self.make_lead(BOB)
        self.advance()
        self.forget()
        bob.email_from = ANN
        self.advance(days=7)
        self.assertEqual(self.participant(bob).exit_reason, "forgotten")
        self.assertFalse(self.catcher.messages)

    def test_both_addresses(self):
        """The address at entry and that of today are one person's."""
        self.ann.email_from = BOB
        self.advance(days=7)
        self.assertEqual(len(self.mails_to(BOB, "Second")), 1)
        self.forget()
        for address in (ANN, BOB):
            again = self.make_lead(address)
            self.assertEqual(self.sequence.enrol(again.ids)["excluded"], {"forgotten": again.ids})

    def test_spellings(self):
        lead = self.make_lead("info@bücher.example")
        self.advance()
        self.forget(lead)
        again = self.make_lead("info@xn--bcher-kva.example")
        self.assertEqual(self.sequence.enrol(again.ids)["excluded"], {"forgotten": again.ids})

    # ------------------------------------------------------------
    # WHAT IS KEPT
    # ------------------------------------------------------------

    def test_nothing_tells_who_it_was(self):
        mails = self.participant(self.ann).trace_ids.mailing_trace_ids
        self.assertEqual(mails.email, ANN)
        self.forget()
        self.assertFalse(mails.email)
        self.assertFalse(mails.mail_mail_id.email_to)
        self.env.flush_all()
        self.env.cr.execute("SELECT row_to_json(forgotten)::text FROM nurture_forgotten forgotten")
        kept = str(self.env.cr.fetchall())
        self.assertNotIn("ann", kept)

    def test_salt_is_the_database_s(self):
        """Without the salt nobody can try addresses, and users do not get it, nor the
        fingerprints."""
        self.forget()
        forgotten = self.env["nurture.forgotten"].search([])
        self.env.cr.execute(
            "SELECT count(*) FROM nurture_forgotten"
            " WHERE fingerprint = encode(sha256(%s::bytea), 'hex')",
            [ANN],
        )
        self.assertEqual(self.env.cr.fetchone(), (0,))
        self.assertNotIn("fingerprint", forgotten.with_user(self.marketer).fields_get())
        with self.assertRaises(AccessError):
            forgotten.with_user(self.marketer).read(["fingerprint"])
        with self.assertRaises(AccessError):
            self.env["ir.config_parameter"].with_user(self.marketer).search_read([])

    def test_who_may_what(self):
        self.forget()
        forgotten = self.env["nurture.forgotten"].search([])
        self.assertEqual(forgotten.forgotten_user_id, self.marketer)
        for user in (self.marketer, self.env.ref("base.user_admin")):
            with self.assertRaises(AccessError):
                forgotten.with_user(user).unlink()
            with self.assertRaises(AccessError):
                forgotten.with_user(user).let_in_date = self.clock
        for user in (self.salesman, self.employee):
            with self.assertRaises(AccessError):
                forgotten.with_user(user).read(["forgotten_date"])
            with self.assertRaises(AccessError):
                self.ann.with_user(user).action_nurture_let_in()

    def test_deleted_lead_is_somebody_new(self):
        """Nobody asked to be forgotten: a lead was just deleted."""
        self.ann.unlink()
        again = self.make_lead(ANN)
        self.assertEqual(self.sequence.enrol(again.ids)["entered"], again.ids)

    # ------------------------------------------------------------
    # IN AGAIN
    # ------------------------------------------------------------

    def test_let_in_by_address(self):
        self.forget()
        again = self.make_lead(ANN)
        self.let_in(" Ann <ANN@recipient.example.com>")
        forgotten = self.env["nurture.forgotten"].search([])
        self.assertEqual(forgotten.let_in_user_id, self.marketer)
        self.assertEqual(forgotten.let_in_date, fields.Datetime.now())
        self.advance(hours=2)
        self.assertTrue(self.participant(again))
        self.assertEqual(len(self.mails_to(ANN)), 1)
        self.assertFalse(self.env["nurture.let.in"].search([("address", "ilike", "ann")]))

    def test_let_in_on_the_lead(self):
        self.forget()
        again = self.make_lead(ANN)
        bob = self.make_lead(BOB)
        (again | bob).with_user(self.marketer).action_nurture_let_in()
        note = again.message_ids[0]
        self.assertIn("Let in again", note.body)
        self.assertEqual(note.author_id, self.marketer.partner_id)
        self.assertNotIn("Let in again", str(bob.message_ids.mapped("body")))
        self.assertEqual(self.sequence.enrol(again.ids)["entered"], again.ids)

    def test_forgotten_again(self):
        self.forget()
        self.let_in(ANN)
        again = self.make_lead(ANN)
        self.sequence.enrol(again.ids)
        self.forget(again)
        once_more = self.make_lead(ANN)
        self.assertEqual(
            self.sequence.enrol(once_more.ids)["excluded"], {"forgotten": once_more.ids}
        )
        self.assertEqual(len(self.env["nurture.forgotten"].search([])), 1)

    def test_not_forgotten(self):
        for address in (BOB, "nobody", "@"):
            with self.assertRaisesRegex(UserError, "is not among the forgotten addresses"):
                self.let_in(address)
        with self.assertRaisesRegex(UserError, "None of these leads"):
            self.ann.with_user(self.marketer).action_nurture_let_in()
