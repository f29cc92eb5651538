from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.lost_lead_nurture.tools.links import as_like, is_about

from ..tools.pages import get_compared, get_hosts, get_pattern, has_host, has_query, is_address


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
        pattern = get_pattern(self.entry_url)
        if not pattern:
            return [*problems, self.env._("It does not say which page lets leads in.")]
        if not is_address(pattern):
            return [
                *problems,
                self.env._(
                    "“%s” is the address of no page: it begins with /, or with https:// and the "
                    "website.",
                    pattern,
                ),
            ]
        # whoever runs sequences need not see the pages of the website
        pages = self.env["website.page"].sudo()
        pages = pages.search([("url", "=", get_compared(pattern, "/"))])
        if pages and not any(pages.mapped("track")):
            problems.append(
                self.env._(
                    "The page “%s” is not tracked: switch “Track” on in its properties.", pattern
                )
            )
        return problems

    def _sql_events_visit(self, since):
        """Pages that visitors have looked at: those of leads, by the forms they have filled in, and
        of their contacts who are logged in."""
        pattern = get_pattern(self.entry_url)
        url = SQL("track.url")
        if not has_query(pattern):
            url = SQL("split_part(%s, '?', 1)", url)
        if not has_host(pattern):
            url = SQL("regexp_replace(%s, '^[a-z]+://[^/]*', '')", url)
        looked = SQL(
            "track.visit_datetime >= %s AND %s LIKE %s AND NOT (%s)",
            since,
            url,
            as_like(pattern),
            self._sql_foreign_visit(),
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

    def _sql_foreign_visit(self):
        """Whether what ``track`` noted was seen on the website of another company, as its page or
        its host says. Companies without a website of their own, or of a parent's, share what there
        is."""
        companies = self._get_companies().sudo().parent_ids
        websites = self.env["website"].sudo()
        own = websites.search([("company_id", "in", companies.ids)])
        foreign = websites.search([("company_id", "not in", companies.ids)])
        if not own or not foreign:
            return SQL("false")
        hosts = get_hosts(foreign.mapped("domain")) - get_hosts(own.mapped("domain"))
        return SQL(
            "EXISTS (SELECT 1 FROM website_page page WHERE page.id = track.page_id"
            " AND page.website_id IN %s)"
            " OR split_part(split_part(split_part(track.url, '://', 2), '/', 1), ':', 1) IN %s",
            tuple(foreign.ids),
            tuple(hosts) or ("",),
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
            pattern = get_pattern(pattern)
            if is_about(pattern, get_compared(url, pattern)):
                self._note_behaviour("visit")
                break

    def _get_event_label(self):
        if self.entry == "visit":
            return self.env._("Its visitor looked at the page since, and not as long ago as a week")
        return super()._get_event_label()
