"""A sequence that people start, stop and change while leads are inside."""

from datetime import timedelta

from odoo.tests import Form

from .common import NOW, TwoLeadsMixin


class LivingMixin(TwoLeadsMixin):
    """Ann and Bob in a sequence that a marketer runs by its buttons."""

    def start(self):
        self.sequence.with_user(self.marketer).action_start()
        self.advance()

    def days(self, number):
        """The moment so many days after the start of the test."""
        return NOW + timedelta(days=number)

    def press(self, name, record=None):
        """Press a button as the marketer; the form of the wizard that it opens, if any."""
        action = getattr((record or self.sequence).with_user(self.marketer), name)()
        if not isinstance(action, dict) or action["type"] == "ir.actions.client":
            # nothing is asked: at most it is said what was done
            return None
        wizards = self.env[action["res_model"]].with_user(self.marketer)
        wizards = wizards.with_context(**action.get("context", {}))
        return Form(wizards.browse(action["res_id"]) if action.get("res_id") else wizards)

    def start_again(self, overdue, days=None):
        """Start again by the button and what it asks."""
        form = self.press("action_resume")
        form.overdue = overdue
        if days:
            form.days = days
        form.save().action_resume()

    def scheduled(self, lead, step):
        trace = self.trace(lead, step)
        self.assertEqual(trace.state, "scheduled", trace.reason)
        return trace.schedule_date
