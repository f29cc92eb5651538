from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..tools.inside import Carried
from ..tools.links import links_in
from ..tools.rehearsal import is_rehearsal


class MailingMailing(models.Model):
    _inherit = "mailing.mailing"

    nurture_step_ids = fields.One2many("nurture.step", "mailing_id", string="Nurture Steps")
    nurture_translation_ids = fields.One2many(
        "nurture.step.translation", "mailing_id", string="Nurture Steps in Another Language"
    )
    nurture_sequence_id = fields.Many2one(
        "nurture.sequence",
        compute="_compute_nurture_sequence_id",
        # whoever uses mailings has to know that this one is not sent by hand
        compute_sudo=True,
        search="_search_nurture_sequence_id",
        help="The sequence that sends this mail.",
    )

    @api.depends("nurture_step_ids.sequence_id", "nurture_translation_ids.step_id.sequence_id")
    def _compute_nurture_sequence_id(self):
        for mailing in self:
            mailing.nurture_sequence_id = mailing._nurture_get_steps().sequence_id

    def _search_nurture_sequence_id(self, operator, value):
        if operator not in ("in", "any"):
            return NotImplemented
        if False in value:
            return Domain("nurture_step_ids", "=", False) & Domain(
                "nurture_translation_ids", "=", False
            )
        return Domain("nurture_step_ids.sequence_id", operator, value) | Domain(
            "nurture_translation_ids.step_id.sequence_id", operator, value
        )

    def _nurture_get_steps(self):
        """The steps that send this mail, archived ones too."""
        mailings = self.with_context(active_test=False)
        return mailings.nurture_step_ids | mailings.nurture_translation_ids.step_id

    @api.constrains("mailing_model_id", "mailing_type")
    def _check_nurture_step(self):
        self._nurture_get_steps()._check_mailing()

    @api.constrains("active", "body_html")
    def _check_nurture_runnable(self):
        self.nurture_sequence_id._check_runnable()

    # ------------------------------------------------------------
    # SENDING: the sequence decides who gets the mail of a step
    # ------------------------------------------------------------

    def action_launch(self):
        self._check_not_nurture()
        return super().action_launch()

    def action_schedule(self):
        self._check_not_nurture()
        return super().action_schedule()

    def action_put_in_queue(self):
        self._check_not_nurture()
        return super().action_put_in_queue()

    def action_retry_failed(self):
        nurtured = self.filtered("nurture_sequence_id")
        failed = nurtured.mailing_trace_ids.filtered(lambda mail: mail.trace_status == "error")
        # one that may have arrived is not sent again among many
        traces = failed.nurture_trace_id
        traces.filtered(lambda trace: trace.reason != "mail_in_doubt").action_retry()
        if others := self - nurtured:
            return super(MailingMailing, others).action_retry_failed()
        return True

    def _check_not_nurture(self):
        for mailing in self:
            if mailing.nurture_sequence_id:
                raise UserError(
                    self.env._(
                        "“%(mailing)s” is a step of the sequence “%(sequence)s”, which sends it to "
                        "each lead in its time. Duplicate the mail to send it by itself.",
                        mailing=mailing.subject,
                        sequence=mailing.sudo().nurture_sequence_id.name,
                    )
                )

    def _get_recipients_domain(self):
        """The mail of a step has no recipients of its own."""
        if self.nurture_sequence_id:
            return Domain.FALSE
        return super()._get_recipients_domain()

    def _nurture_get_links(self):
        """The addresses of the links in the text, as they are written there."""
        self.ensure_one()
        return links_in(self.body_html)

    def _nurture_queue(self, trace_by_lead):
        """Compose and queue this mail for the leads of ``trace_by_lead`` (``nurture.trace`` ids by
        lead id). Core commits once at the end."""
        self.ensure_one()
        self.with_context(
            nurture_trace_by_lead=trace_by_lead,
            nurture_links=Carried(),
            nurture_compiled=Carried(),
        )._action_send_mail(list(trace_by_lead))

    @api.model
    def action_fetch_favorites(self, extra_domain=None):
        """Built-in templates are offered in the user's language."""
        favorites = super().action_fetch_favorites(extra_domain)
        mailings = self.with_context(active_test=False).browse(each["id"] for each in favorites)
        steps = mailings.sudo().nurture_step_ids.filtered("text_view_id").grouped("mailing_id")
        for favorite, mailing in zip(favorites, mailings, strict=True):
            if step := steps.get(mailing):
                favorite.update(step._prepare_favorite())
        return favorites

    def write(self, vals):
        if {"subject", "preview", "body_arch", "body_html"} & vals.keys():
            # also for those who only use mailings
            self.sudo()._nurture_get_steps()._forget_text()
        if "nurture_trace_by_lead" in self.env.context and set(self.mapped("state")) == {"done"}:
            # Core notes after each batch that the mailing is sent: for a step that would be one
            # row for all workers to fight over.
            vals = {
                name: value
                for name, value in vals.items()
                if name not in ("state", "sent_date", "kpi_mail_required")
            }
            if not vals:
                # writing nothing touches the row, too
                return True
        return super().write(vals)

    def _get_seen_list(self):
        # Who gets the mail once is decided by the participants. Core's list of all who ever got
        # it grows with every batch.
        if "nurture_trace_by_lead" in self.env.context:
            return set()
        return super()._get_seen_list()

    def _get_mass_mailing_context(self):
        context = super()._get_mass_mailing_context()
        if "nurture_trace_by_lead" in self.env.context:
            # queue, also when the batch is small
            context["default_force_send"] = False
        if is_rehearsal(self.env):
            # the copy outlives the short links that would be made for it
            context.pop("post_convert_links", None)
        return context
