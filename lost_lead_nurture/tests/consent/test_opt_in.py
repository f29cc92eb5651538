"""Double opt-in: the mail that asks, the page that confirms, and what is kept to prove it."""

import html
import re

from odoo.exceptions import ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..common import ANN, BOB, NurtureHttpCase


@tagged("post_install", "-at_install")
class TestOptIn(NurtureHttpCase):
    def setUp(self):
        super().setUp()
        # nobody may be written to who has not confirmed
        self.company.nurture_basis_confirmed = True
        self.sequence = self.make_sequence(entry="manual")
        self.ask = self.make_step(
            self.sequence, step_type="opt_in", mailing_id=False, name="Ask for consent"
        )
        self.welcome = self.make_step(self.sequence, "confirmed", self.ask, subject="Welcome")
        self.sequence.action_start()

    def enrol(self, address=ANN, **values):
        lead = self.make_lead(address, **values)
        self.assertEqual(self.sequence.enrol(lead.ids)["entered"], lead.ids)
        self.advance()
        return lead

    def link_in(self, message):
        (link,) = re.findall(r'href="([^"]+)"', self.html_of(message))
        return link

    def post(self, link):
        response = self.url_open(link, data={"x": "1"})
        self.env.invalidate_all()
        return response

    def rows(self):
        return self.env["nurture.consent"].search([], order="id")

    def test_asked_confirmed_and_proved(self):
        """The mail leaves although nobody may be written to; to look at the page, as scanners do,
        changes nothing; to confirm counts once, and the branch for it goes on."""
        lead = self.enrol()
        message = self.mail_to(ANN)
        link = self.link_in(message)
        for _ in range(2):
            page = self._get(link)
        self.assertIn("I agree that Test Company writes to me", page.text)
        self.assertEqual(self.rows().mapped("event"), ["requested"])
        self.advance(days=1)
        self.assertEqual(len(self.mails_to(ANN)), 1)
        asked = self.rows().date
        for _ in range(2):
            response = self.post(link)
            self.assertEqual(response.status_code, 200)
            self.assertIn("Thank you", response.text)
        request, proof = self.rows()
        self.assertEqual((proof.event, proof.basis, proof.is_current), ("confirmed",) * 2 + (True,))
        self.assertFalse(request.is_pending)
        self.assertEqual((proof.request_id.date, proof.date), (asked, self.clock))
        self.assertEqual(proof.email, ANN)
        self.assertIn("Test Company writes to me", proof.wording)
        self.assertIn(proof.wording, proof.mail_text)
        self.assertIn(proof.wording, proof.page_text)
        self.assertEqual(proof.mail_subject, message["Subject"])
        self.assertTrue(proof.page_url.endswith(f"/nurture/consent/{request.id}"))
        self.assertNotIn(link.rpartition("/")[2], f"{proof.mail_text} {proof.page_url}")
        self.advance()
        self.assertEqual(len(self.mails_to(ANN, "Welcome")), 1)
        history = lead.with_user(self.salesman).get_nurture_consent_history()
        self.assertEqual(
            [entry["what"] for entry in history], ["Confirmation requested", "Confirmed"]
        )
        self.assertIn(message["Subject"], history[1]["proof"])
        # who has confirmed is not asked again
        self.participant(lead).action_remove()
        other = self.make_sequence(name="Other", entry="manual")
        ask = self.make_step(other, step_type="opt_in", mailing_id=False)
        self.make_step(other, "confirmed", ask, subject="Second welcome")
        other.action_start()
        other.enrol(lead.ids)
        self.advance()
        self.advance()
        self.assertEqual(
            [mail["Subject"] for mail in self.mails_to(ANN)[1:]], ["Welcome", "Second welcome"]
        )

    def test_not_confirmed(self):
        """Who does not confirm gets no mail, of whatever branch, and is not asked again."""
        late = self.make_step(self.sequence, "not_confirmed", self.ask, 3, subject="Late")
        after = self.make_step(self.sequence, "after", self.ask, 3, subject="After")
        lead = self.enrol()
        self.advance(days=3)
        self.assertEqual(len(self.mails_to(ANN)), 1)
        for step in (late, after):
            self.assertEqual(self.trace(lead, step).reason, "not_confirmed")
        other = self.make_sequence(name="Other", entry="manual")
        ask = self.make_step(other, step_type="opt_in", mailing_id=False)
        other.action_start()
        other.enrol(lead.ids)
        self.advance()
        self.assertEqual(self.trace(lead, ask).reason, "asked_before")
        self.assertEqual(len(self.mails_to(ANN)), 1)

    def test_not_asked_yet(self):
        """Who has not been asked had nothing to confirm; from then on no mail goes without it."""
        self.company.nurture_basis_confirmed = False
        sequence = self.make_sequence(name="Asks late", entry="manual")
        self.make_step(sequence, subject="First")
        self.make_step(sequence, delay=3, step_type="opt_in", mailing_id=False)
        later = self.make_step(sequence, delay=5, subject="Later")
        sequence.action_start()
        lead = self.make_lead(ANN)
        sequence.enrol(lead.ids)
        self.advance()
        self.assertEqual(len(self.mails_to(ANN, "First")), 1)
        self.advance(days=3)
        self.assertEqual(self.rows().mapped("event"), ["requested"])
        self.advance(days=2)
        self.assertEqual(self.trace(lead, later).reason, "not_confirmed")

    def test_basis_noted_meanwhile(self):
        """Another basis that somebody notes leaves the link as it is; to withdraw ends it, and
        nobody is thanked any more."""
        lead = self.enrol().with_user(self.marketer)
        link = self.link_in(self.mail_to(ANN))
        lead.nurture_note_basis("interest", "A call")
        self.assertEqual(self.post(link).status_code, 200)
        self.assertEqual(lead.nurture_basis, "confirmed")
        lead.nurture_note_basis("withdrawn", "A call")
        for response in (self.url_open(link), self.post(link)):
            self.assertEqual(response.status_code, 410)
            self.assertNotIn("Thank you", response.text)
        self.assertEqual(lead.nurture_basis, "withdrawn")

    def test_thanked_as_long_as_the_link_is_valid(self):
        self.enrol()
        link = self.link_in(self.mail_to(ANN))
        self.post(link)
        self.assertEqual(self._get(link).status_code, 200)
        self.clock = self.clock.replace(month=4, day=20)
        self.assertEqual(self.url_open(link).status_code, 410)

    def test_taken_out_of_the_queue(self):
        """A request that somebody cancels or deletes by hand was not made: it can be made again."""
        lead = self.make_lead(ANN)
        self.sequence.enrol(lead.ids)
        self.run_cron()
        for take_out in (lambda mail: mail.write({"state": "cancel"}), lambda mail: mail.unlink()):
            take_out(self.rows().filtered("is_pending").mail_id)
            trace = self.trace(lead, self.ask)
            self.assertEqual((trace.state, trace.reason), ("error", "mail_failed"))
            self.assertIn("taken out of the queue", self.rows()[-1].source)
            self.assertFalse(self.rows().filtered("is_pending"))
            trace.action_retry()
            self.run_cron()
        self.send_mails()
        self.assertEqual(len(self.mails_to(ANN)), 1)

    def test_forgotten_by_another_company(self):
        """Whoever is forgotten, by whatever company, confirms nothing."""
        self.enrol()
        link = self.link_in(self.mail_to(ANN))
        elsewhere = self.make_marketer(self.env["res.company"].create({"name": "Other Company"}))
        forgotten = self.env["nurture.forgotten"]
        forgotten.sudo()._remember([ANN])
        self.assertEqual(self.post(link).status_code, 410)
        forgotten.with_user(elsewhere)._forget_address([ANN])
        self.env.invalidate_all()
        self.assertFalse(self.rows().filtered("is_pending"))

    def test_recalled(self):
        """Stop means stop for requests in the queue, too; they are made when it goes on."""
        lead, bob = self.make_lead(ANN), self.make_lead(BOB)
        self.sequence.enrol((lead | bob).ids)
        self.run_cron()
        self.participant(bob).action_remove()
        self.sequence.action_stop()
        self.send_mails()
        self.assertFalse(self.catcher.messages)
        self.assertEqual(self.trace(lead, self.ask).reason, "recalled")
        self.sequence.action_start()
        self.advance(hours=1)
        self.assertEqual(len(self.mails_to(ANN)), 1)
        self.assertFalse(self.mails_to(BOB))
        self.post(self.link_in(self.mail_to(ANN)))
        self.advance()
        self.assertEqual(len(self.mails_to(ANN, "Welcome")), 1)

    def test_links_that_do_not_count(self):
        """A link of somebody else, one that is too old, and one of whoever objected meanwhile."""
        self.enrol()
        self.enrol(BOB)
        links = [self.link_in(self.mail_to(address)) for address in (ANN, BOB)]
        token = links[0].rpartition("/")[2]
        forged = f"{links[1].rpartition('/')[0]}/{token}"
        for wrong in (forged, f"{links[0]}x", links[0].replace("consent/", "consent/9")):
            self.assertEqual(self.url_open(wrong, data={"x": "1"}).status_code, 404)
        self.env["mail.blacklist"]._add(BOB)
        self.assertEqual(self.post(links[1]).status_code, 410)
        self.clock = self.clock.replace(month=4, day=20)
        response = self.post(links[0])
        self.assertEqual(response.status_code, 410)
        self.assertIn("cannot be used any more", response.text)
        self.assertEqual(set(self.rows().mapped("event")), {"requested"})

    def test_in_the_language_of_the_lead(self):
        lang = self.env["res.lang"]._activate_lang("fr_FR")
        self.env.ref("base.module_lost_lead_nurture")._update_translations(["fr_FR"])
        self.ask.with_context(lang="fr_FR").consent_wording = "Oui, écrivez-moi."
        self.enrol(lang_id=lang.id)
        message = self.mail_to(ANN)
        for text in ("Bonjour", "Oui, écrivez-moi.", "Lire et confirmer"):
            self.assertIn(text, self.html_of(message))
        self.assertIn("Veuillez confirmer", message["Subject"])
        page = self._get(self.link_in(message))
        for text in ("Êtes-vous d'accord ?", "Oui, écrivez-moi.", "Sinon, fermez"):
            self.assertIn(text, html.unescape(page.text))
        self.assertIn('lang="fr-FR"', page.text)
        self.assertEqual(self.rows().lang, "fr_FR")

    def test_no_advertising(self):
        """Whatever becomes a link in somebody's mail program is one, in each language."""
        self.env["res.lang"]._activate_lang("fr_FR")
        self.ask.consent_wording = (
            "Yes, e.g.by mail (No. 1). I withdraw at max.muster@shop.example.com."
        )
        french = self.ask.with_context(lang="fr_FR")
        for wording in (
            *("See https://shop.example.com", "www.shop.example.com", "<b>Sale</b>"),
            *("See shop.example.com/sale", "Shop.example.com.", "t.me/sale"),
        ):
            for write in (
                lambda text: self.ask.write({"consent_wording": text}),
                lambda text: french.write({"consent_wording": text}),
                lambda text: self.ask.update_field_translations("consent_wording", {"fr_FR": text}),
            ):
                with (
                    self.assertRaisesRegex(ValidationError, "text without links"),
                    self.env.cr.savepoint(),
                ):
                    write(wording)
        self.ask.update_field_translations("consent_wording", {"fr_FR": "Oui, écrivez-moi."})
        self.assertEqual(french.consent_wording, "Oui, écrivez-moi.")

    def test_names_lead_nowhere(self):
        """A name that somebody put a link into is left out: mail programs would make one of it."""
        for number, (name, said) in enumerate(
            (
                ("Ann Example", "Hello Ann Example,"),
                ("J. R. Example", "Hello J. R. Example,"),
                ("Win at evil.example.com", "Hello,"),
                ("https://evil.example", "Hello,"),
                ("EVIL.COM", "Hello,"),
                ("x.com", "Hello,"),
                ("mailto:me@evil.example", "Hello,"),
            )
        ):
            address = f"lead{number}@recipient.example.com"
            self.enrol(address, contact_name=name)
            html = " ".join(self.html_of(self.mail_to(address)).split())
            self.assertIn(f"<p>{said}</p>", html)

    def test_blacklisted_and_unsendable(self):
        """Whoever is blacklisted is not asked; a request that cannot be sent says so, and is tried
        again."""
        self.sequence.exit_on_blacklisted = False
        lead = self.make_lead(ANN)
        self.sequence.enrol(lead.ids)
        self.env["mail.blacklist"]._add(ANN)
        self.advance()
        self.assertEqual(self.trace(lead, self.ask).reason, "blacklisted")
        bob = self.make_lead(BOB)
        self.sequence.enrol(bob.ids)
        server = self.env["ir.mail_server"].search([])
        server.smtp_port = 1
        with mute_logger(
            "odoo.addons.mail.models.mail_mail", "odoo.addons.base.models.ir_mail_server"
        ):
            self.advance()
        trace = self.trace(bob, self.ask)
        self.assertEqual((trace.state, trace.reason), ("error", "mail_failed"))
        self.assertEqual(self.rows().mapped("event"), ["requested", "failed"])
        server.smtp_port = self.catcher.port
        trace.action_retry()
        self.advance()
        self.assertEqual(len(self.mails_to(BOB)), 1)

    def test_blacklisted_with_a_request_in_the_queue(self):
        """It does not leave, also where who is blacklisted stays in the sequence."""
        self.sequence.exit_on_blacklisted = False
        lead, bob = self.make_lead(ANN), self.make_lead(BOB)
        self.sequence.enrol((lead | bob).ids)
        self.run_cron()
        self.env["mail.blacklist"]._add(ANN)
        self.send_mails()
        self.assertFalse(self.mails_to(ANN))
        self.assertEqual(len(self.mails_to(BOB)), 1)
        trace = self.trace(lead, self.ask)
        self.assertEqual((trace.state, trace.reason), ("rejected", "blacklisted"))
        self.assertEqual(self.trace(lead, self.welcome).reason, "parent_failed")
        self.assertEqual(self.trace(bob, self.ask).reason, "done")

    def test_what_follows_a_request_that_failed(self):
        """Nothing waits for the answer to a question that nobody got; asked once more, it does."""
        late = self.make_step(self.sequence, "not_confirmed", self.ask, 3, subject="Late")
        lead = self.make_lead(ANN)
        self.sequence.enrol(lead.ids)
        server = self.env["ir.mail_server"].search([])
        server.smtp_port = 1
        with mute_logger(
            "odoo.addons.mail.models.mail_mail", "odoo.addons.base.models.ir_mail_server"
        ):
            self.advance()
        for step in (late, self.welcome):
            trace = self.trace(lead, step)
            self.assertEqual((trace.state, trace.reason), ("cancelled", "parent_failed"))
        self.assertEqual(self.participant(lead).state, "running")
        server.smtp_port = self.catcher.port
        self.clock = self.clock.replace(day=12)
        self.trace(lead, self.ask).action_retry()
        self.advance()
        self.assertEqual(self.trace(lead, self.welcome).state, "waiting")
        planned = self.trace(lead, late)
        self.assertEqual(planned.state, "scheduled")
        self.assertEqual(planned.schedule_date, self.clock.replace(day=15))
        self.post(self.link_in(self.mail_to(ANN)))
        self.advance()
        self.assertEqual(len(self.mails_to(ANN, "Welcome")), 1)
        self.assertEqual(self.trace(lead, late).reason, "opposite")

    def test_forgotten(self):
        """Who is forgotten is taken out of the proof, which can be found by the address alone; the
        link does not work any more, and no mailing goes there."""
        lead = self.enrol()
        link = self.link_in(self.mail_to(ANN))
        self.post(link)
        self.participant(lead).with_user(self.marketer).action_forget()
        self.env.flush_all()
        self.env.cr.execute("SELECT row_to_json(consent)::text FROM nurture_consent consent")
        self.assertNotIn(ANN, str(self.env.cr.fetchall()))
        self.assertEqual(self.url_open(link).status_code, 404)
        history = lead.with_user(self.marketer).get_nurture_consent_history()
        self.assertEqual(
            {entry["what"] for entry in history},
            {"Confirmation requested", "Confirmed", "Forgotten, as was asked for"},
        )
        self.catcher.clear()
        again = self.make_lead(f'"Ann" <{ANN.upper()}>')
        contact = self.env["res.partner"].create({"name": "Ann", "email": ANN})
        for model, record in (("crm.lead", again), ("res.partner", contact)):
            mailing = self.make_mailing(
                f"Plain to {model}",
                mailing_model_id=self.env["ir.model"]._get_id(model),
                use_exclusion_list=False,
                mailing_domain=repr([("id", "in", record.ids), ("active", "in", [True, False])]),
            )
            mailing.action_send_mail()
            self.send_mails()
            traces = self.env["mailing.trace"].search([("mass_mailing_id", "=", mailing.id)])
            self.assertEqual(traces.mapped("trace_status"), ["cancel"], model)
        again.action_unarchive()
        again.action_set_lost(lost_reason_id=self.reason_stock.id)
        self.assertEqual(self.sequence.enrol(again.ids)["excluded"], {"forgotten": again.ids})
        self.assertFalse(self.catcher.messages)
