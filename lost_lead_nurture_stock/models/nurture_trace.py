from odoo import api, models
from odoo.tools import SQL


class NurtureTrace(models.Model):
    _inherit = "nurture.trace"

    def _judge(self, verdicts):
        super()._judge(verdicts)
        if not (self.sequence_id.wait_for_stock and self.step_id._is_message()):
            return
        accepted = self.browse(verdicts.accept)
        lacking = accepted.participant_id._find_lacking()
        verdicts.accept = []
        for trace in accepted:
            if reason := lacking.get(trace.participant_id.id):
                verdicts.put("leave", reason, trace.id)
            else:
                verdicts.accept.append(trace.id)

    @api.model
    def _sql_may_be_outdated(self):
        return SQL("(%s OR sequence.wait_for_stock IS NOT NULL)", super()._sql_may_be_outdated())

    def _find_outdated(self):
        """A message that offers what cannot be delivered does not leave: it may have been sold
        since it was queued."""
        offering = self.filtered(
            lambda trace: trace.sequence_id.wait_for_stock and trace.step_id._is_message()
        )
        lacking = offering.participant_id._find_lacking() if offering else {}
        return lacking | super()._find_outdated()
