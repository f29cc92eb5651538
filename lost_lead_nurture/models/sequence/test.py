from odoo import models
from odoo.exceptions import UserError


class NurtureSequence(models.Model):
    """Trying it out on one lead."""

    _inherit = "nurture.sequence"

    def action_test(self):
        """Walk one lead through the sequence, step by step. Mails go to the user, and nothing that
        is done lasts.

        :raise UserError: when there is nothing to test, or no lead to test it with
        """
        self.ensure_one()
        self.check_access("write")
        tests = self.env["nurture.test"]
        if not self.step_ids:
            raise UserError(
                self.env._("“%s” has no steps yet: there is nothing to test.", self.name)
            )
        if not self.env.user.email_normalized:
            raise UserError(
                self.env._("You have no email address to send the mails of a test to. Add one.")
            )
        lead = tests._find_lead(self)
        if not lead:
            raise UserError(self.env._("There is no lead to test it with. Create one first."))
        test = tests.create({"sequence_id": self.id, "lead_id": lead.id})
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Test “%s”", self.name),
            "res_model": "nurture.test",
            "res_id": test.id,
            "view_mode": "form",
            "target": "new",
        }
