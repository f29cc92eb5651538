from odoo import models


class WebsiteTrack(models.Model):
    _inherit = "website.track"

    # what visitors looked at lately
    _nurture_visit_index = models.Index("(visit_datetime)")
