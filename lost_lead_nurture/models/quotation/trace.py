from odoo import models

from ...tools.sandbox import is_sandbox


class NurtureTrace(models.Model):
    """What is decided about a step because of the quotation that its lead refused."""

    _inherit = "nurture.trace"

    def _judge_quotation(self, verdicts):
        """Take those out of the accepted whose price has risen since it let them enter, whose mail
        would show a quotation that is not there, and those for whom there is no discount."""
        accepted = self.browse(verdicts.accept)
        step = accepted.step_id
        if not accepted:
            return
        leaving, rejected = {}, {}
        participants = accepted.participant_id
        if step._is_message() and not is_sandbox(self.env):
            leaving = participants._find_risen()
        if step._shows_quotation():
            rejected = participants._find_unoffered()
        elif step.step_type == "action" and step.action_kind == "discount":
            none = participants._find_without_discount()
            rejected = dict.fromkeys(none.ids, "no_discount")
        if not (leaving or rejected):
            return
        verdicts.accept = []
        for trace in accepted:
            id_ = trace.participant_id.id
            if id_ in leaving:
                verdicts.put("leave", leaving[id_], trace.id)
            elif id_ in rejected:
                verdicts.put("reject", rejected[id_], trace.id)
            else:
                verdicts.accept.append(trace.id)
