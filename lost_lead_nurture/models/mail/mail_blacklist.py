from odoo import api, models
from odoo.tools import SQL

from ...tools.addresses import canonical, spellings, sql_has_spellings
from ...tools.inside import is_inside
from .preference import SOURCE_KEY


class MailBlacklist(models.Model):
    _inherit = "mail.blacklist"

    @api.model_create_multi
    def create(self, vals_list):
        # core's create also revives archived entries and returns those known already
        entries = super().create(vals_list)
        entries._nurture_list_spellings()
        entries._nurture_leave()
        return entries

    def write(self, vals):
        returning = self.filtered("active") if vals.get("active") is False else self.browse()
        result = super().write(vals)
        if {"active", "email"} & vals.keys():
            self._nurture_list_spellings()
        if vals.get("active"):
            self._nurture_leave()
        if returning:
            emails = {canonical(address) for address in returning.mapped("email")}
            self.env["nurture.preference"].sudo()._note_returned(emails)
        return result

    def _nurture_list_spellings(self):
        """An address with an international domain is on the list in each of its spellings, or in
        none: core, and whoever looks there, compares them letter by letter."""
        blacklist = self.with_context(active_test=False)
        for entry in self:
            others = spellings([entry.email]) - {entry.email}
            if not others:
                continue
            known = blacklist.search([("email", "in", list(others))])
            known.filtered_domain([("active", "!=", entry.active)]).active = entry.active
            missing = others - set(known.mapped("email"))
            blacklist.create([{"email": email, "active": entry.active} for email in missing])

    @api.model
    def _nurture_respell(self):
        """List the other spellings of those that were on the list before. Who is on
        it in one spelling wants no mails in any."""
        rows = self.env.execute_query(
            SQL("SELECT id FROM mail_blacklist WHERE %s", sql_has_spellings(SQL("email")))
        )
        entries = self.browse(id_ for (id_,) in rows)
        entries.filtered("active")._nurture_list_spellings()
        entries.filtered(lambda entry: not entry.active)._nurture_list_spellings()

    def _nurture_leave(self):
        """Whoever does not want mails leaves the sequences that take heed of it, at once, and gets
        none of the mails in the queue of the others, nor of plain mailings."""
        addresses = [canonical(entry.email) for entry in self if entry.active]
        if not addresses:
            return
        preferences = self.env["nurture.preference"].sudo()
        preferences._note_blacklisted(addresses)
        mailing_traces = self.env["mailing.trace"].sudo()
        plain = mailing_traces.search(preferences._queued_domain(addresses))
        plain.filtered(
            lambda one: not one.nurture_trace_id and one.mass_mailing_id.use_exclusion_list
        )._nurture_cancel_plain("mail_bl")
        participants = self.env["nurture.participant"].sudo()._find_running(addresses)
        leaving = participants.filtered("sequence_id.exit_on_blacklisted")
        asked = is_inside(self.env, SOURCE_KEY)
        leaving._leave("unsubscribed" if asked else "blacklisted")
        staying = participants - leaving
        queued = mailing_traces._nurture_queued([("participant_id", "in", staying.ids)]).filtered(
            lambda one: one.trace_type == "mail" and one.email in addresses
        )
        queued.nurture_trace_id._set_state("rejected", "blacklisted")
        queued._nurture_cancel_queued()
        if staying.sequence_id._asks_for_consent():
            # nor is anybody asked for consent who has just said no
            requests = self.env["nurture.consent"].sudo()
            recalled = requests._recall([("participant_id", "in", staying.ids)])
            recalled._set_state("rejected", "blacklisted")
            recalled._stop_branch()
