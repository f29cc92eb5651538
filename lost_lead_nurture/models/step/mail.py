from odoo import api, fields, models
from odoo.exceptions import UserError

from ...tools.arguments import check_records
from ...tools.opt_out import has_opt_out


class NurtureStep(models.Model):
    """The mails of steps: written for them, and for nobody else."""

    _inherit = "nurture.step"

    lacks_opt_out = fields.Boolean(
        compute="_compute_lacks_opt_out",
        help="One of its mails, in one of its languages or versions, has no link to unsubscribe.",
    )

    @api.depends(
        "mailing_id.nurture_lacks_opt_out",
        "translation_ids.mailing_id",
        "variant_ids.mailing_id.nurture_lacks_opt_out",
    )
    def _compute_lacks_opt_out(self):
        for step in self:
            step.lacks_opt_out = any(
                mailing._nurture_get_lacks_opt_out() for mailing in step._get_mailings()
            )

    def _get_opt_out_problems(self):
        """Mails without a link to unsubscribe, in the user's words."""
        problems = []
        if self.mailing_id and not has_opt_out(self.mailing_id.body_html):
            problems.append(self.env._("The mail of step “%s” has no unsubscribe link.", self.name))
        problems += [
            self.env._(
                "The mail of step “%(step)s” has no unsubscribe link in %(language)s.",
                step=self.name,
                language=line.lang_id.name,
            )
            for line in self.translation_ids
            if not has_opt_out(line.mailing_id.body_html)
        ]
        problems += [
            self.env._(
                "Version %(version)s of the mail of step “%(step)s” has no unsubscribe link.",
                version=variant.letter,
                step=self.name,
            )
            for variant in self.variant_ids
            if not has_opt_out(variant.mailing_id.body_html)
        ]
        return problems

    # ------------------------------------------------------------
    # ACTIONS
    # ------------------------------------------------------------

    def action_add_opt_out(self):
        """Add a link to unsubscribe to the mails of the step that have none."""
        check_records(self)
        self._get_mailings().action_nurture_add_opt_out()
        return True

    def action_write_mail(self):
        """Open the mail of the step in the editor; a step that has none gets one.

        :raise UserError: when it is a step that sends no mail
        """
        check_records(self, one=True)
        self.check_access("write")
        if self.step_type != "email":
            raise UserError(self.env._("“%s” is not a step that sends a mail.", self.name))
        if not self.mailing_id:
            self.mailing_id = self.env["mailing.mailing"].create(self._prepare_mail())
        return self.mailing_id._nurture_open_form()

    def _prepare_mail(self):
        """Values of a new mail for the step, until somebody writes it."""
        types = dict(self._fields["step_type"]._description_selection(self.env))
        named = self.name if self.name not in types.values() else False
        return {
            "subject": named or self.sequence_id.name,
            "mailing_type": "mail",
            "mailing_model_id": self.env["ir.model"]._get_id("crm.lead"),
            "nurture_only": True,
        }
