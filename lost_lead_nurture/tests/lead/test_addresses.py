"""What is mailed is the address that was decided about, whatever else is written beside it."""

import re
from urllib.parse import parse_qs, urlsplit

from odoo.tests import tagged

from ... import hooks
from ...tools.addresses import sql_respell
from ...tools.live_schema import Spelling
from ..common import ANN, BOB, NurtureHttpCase

#: One address, as people write it and as it travels.
READABLE = "info@bücher.example"
ON_WIRE = "info@xn--bcher-kva.example"


class AddressCase(NurtureHttpCase):
    def setUp(self):
        super().setUp()
        self.sequence = self.make_sequence()
        self.first = self.make_step(self.sequence, subject="First")
        self.make_step(self.sequence, "after", self.first, 7, subject="Second")

    def assertMailed(self, *addresses):  # noqa: N802
        """One mail went to each of these, and nothing to anybody else."""
        recipients = [recipients for recipients, _content in self.catcher.envelopes]
        self.assertEqual(recipients, [[address] for address in addresses])

    def header(self, name):
        """The bytes of a header of the only mail that was caught."""
        ((_recipients, content),) = self.catcher.envelopes
        (value,) = re.findall(rb"(?im)^%b: *((?:.|\r\n[ \t])*)" % name.encode(), content)
        return value.strip()


@tagged("post_install", "-at_install")
class TestOneAddress(AddressCase):
    def test_two_addresses(self):
        lead = self.make_lead(f"{ANN}, {BOB}")
        self.start()
        self.assertMailed(ANN)
        self.assertEqual(self.header("To"), ANN.encode())
        self.assertFalse(re.search(rb"(?im)^cc:", self.catcher.envelopes[0][1]))
        trace = self.trace(lead, self.first)
        self.assertEqual(trace.mailing_trace_ids.email, ANN)
        self.assertEqual(self.participant(lead).email, ANN)

    def test_unsubscribe(self):
        """The links are about the address that has the mail, and end its journey."""
        lead = self.make_lead(f"Ann <{ANN}>; {BOB}")
        self.start()
        message = self.catcher.messages[0]
        html = self.html_of(message).replace("&amp;", "&")
        links = re.findall(r'href="([^"]+confirm_unsubscribe[^"]+)"', html)
        links += re.findall(r"<([^>]+)>", message["List-Unsubscribe"])
        self.assertEqual(len(links), 2)
        for link in links:
            self.assertEqual(parse_qs(urlsplit(link).query)["email"], [ANN])
        self.unsubscribe(message)
        self.assertEqual(self.participant(lead).exit_reason, "unsubscribed")
        self.assertTrue(self.env["mail.blacklist"].search([("email", "=", ANN)]))
        self.assertFalse(self.env["mail.blacklist"].search([("email", "=", BOB)]))

    def test_second_one_is_blacklisted(self):
        self.env["mail.blacklist"]._add(BOB)
        self.make_lead(f"{ANN}, {BOB}")
        self.start()
        self.assertMailed(ANN)

    def test_first_one_is_blacklisted(self):
        """Then it is not written to another one instead."""
        self.env["mail.blacklist"]._add(ANN)
        self.make_lead(f"{ANN}, {BOB}")
        self.start()
        self.assertMailed()

    def test_plain_mailing(self):
        """It is written to all addresses of a lead, or to its contact; none is blacklisted."""
        other = "other@recipient.example.com"
        contact = self.env["res.partner"].create({"name": "Bob", "email": f"x{BOB}"})
        leads = self.make_lead(f"{ANN}, {BOB}")
        leads |= self.make_lead("her@recipient.example.com", partner_id=contact.id)
        leads |= self.make_lead(other)
        self.env.flush_all()
        # as an import or an integration leaves it behind
        self.env.cr.execute("UPDATE res_partner SET email = %s WHERE id = %s", [BOB, contact.id])
        self.env.invalidate_all()
        self.env["mail.blacklist"]._add(BOB)
        for excluding, count in ((True, 1), (False, 2)):
            mailing = self.make_mailing("Plain", use_exclusion_list=excluding)
            mailing.action_send_mail(leads.ids)
            self.send_mails()
            statuses = mailing.mailing_trace_ids.mapped("trace_status")
            self.assertEqual(statuses.count("sent"), count)
            if excluding:
                self.assertEqual([to for to, _content in self.catcher.envelopes], [[other]])
                self.assertEqual(statuses.count("cancel"), 2)
        # where the mailing takes no heed of it, Bob gets it once
        self.assertTrue(any(BOB in to for to, _content in self.catcher.envelopes))

    def test_cap_of_the_second(self):
        """Who stands second in one lead and alone in another one gets one mail."""
        self.make_lead(f"{ANN}, {BOB}")
        self.make_lead(BOB)
        self.start(cap_own=True, cap_number=1, cap_days=7)
        self.assertEqual(
            sorted(recipients for recipients, _content in self.catcher.envelopes), [[ANN], [BOB]]
        )

    def test_contact_with_two_addresses(self):
        partner = self.env["res.partner"].create({"name": "Ann", "email": f"{ANN}, {BOB}"})
        lead = self.make_lead(partner.email, partner_id=partner.id)
        self.assertEqual(lead.email_normalized, ANN)
        self.start()
        self.assertMailed(ANN)
        self.assertEqual(self.header("To"), f'"Ann" <{ANN}>'.encode())

    def test_contact_with_another_address(self):
        """The lead's address is what everything is decided about."""
        partner = self.env["res.partner"].create({"name": "Bob", "email": BOB})
        lead = self.make_lead(ANN, partner_id=partner.id)
        self.env.flush_all()
        # as an import or an integration leaves them behind
        self.env.cr.execute("UPDATE res_partner SET email = %s WHERE id = %s", [BOB, partner.id])
        self.env.cr.execute(
            "UPDATE res_partner SET email_normalized = %s WHERE id = %s", [BOB, partner.id]
        )
        self.env.invalidate_all()
        self.assertEqual((lead.email_normalized, partner.email_normalized), (ANN, BOB))
        self.env["mail.blacklist"]._add(BOB)
        self.start()
        self.assertMailed(ANN)
        self.assertNotIn(b"Bob", self.header("To"))

    def test_contact_changes_while_queued(self):
        partner = self.env["res.partner"].create({"name": "Ann", "email": ANN})
        self.make_lead(ANN, partner_id=partner.id)
        self.sequence.action_start()
        self.run_cron()
        partner.email = BOB
        self.send_mails()
        self.assertMailed(ANN)

    def test_first_valid_one(self):
        lead = self.make_lead(f"ask@, {BOB}")
        self.assertEqual(lead.email_normalized, BOB)
        self.start()
        self.assertMailed(BOB)

    def test_copies(self):
        """A lead's Cc is for those who work on it."""
        self.make_lead(ANN, email_cc=BOB)
        self.start()
        self.assertMailed(ANN)

    def test_name_like_an_address(self):
        self.make_lead(f'"{BOB}" <{ANN}>')
        self.start()
        self.assertMailed(ANN)
        self.assertNotIn(BOB.encode(), self.catcher.envelopes[0][1])

    def test_own_address(self):
        """Nothing is sent to the database itself."""
        self.make_lead(self.alias_domain.catchall_email)
        self.start()
        self.assertMailed()


