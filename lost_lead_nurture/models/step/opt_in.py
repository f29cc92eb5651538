from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ...tools.consent import has_link


class NurtureStep(models.Model):
    """Steps of the type Double Opt-In: one mail that asks for consent and says nothing else, so
    that it may go to whoever may get no advertising."""

    _inherit = "nurture.step"

    step_type = fields.Selection(
        selection_add=[("opt_in", "Double Opt-In")], ondelete={"opt_in": "cascade"}
    )
    consent_wording = fields.Text(
        string="Wording",
        translate=True,
        help="What people agree to, in the mail and on the page. Empty: the one of the add-on, in "
        "the language of the lead. It is kept with each consent as it was shown.",
    )

    @api.constrains("consent_wording")
    def _check_consent_wording(self):
        for step in self:
            # they are all sent; core checks again when one is translated
            in_languages, _context = step.get_field_translations("consent_wording")
            if any(has_link(one["value"]) or has_link(one["source"]) for one in in_languages):
                raise ValidationError(
                    self.env._(
                        "Step “%s”: the wording is text without links. A mail that asks for "
                        "consent must not advertise anything.",
                        step.name,
                    )
                )

    def _get_consent_wording(self, company):
        """What people agree to, in the language of the environment."""
        self.ensure_one()
        return self.consent_wording or self.env._(
            "I agree that %(company)s writes to me by email about its products, services and "
            "offers. I can withdraw this at any time, with effect for the future, by the link in "
            "each mail.",
            company=company.name,
        )

    def _do_opt_in(self, traces):
        """Ask each address once. Whoever has confirmed before need not do so again."""
        consents = self.env["nurture.consent"].sudo()
        traces._plan_again()
        asked, confirmed = {}, traces.browse()
        known = consents._find_confirmed(traces)
        for trace in traces:
            key = trace._get_consent_key()
            if key in known:
                confirmed |= trace
            else:
                asked.setdefault(key, trace)
        for trace in asked.values():
            trace._ask_for_consent()
        if asked:
            self.env.ref("mail.ir_cron_mail_scheduler_action").sudo()._trigger()
        if confirmed:
            confirmed._handle("confirmed")
