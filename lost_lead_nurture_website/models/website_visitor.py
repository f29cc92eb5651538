from odoo import models
from odoo.http import request


class WebsiteVisitor(models.Model):
    _inherit = "website.visitor"

    def _handle_webpage_dispatch(self, website_page):
        """Whoever looks at a page that lets leads into a sequence has them enter soon."""
        result = super()._handle_webpage_dispatch(website_page)
        self.env["nurture.sequence"]._note_visit(request.httprequest.url)
        return result