@tagged("post_install", "-at_install")
class TestSpellings(AddressCase):
    """An international domain is one address in each of its spellings."""

    def test_sent(self):
        lead = self.make_lead(f"Bücher <{READABLE}>")
        self.start()
        self.assertMailed(ON_WIRE)
        self.assertEqual(self.header("To"), f"=?utf-8?q?B=C3=BCcher?= <{ON_WIRE}>".encode())
        self.assertEqual(self.trace(lead, self.first).mailing_trace_ids.email, READABLE)
        self.assertEqual(self.trace(lead, self.first).mailing_trace_ids.trace_status, "sent")
        self.unsubscribe(self.catcher.messages[0])
        self.assertEqual(self.participant(lead).exit_reason, "unsubscribed")

    def test_one_address(self):
        """However it is written, it is one participant."""
        decomposed = "info@bu\u0308cher.example"
        written = [READABLE, ON_WIRE, "INFO@BÜCHER.EXAMPLE", decomposed, ON_WIRE.upper()]
        leads = [self.make_lead(address) for address in written]
        self.assertEqual({lead.email_normalized for lead in leads}, {READABLE})
        self.start()
        self.assertMailed(ON_WIRE)
        self.assertEqual(len(self.sequence.participant_ids), 1)

    def test_dotted_capital(self):
        lead = self.make_lead("INFO@İstanbul.example")
        self.assertEqual(lead.email_normalized, "info@i\u0307stanbul.example")
        self.start()
        self.assertMailed("info@xn--istanbul-o0e.example")

    def test_found_in_each_spelling(self):
        lead = self.make_lead(ON_WIRE)
        leads = self.env["crm.lead"].with_context(active_test=False)
        for address in (READABLE, ON_WIRE):
            self.assertEqual(leads.search([("email_normalized", "=", address)]), lead)
            self.assertEqual(leads.search([("email_normalized", "in", [address, ANN])]), lead)

    def test_blacklisted_in_any_spelling(self):
        for written, listed in ((READABLE, ON_WIRE), (ON_WIRE, READABLE)):
            with self.subTest(listed=listed), self.env.cr.savepoint():
                lead = self.make_lead(written)
                self.env["mail.blacklist"]._add(listed)
                self.assertTrue(lead.is_blacklisted)
                self.assertEqual(self.sequence._group_by_exclusion()["blacklisted"], lead.ids)
                # whoever looks there finds it as it is written there
                for address in (READABLE, ON_WIRE):
                    self.assertTrue(self.env["mail.blacklist"].search([("email", "=", address)]))
                self.env["mail.blacklist"]._remove(written)
                self.assertFalse(self.env["mail.blacklist"].search([("email", "ilike", "cher")]))
                lead.email_from = ANN

    def test_leaves_when_blacklisted(self):
        lead = self.make_lead(READABLE)
        self.start()
        self.env["mail.blacklist"]._add(ON_WIRE)
        self.assertEqual(self.participant(lead).exit_reason, "blacklisted")

    def test_cap(self):
        """What a plain mailing sent to the other spelling counts, too."""
        contact = self.env["mailing.contact"].create({"email": ON_WIRE})
        lists = self.env["mailing.list"].create({"name": "L", "contact_ids": contact.ids})
        mailing = self.make_mailing(
            "Plain",
            mailing_model_id=self.env["ir.model"]._get_id("mailing.list"),
            contact_list_ids=lists.ids,
        )
        mailing.action_send_mail()
        self.send_mails()
        self.assertMailed(ON_WIRE)
        lead = self.make_lead(READABLE)
        self.start(cap_own=True, cap_number=1, cap_days=7)
        self.assertMailed(ON_WIRE)
        self.assertEqual(self.trace(lead, self.first).reason, "cap")

    def test_opted_out_in_its_own_spelling(self):
        """A contact that core keeps under the travelling spelling has opted out, and has had it."""
        contact = self.env["mailing.contact"].create({"email": ON_WIRE})
        lists = self.env["mailing.list"].create({"name": "L", "contact_ids": contact.ids})
        mailing = self.make_mailing(
            "Plain",
            mailing_model_id=self.env["ir.model"]._get_id("mailing.list"),
            contact_list_ids=lists.ids,
        )
        mailing.action_send_mail()
        mailing.action_send_mail(contact.ids)
        self.assertEqual(mailing.mailing_trace_ids.mapped("failure_type"), [False, "mail_dup"])
        contact.subscription_ids.opt_out = True
        other = mailing.copy({"subject": "Other"})
        other.action_send_mail(contact.ids)
        self.assertEqual(other.mailing_trace_ids.failure_type, "mail_optout")

    def test_local_part(self):
        """What stands before the @ goes as it is, to servers that take it."""
        lead = self.make_lead("jürgen@bücher.example")
        self.start()
        self.assertMailed("jürgen@xn--bcher-kva.example")
        self.assertEqual(self.trace(lead, self.first).mailing_trace_ids.trace_status, "sent")

    def test_before_the_add_on(self):
        """What was written before it was installed is respelled then."""
        lead = self.make_lead(READABLE)
        entry = self.env["mail.blacklist"].create({"email": BOB})
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE crm_lead SET email_normalized = %s WHERE id = %s", [ON_WIRE, lead.id]
        )
        self.env.cr.execute(
            "UPDATE mail_blacklist SET email = %s WHERE id = %s", [ON_WIRE, entry.id]
        )
        self.env.invalidate_all()
        for spelling in hooks.CHANGES:
            if isinstance(spelling, Spelling) and (change := sql_respell(self.env.cr, *spelling)):
                self.env.cr.execute(change)
        self.env["mail.blacklist"]._nurture_respell()
        self.assertEqual(lead.email_normalized, READABLE)
        self.assertTrue(lead.is_blacklisted)
