from lxml import etree

from odoo import models

from ...tools.send_batch import get_composed


class IrQweb(models.AbstractModel):
    _inherit = "ir.qweb"

    def _generate_code_uncached(self, template):
        """Core compiles the text of a mail once per recipient, a batch compiles it once."""
        batch = get_composed(self.env)
        if not batch or not isinstance(template, etree._Element):
            return super()._generate_code_uncached(template)
        # what core's own cache of compiled views distinguishes
        options = (self.env.context.get(name) or False for name in self._get_template_cache_keys())
        key = (etree.tostring(template), *options)
        if key not in batch.compiled:
            batch.compiled[key] = super()._generate_code_uncached(template)
        return batch.compiled[key]
