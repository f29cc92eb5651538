from odoo import api, models


class NurtureHintsMixin(models.AbstractModel):
    """Buttons with a number say on hover what it means: the help of the number's field, so that
    there is one definition of it."""

    _name = "nurture.hints.mixin"
    _description = "Nurture: What Numbers Mean"

    @api.model
    def _get_view(self, view_id=None, view_type="form", **options):
        arch, view = super()._get_view(view_id, view_type, **options)
        if view_type == "form":
            for button in arch.xpath("//div[@name='button_box']//button[not(@help)]"):
                hints = [
                    self._fields[name]._description_help(self.env)
                    for name in button.xpath(".//field/@name")
                    if name in self._fields
                ]
                if hint := next(filter(None, hints), None):
                    button.set("help", hint)
        return arch, view
