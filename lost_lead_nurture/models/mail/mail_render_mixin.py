import re

from odoo import api, models
from odoo.tools.urls import urljoin

from ...tools.links import UNSUBSCRIBE
from ...tools.offers import shows_offer
from ...tools.quotations import names_quotation
from ...tools.sandbox import is_sandbox

#: Links that lead to no page: empty ones, those of other programs. Core adds what may follow a path
#: to each of these patterns. And placeholders, however they are written: they have to be seen.
_NO_PAGE = (
    r"^\s*$",
    rf"(?i:{UNSUBSCRIBE}(?![\w-])).*$",
    # a host with a port, which is written the same way, has a number there
    r"(?i:^\s*(?!https?:)(?:(?:mailto|tel|sms|fax|callto):|[a-z][a-z0-9+-]*:(?!\d))).*$",
)


class MailRenderMixin(models.AbstractModel):
    _inherit = "mail.render.mixin"

    @api.model
    def _shorten_links(self, html, link_tracker_vals, blacklist=None, base_url=None):
        """Only what leads to a page is counted, and nothing in a sandbox: the copy that is sent out
        of it outlives the short links that would be made for it."""
        if is_sandbox(self.env):
            return html
        base = base_url or self.env["ir.config_parameter"].sudo().get_param("web.base.url") or ""
        # core makes its home page of it before it looks
        anchor = rf"^{re.escape(base)}(?=#)"
        blacklist = [*(blacklist or []), anchor, *_NO_PAGE]
        return super()._shorten_links(html, link_tracker_vals, blacklist, base_url)

    @api.model
    def _render_template_postprocess(self, model, rendered):
        """Links that are counted lead to the website of the lead's company. Core has them all on
        one host, whomever the mail is for."""
        rendered = super()._render_template_postprocess(model, rendered)
        if model == "crm.lead" and self.env.context.get("post_convert_links"):
            mailings = self.env["mailing.mailing"]
            links = urljoin(self.env["link.tracker"].new().short_url_host, "r")[:-1]
            for lead_id, html in rendered.items():
                home = urljoin(mailings._nurture_get_base_url(lead_id), "r/")
                if html and home != links:
                    moved = str(html).replace(f'href="{links}', f'href="{home}')
                    rendered[lead_id] = html.__class__(moved)
        return rendered

    @api.model
    def _render_template(self, template_src, model, res_ids, *args, **kwargs):
        """In what is written to leads, a name that consists of blanks is taken for missing, and the
        offer and the quotation are those of the sequence whose text it is."""
        if model != "crm.lead" or not isinstance(template_src, str):
            return super()._render_template(template_src, model, res_ids, *args, **kwargs)
        text = self
        if shows_offer(template_src) or names_quotation(template_src):
            text = self._nurture_get_sequence_of_text()._offering(self)
        leads = self.env[model].browse(filter(None, res_ids))
        with leads._nurture_without_blanks(template_src):
            return super(MailRenderMixin, text)._render_template(
                template_src, model, res_ids, *args, **kwargs
            )

    def _nurture_get_sequence_of_text(self):
        """The sequence whose texts these are, or none."""
        return self.env["nurture.sequence"]
