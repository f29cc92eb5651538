from odoo import api, models
from odoo.exceptions import AccessError

from ...tools.arguments import MAX_ID

#: Fields that name records of which a constraint of their own says who may choose them; some are of
#: models that are for administrators only.
SETTLED_ELSEWHERE = ("company_id", "entry_field_id", "server_action_id")


class NurtureChoiceMixin(models.AbstractModel):
    """Only what somebody may see can be chosen: what is chosen tells its name, a dialog more."""

    _name = "nurture.choice.mixin"
    _description = "Nurture: What May Be Chosen"

    @api.model_create_multi
    def create(self, vals_list):
        filled_in = self._get_filled_in()
        for vals in vals_list:
            self._check_named({**filled_in, **vals})
        return super().create(vals_list)

    def write(self, vals):
        self._check_named(vals)
        return super().write(vals)

    @api.model
    def _get_filled_in(self):
        """The values that a client fills in by its context."""
        return {
            key.removeprefix("default_"): value
            for key, value in self.env.context.items()
            if key.startswith("default_")
        }

    def _check_named(self, vals):
        """Check that the user may see the records that ``vals`` name by their ids, before anything
        is said about them: what a constraint says tells what they are called.

        :raise AccessError: in words
        """
        if self.env.su:
            return
        for name, id_ in vals.items():
            field = self._fields.get(name)
            if name in SETTLED_ELSEWHERE or not field or field.type != "many2one":
                continue
            if type(id_) is not int or not 0 < id_ <= MAX_ID:
                continue
            if self and all(one[name].id == id_ for one in self.sudo()):
                continue
            record = self.env[field.comodel_name].browse(id_).exists()
            if record and not record.has_access("read"):
                raise self._make_choice_error(name)

    def _make_choice_error(self, name):
        return AccessError(
            self.env._(
                "%s: only what you may see can be chosen.",
                self._fields[name]._description_string(self.env),
            )
        )
