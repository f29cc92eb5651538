from odoo import models
from odoo.exceptions import UserError

from ..tools.addresses import first_address

#: What is counted, or proves something, stays without the person: how that is erased, by model.
_ERASED_BY = {
    "mailing.trace": "_nurture_forget",
    "nurture.consent": "_forget",
    "nurture.credit": "_forget",
    "nurture.outcome": "_forget",
    "nurture.participant": "_erase",
}


class PrivacyLookupWizardLine(models.TransientModel):
    """Whoever is erased with core's Privacy Lookup is not written to again."""

    _inherit = "privacy.lookup.wizard.line"

    def action_unlink(self):
        """Delete the record, or erase the person from what stays, and forget the address that was
        looked up."""
        address = first_address(self.wizard_id.email)
        if self.res_model not in _ERASED_BY:
            result = super().action_unlink()
        else:
            result = self._nurture_erase()
        if address:
            # who may delete the records of the person may forget the person
            self.env["nurture.forgotten"].sudo()._forget_address([address])
        return result

    def _nurture_erase(self):
        """Erase the person from the record."""
        self.ensure_one()
        if self.is_unlinked:
            raise UserError(self.env._("The person is erased from it already."))
        # as core deletes it
        record = self.env[self.res_model].sudo().browse(self.res_id).exists()
        getattr(record, _ERASED_BY[self.res_model])()
        self.execution_details = self.env._(
            "Erased %(model)s #%(number)s", model=self.res_model_id.name, number=self.res_id
        )
        self.is_unlinked = True
