import lxml.html

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import is_html_empty

from ...tools.arguments import check_records
from ...tools.opt_out import OPT_OUT, add_opt_out, add_opt_out_block, has_opt_out


class MailingMailing(models.Model):
    """Whoever gets a mail of a sequence can unsubscribe in it."""

    _inherit = "mailing.mailing"

    nurture_lacks_opt_out = fields.Boolean(
        string="No Unsubscribe Link",
        compute="_compute_nurture_lacks_opt_out",
        help="A mail of a sequence that is written, but has no link to unsubscribe.",
    )

    @api.depends("body_html", "mailing_type", "nurture_only", "nurture_sequence_id")
    def _compute_nurture_lacks_opt_out(self):
        guarded = self._nurture_guarded()
        for mailing in self:
            mailing.nurture_lacks_opt_out = (
                mailing in guarded and mailing._nurture_get_lacks_opt_out()
            )

    def _nurture_get_lacks_opt_out(self):
        self.ensure_one()
        return (
            self.mailing_type == "mail"
            and not is_html_empty(self.body_html)
            and not has_opt_out(self.body_html)
        )

    def action_nurture_add_opt_out(self):
        """Add a link to unsubscribe at the end of these mails, where there is none: to what is sent
        and to what the editor shows.

        :raise UserError: when one of them is not written yet
        """
        check_records(self)
        for mailing in self.filtered(lambda mailing: mailing.mailing_type == "mail"):
            if is_html_empty(mailing.body_html):
                raise UserError(
                    self.env._("“%s” is empty: write it first.", mailing.display_name or "")
                )
            label = mailing._nurture_get_opt_out_label()
            vals = {}
            if not has_opt_out(mailing.body_html):
                vals["body_html"] = add_opt_out(mailing.body_html, label)
            if not is_html_empty(mailing.body_arch) and not has_opt_out(mailing.body_arch):
                vals["body_arch"] = add_opt_out_block(mailing.body_arch, label)
            if vals:
                mailing.write(vals)
        return True

    def _nurture_get_opt_out_label(self):
        """What core's own footer calls the link, in the language of the mail."""
        lang = self.sudo().nurture_translation_ids.lang_id.code or self.env.lang
        # whoever writes mails need not be able to read views
        footer = self.env.ref("mass_mailing.s_mail_block_footer_one_liner").sudo()
        arch = footer.with_context(lang=lang).arch
        links = lxml.html.fromstring(arch).xpath("//a[@href=$link]", link=OPT_OUT)
        text = links[0].text_content().strip() if links else ""
        return text or self.env._("Unsubscribe")

    # ------------------------------------------------------------
    # THE PAGE BEHIND THE LINK
    # ------------------------------------------------------------

    def _nurture_sent_to(self, document_id, email):
        """Domain of the mailing traces of this mail to a recipient, as a link names both."""
        self.ensure_one()
        return [
            ("mass_mailing_id", "=", self.id),
            ("res_id", "=", document_id or 0),
            ("email", "=", email),
        ]

    def _nurture_get_recipient_lang(self, document_id):
        """The language of the record ``document_id``, or of its contact, that this mail was sent
        to; else that of the mail itself."""
        self.ensure_one()
        record = self.env[self.mailing_model_real].browse(document_id or ()).exists()
        code = None
        if record and "partner_id" in record._fields:
            code = record.partner_id.lang
        if not code and record and record._name == "crm.lead":
            code = record.lang_id.code
        elif not code and record and record._name == "res.partner":
            code = record.lang
        return code or self.nurture_translation_ids.lang_id[:1].code
