from lxml import etree

from odoo import models

from ...tools.inside import get_carried


class IrQweb(models.AbstractModel):
    _inherit = "ir.qweb"

    def _generate_code_uncached(self, template):
        """Core compiles the text of a mail once per reader. A batch that carries a
        ``nurture_compiled`` dict compiles it once."""
        known = get_carried(self.env, "nurture_compiled")
        if known is None or not isinstance(template, etree._Element):
            return super()._generate_code_uncached(template)
        # what core's own cache of compiled views distinguishes
        options = (self.env.context.get(name) or False for name in self._get_template_cache_keys())
        key = (etree.tostring(template), *options)
        if key not in known:
            known[key] = super()._generate_code_uncached(template)
        return known[key]
