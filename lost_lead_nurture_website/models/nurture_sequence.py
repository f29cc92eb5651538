from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.lost_lead_nurture.tools.links import as_like, is_about

from ..tools.pages import get_compared, has_host, has_query


def _retire(sequences):
    """The add-on is uninstalled: nobody enters any more who did not look at a page."""
    sequences.write({"entry": "manual", "entry_url": False})


class NurtureSequence(models.Model):
    """Lost leads enter when their visitor looks at a page of the website, as core tracks it."""

    _inherit = "nurture.sequence"

    entry = fields.Selection(
        selection_add=[("visit", "When it looked at a page of the website"), ("manual",)],
        ondelete={"visit": _retire},
    )

    @api.model
    def _get_behaviours(self):
        return (*super()._get_behaviours(), "visit")

    def _get_behaviour_problems(self):
        problems = super()._get_behaviour_problems()
        if self.entry != "visit":
            return problems
        if not (self.entry_url or "").strip():
            return [*problems, self.env._("It does not say which page lets leads in.")]
        # whoever runs sequences need not see the pages of the website
        pages = self.env["website.page"].sudo().search([("url", "=", self.entry_url.strip())])
        if pages and not any(pages.mapped("track")):
            problems.append(
                self.env._(
                    "The page “%s” is not tracked: switch “Track” on in its properties.",
                    self.entry_url.strip(),
                )
            )
        return problems

    def _sql_events_visit(self, since):
        """Pages that visitors have looked at: those of leads, by the forms they have filled in, and
        of their contacts who are logged in."""
        pattern = (self.entry_url or "").strip()
        url = SQL("track.url")
        if not has_query(pattern):
            url = SQL("split_part(%s, '?', 1)", url)
        if not has_host(pattern):
            url = SQL("regexp_replace(%s, '^[a-z]+://[^/]*', '')", url)
        looked = SQL(
            "track.visit_datetime >= %s AND %s LIKE %s",
            since,
            url,
            as_like(pattern),
        )
        return SQL(" UNION ALL ").join(
            SQL(
                "SELECT looking.id AS lead_id, track.visit_datetime AS date,"
                " %s::varchar AS name FROM website_track track"
                " JOIN website_visitor visitor ON visitor.id = track.visitor_id %s WHERE %s",
                url,
                joins,
                looked,
            )
            for joins in (
                SQL(
                    "JOIN crm_lead_website_visitor_rel linked"
                    " ON linked.website_visitor_id = visitor.id"
                    " JOIN crm_lead looking ON looking.id = linked.crm_lead_id"
                ),
                SQL("JOIN crm_lead looking ON looking.partner_id = visitor.partner_id"),
            )
        )

    @api.model
    def _note_visit(self, url):
        """Somebody looked at ``url``: have leads enter soon, if that is what a sequence waits
        for."""
        # visitors see no sequences
        waiting = self.sudo().search_fetch(
            [("state", "=", "running"), ("entry", "=", "visit")], ["entry_url"]
        )
        for pattern in set(waiting.mapped("entry_url")):
            if pattern and is_about(pattern, get_compared(url, pattern.strip())):
                self._note_behaviour("visit")
                break

    def _get_event_label(self):
        if self.entry == "visit":
            return self.env._("Its visitor looked at the page since, and not as long ago as a week")
        return super()._get_event_label()
