from odoo import fields, models


class MailActivity(models.Model):
    """An activity that a sequence planned tells it when it is done."""

    _inherit = "mail.activity"

    nurture_trace_id = fields.Many2one(
        "nurture.trace", readonly=True, copy=False, index="btree_not_null", ondelete="set null"
    )

    def _has_field_access(self, field, operation):
        # whoever plans an activity could tell any sequence that it is done
        if operation == "write" and field.name == "nurture_trace_id" and not self.env.su:
            return False
        return super()._has_field_access(field, operation)

    def _action_done(self, feedback=False, attachment_ids=None):
        traces = self.sudo().nurture_trace_id
        result = super()._action_done(feedback=feedback, attachment_ids=attachment_ids)
        if traces:
            traces._handle("done")
        return result
