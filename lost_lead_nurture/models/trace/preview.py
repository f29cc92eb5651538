from odoo import api, models
from odoo.exceptions import UserError

from ...tools.arguments import check_records
from ...tools.links import without_links


class NurtureTrace(models.Model):
    """The message of a step as its recipient got it."""

    _inherit = "nurture.trace"

    @api.readonly
    def get_preview(self):
        """The message of the step as this lead got it; where it is not kept any more, what its
        text is today. Links do nothing, and looking is not counted.

        :return: as :meth:`nurture.step.get_preview`, with a ``note`` that says which of both it is
        :raise UserError: when nothing was sent, or nothing is left of it
        """
        check_records(self, one=True)
        self.check_access("read")
        trace_sudo = self.sudo()
        mailing_trace_sudo = trace_sudo.mailing_trace_ids.sorted("id")[-1:]
        if not mailing_trace_sudo:
            raise UserError(self.env._("“%s” has not been sent.", trace_sudo.step_id.name))
        if trace_sudo.participant_id._is_forgotten():
            raise UserError(self.env._("Who this was has been forgotten, as was asked for."))
        lead_sudo = trace_sudo.participant_id.lead_id
        preview = mailing_trace_sudo._nurture_get_kept() or trace_sudo._render_again(
            mailing_trace_sudo
        )
        return {
            **preview,
            "html": without_links(preview["html"]),
            "lead": lead_sudo.display_name or "",
            "address": mailing_trace_sudo.email or "",
            "language": "",
        }

    def _render_again(self, mailing_trace):
        """The text of the message of a mailing trace as it is today."""
        lead, mailing = self.participant_id.lead_id, mailing_trace.mass_mailing_id
        if not (lead and mailing):
            raise UserError(self.env._("The lead is gone, and the message is not kept."))
        return {
            "subject": mailing._render_field("subject", lead.ids)[lead.id],
            "html": self.step_id._render_message(mailing, lead),
            "note": self.env._(
                "What was sent is not kept. This is its text as it is today, with what the lead is "
                "today."
            ),
        }
