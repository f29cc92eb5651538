from copy import deepcopy
from xml.sax.saxutils import escape

from lxml import html
from markupsafe import Markup

from odoo import api, models
from odoo.tools.mail import email_normalize_all

from ..tools.addresses import canonical, spellings
from ..tools.send_batch import get_composed
from ..tools.wire import MAX_SUBJECT, clean


class MailComposeMessage(models.TransientModel):
    _inherit = "mail.compose.message"

    def _action_send_mail(self, auto_commit=False):
        if self.mass_mailing_id._nurture_is_engine():
            # One commit must carry the mails and what the engine wrote about them.
            auto_commit = False
        else:
            self.mass_mailing_id._check_not_nurture()
        return super()._action_send_mail(auto_commit=auto_commit)

    def _prepare_mail_values_mailing_traces(self, mail_values_all):
        trace_values_all = super()._prepare_mail_values_mailing_traces(mail_values_all)
        if batch := get_composed(self.env):
            for lead_id, trace_id in batch.trace_by_lead.items():
                if trace_values_all.get(lead_id):
                    trace_values_all[lead_id]["nurture_trace_id"] = trace_id
        return trace_values_all

    # core compares addresses letter by letter: each list knows all spellings, each mail has one

    def _get_recipients_data(self, mail_values_dict):
        recipients = super()._get_recipients_data(mail_values_dict)
        for data in recipients.values():
            data["mail_to_normalized"] = [
                canonical(address) for address in data["mail_to_normalized"]
            ]
        return recipients

    def _get_done_emails(self, mail_values_dict):
        # Who gets the mail once is decided by the participants. Core's list of all who ever got
        # it grows with every batch.
        if self.mass_mailing_id._nurture_is_engine():
            return []
        return list(spellings(super()._get_done_emails(mail_values_dict)))

    def _get_optout_emails(self, mail_values_dict):
        emails = super()._get_optout_emails(mail_values_dict)
        if self.mass_mailing_id and not self.mass_mailing_id._nurture_is_engine():
            # for the mails of sequences it is the engine that has looked
            emails = [*emails, *self._nurture_get_waiting(mail_values_dict)]
        return list(spellings(emails))

    def _nurture_get_waiting(self, mail_values_dict):
        """The addresses among these recipients that want a pause, or have had all mails that they
        want in a month."""
        preferences = self.env["nurture.preference"].sudo()
        if not self.mass_mailing_id.use_exclusion_list or not preferences._is_any():
            return []
        recipients = self._get_recipients_data(mail_values_dict).values()
        addresses = {one for data in recipients for one in data["mail_to_normalized"] if one}
        wishes = preferences._get_wishes(addresses, queued=True)
        return [address for address, wish in wishes.items() if wish.get_date()]

    def _get_blacklist_record_ids(self, mail_values_dict, recipients_info=None):
        """Of a lead core looks at one address only, and writes to all in its field or to its
        contact. As with records of other models, one that is blacklisted is enough."""
        blacklisted = super()._get_blacklist_record_ids(mail_values_dict, recipients_info)
        blacklisted |= self._nurture_get_excluded(recipients_info)
        if not (self.use_exclusion_list and recipients_info and self._nurture_is_to_leads()):
            return blacklisted
        written = {
            lead_id: {
                canonical(address)
                for text in data["mail_to"]
                for address in email_normalize_all(text or "")
            }
            for lead_id, data in recipients_info.items()
        }
        # everybody's, whoever sends
        entries = self.env["mail.blacklist"].sudo()
        listed = entries.search([("email", "in", list(set().union(*written.values())))])
        listed = set(listed.mapped("email"))
        return {*blacklisted, *(lead_id for lead_id, found in written.items() if found & listed)}

    def _nurture_get_excluded(self, recipients_info):
        """Whom a mailing does not go to, whatever it says of exclusion lists: whoever asked to be
        forgotten, and leads to whom their company may not write. A sequence has decided that.

        :return: set of ids
        """
        if not (recipients_info and self.mass_mailing_id) or get_composed(self.env):
            return set()
        written = {
            record_id: {canonical(address) for address in data["mail_to_normalized"] if address}
            for record_id, data in recipients_info.items()
        }
        addresses = set().union(*written.values())
        # everybody's, whoever sends
        forgotten = self.env["nurture.forgotten"].sudo()._find_forgotten(addresses)
        excluded = {id_ for id_, found in written.items() if found & forgotten}
        if self._nurture_is_to_leads():
            leads = self.env["crm.lead"].sudo().browse(written)
            excluded.update(leads._nurture_find_without_basis(self.env.company, written).ids)
        return excluded

    def _prepare_mail_values_dynamic(self, res_ids):
        mail_values_all = super()._prepare_mail_values_dynamic(res_ids)
        if self._nurture_is_to_leads():
            for values in mail_values_all.values():
                values["subject"] = clean(values["subject"], MAX_SUBJECT)
                for name in ("email_from", "reply_to"):
                    values[name] = clean(values.get(name))
        return mail_values_all

    def _prepare_mail_values(self, res_ids):
        mail_values_all = super()._prepare_mail_values(res_ids)
        if self._nurture_is_to_leads():
            self._nurture_describe_on_leads(mail_values_all)
        return mail_values_all

    def _nurture_is_to_leads(self):
        return self.model == "crm.lead" and self._is_mass_mailing()

    def _nurture_describe_on_leads(self, mail_values_all):
        """Have the message that stays on each lead say what was sent to it: core puts the subject
        there as it was written, and keeps none where answers go elsewhere."""
        batch = get_composed(self.env)
        traces = self.env["nurture.trace"].sudo().browse(batch and batch.trace_by_lead.values())
        links = {
            participant.lead_id.id: participant._get_html_link(title=participant.sequence_id.name)
            for participant in traces.participant_id
        }
        name = self.mass_mailing_name or self.mass_mailing_id.display_name
        for lead_id, values in mail_values_all.items():
            line, quote, mail = (values.get("body") or Markup()).partition(Markup("<blockquote"))
            if not quote or values.get("state") == "cancel":
                continue
            subject = Markup("<b>%s</b>") % (values["subject"] or "")
            if link := links.get(lead_id):
                # it may still be recalled: what became of it is where this leads to
                line = Markup("<div><span>%s</span></div>") % self.env._(
                    "Mail %(subject)s of the sequence %(sequence)s", subject=subject, sequence=link
                )
            else:
                line = line.replace(Markup("<b>%s</b>") % name, subject, 1)
            values["body"] = line + quote + mail
            values["is_notification"] = True

    def _nurture_get_sequence_of_text(self):
        return self.mass_mailing_id.nurture_sequence_id

    def _render_lang(self, res_ids, engine="inline_template"):
        """Placeholders are written in the language of the lead, where its contact has none."""
        langs = super()._render_lang(res_ids, engine=engine)
        if get_composed(self.env):
            for lead in self.env["crm.lead"].browse(res_ids):
                langs[lead.id] = langs[lead.id] or lead.lang_id.code
        return langs

    @api.model
    def _render_template_qweb_regex(self, template_src, model, res_ids):
        """Core has found a text without code, and would tidy it up once per mail before it fills in
        the placeholders. A batch compiles it once, and says in doing so that no code is allowed:
        that is quicker, and means the same."""
        if not get_composed(self.env):
            return super()._render_template_qweb_regex(template_src, model, res_ids)
        # there is no code that could ask for more than the lead; Outlook reads comments
        qweb = self.env["ir.qweb"].with_context(
            raise_on_forbidden_code_for_model=model, minimal_qcontext=True, preserve_comments=True
        )
        text = html.fragment_fromstring(template_src, create_parent="div")
        _escape_texts(text)
        return {
            # a copy, for what is compiled is taken apart; and without the <div> around it
            record.id: qweb._render(deepcopy(text), {"object": record})[5:-6]
            for record in self.env[model].browse(res_ids)
        }


def _escape_texts(node):
    """Write the texts in ``node`` as they stand in HTML: QWeb puts out what the parser has read, so
    that what is written about a tag would become one."""
    for child in node.iter():
        if isinstance(child.tag, str) and child.tag not in ("script", "style"):
            child.text = child.text and escape(child.text)
        child.tail = child.tail and escape(child.tail)
