from odoo import api, fields, models

from ...tools.mail_texts import fill_html, fill_text, read_text


class NurtureStep(models.Model):
    """Steps of templates. What those of built-in templates say is in views, as Email Marketing's
    themes are: it is translated, and a sequence speaks the language of whoever makes it, in the
    name and the colours of the company."""

    _inherit = "nurture.step"

    text_view_id = fields.Many2one(
        "ir.ui.view",
        copy=False,
        ondelete="set null",
        groups="base.group_system",
        help="Of a built-in template: the view that says what the mail or the activity says.",
    )

    @api.model
    def _fill_in_texts(self, vals_list):
        """Give a step with a text the mail, or the activity, that says it."""
        if any("text_view_id" in vals for vals in vals_list):
            # views are rendered with all rights
            self._check_field_access(self._fields["text_view_id"], "write")
        for vals in vals_list:
            view = self.env["ir.ui.view"].browse(vals.get("text_view_id"))
            if view and vals.get("step_type", "email") == "email":
                vals["mailing_id"] = self._create_template_mailing(view).id
            elif view:
                vals.update(self._prepare_activity(view, self.env.company))

    @api.ondelete(at_uninstall=False)
    def _unlink_except_built_in(self):
        if not self.env.su:
            self.sequence_id._check_own()

    def copy(self, default=None):
        copies = super().copy(default)
        for step, duplicate in zip(self, copies, strict=True):
            if step.sequence_id.is_template and not duplicate.sequence_id.is_template:
                step._copy_text(duplicate)
        return copies

    def _copy_text(self, duplicate):
        """Let the copy say what the step says, in the user's language and the company's name."""
        view = self.sudo().text_view_id
        company = duplicate.company_id or self.env.company
        if view and duplicate.mailing_id:
            mailing = duplicate.mailing_id
            # not in the name of whoever installed the add-on
            sender = self.env.user.email_formatted or company.email_formatted
            mailing.write(
                {
                    **self._prepare_mailing(view, company),
                    "email_from": sender or mailing.email_from,
                }
            )
        elif view:
            duplicate.write(self._prepare_activity(view, company))

    def _forget_text(self):
        """Somebody wrote another text: that one counts from now on."""
        steps = self.sudo().filtered("text_view_id")
        if steps:
            steps.text_view_id = False

    # ------------------------------------------------------------
    # TEXTS
    # ------------------------------------------------------------

    @api.model
    def _create_template_mailing(self, view):
        """The mail of a built-in template: archived, and offered in Email Marketing."""
        return self.env["mailing.mailing"].create(
            {
                **self._prepare_mailing(view, self.env.company),
                "mailing_type": "mail",
                "mailing_model_id": self.env["ir.model"]._get_id("crm.lead"),
                "active": False,
                "favorite": True,
                "nurture_only": True,
                "user_id": False,
            }
        )

    @api.model
    def _prepare_mailing(self, view, company):
        """Values of a mailing that says what ``view`` says: as blocks to be edited, and as tables
        with all styles inline, which is what mail programs understand."""
        text = self._render_text(view, company)
        return {
            "subject": text.subject,
            "preview": text.preview,
            "body_arch": self._render_text(view, company, for_editor=True).body,
            "body_html": text.body,
        }

    def _prepare_favorite(self):
        """What Email Marketing's choice of templates shows of a built-in one."""
        says = self._prepare_mailing(self.sudo().text_view_id, self.env.company)
        return {"subject": fill_text(says["subject"]), "body_arch": says["body_arch"]}

    @api.model
    def _prepare_activity(self, view, company):
        text = self._render_text(view, company)
        return {
            "name": fill_text(text.subject),
            "activity_summary": text.subject,
            "activity_note": text.body,
        }

    @api.model
    def _render_text(self, view, company, for_editor=False):
        """What ``view`` says, in the user's language and the name of ``company``.

        :return: :class:`MailText`
        """
        company = company.sudo()
        values = {
            "for_editor": for_editor,
            "link": company.website,
            "logo": not company.uses_default_logo and f"/logo.png?company={company.id}",
            "company_name": company.name,
            "address": company.partner_id._display_address(without_company=True),
            "color": company.email_secondary_color or "#875A7B",
            "text_color": company.email_primary_color or "#FFFFFF",
        }
        html = (
            self.env["ir.qweb"]
            .sudo()
            ._render(view.id, values, lang=self.env.lang or "en_US", minimal_qcontext=True)
        )
        return read_text(html, {"company": company.name})

    # ------------------------------------------------------------
    # GALLERY
    # ------------------------------------------------------------

    def _get_card(self):
        """The step as a line of the gallery."""
        self.ensure_one()
        view = self.sudo().text_view_id
        name = self._render_text(view, self.env.company).subject if view else self.name
        return {
            "id": self.id,
            "icon": self._get_types()[self.step_type]["icon"],
            "when": self.when,
            "name": fill_text(name),
        }

    def _get_mail(self):
        """The mail of the step, as somebody reads it of whom only the address is known."""
        self.ensure_one()
        view = self.sudo().text_view_id
        mailing = self.mailing_id
        says = self._prepare_mailing(view, self.env.company) if view else mailing
        return {
            "id": self.id,
            "when": self.when,
            "subject": fill_text(says["subject"]),
            "preview": fill_text(says["preview"]),
            "body": fill_html(says["body_html"]),
        }
