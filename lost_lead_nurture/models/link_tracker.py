from odoo import models


class LinkTracker(models.Model):
    _inherit = "link.tracker"

    def search_or_create(self, vals_list):
        """Core looks every link up once per mail. Within one mailing the same link has the same
        tracker, so a batch that carries a ``nurture_links`` dict looks each up once."""
        known = self.env.context.get("nurture_links")
        if known is None:
            return super().search_or_create(vals_list)
        keys = [tuple(sorted(vals.items())) for vals in vals_list]
        new = {key: vals for key, vals in zip(keys, vals_list, strict=True) if key not in known}
        if new:
            trackers = super().search_or_create(list(new.values()))
            known.update(zip(new, trackers.ids, strict=True))
        return self.browse(known[key] for key in keys)
