from collections import defaultdict

import lxml.html
from markupsafe import Markup

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL
from odoo.tools.mail import validate_url

from odoo.addons.link_tracker.tools.html import find_links_with_urls_and_labels

from ...tools.arguments import check_records, read_ids
from ...tools.links import without_links
from ...tools.mail_texts import fill_html

#: As many links are counted apart: who writes one for each recipient has thousands.
MAX_LINKS = 100
#: Among so many recipients one is looked for whom the user may see.
MAX_RECIPIENTS = 100
#: The attribute of a link in the page that says which of the links it is.
MARK = "data-nurture-link"


class MailingMailing(models.Model):
    """Where people click: the links of a mail, counted on the mail as it was sent."""

    _inherit = "mailing.mailing"

    # ------------------------------------------------------------
    # DOORS
    # ------------------------------------------------------------

    def action_view_nurture_clicks(self):
        """Open the mail with the clicks on each link."""
        check_records(self, one=True)
        self.check_access("read")
        action = self.env["ir.actions.actions"]._for_xml_id(
            "lost_lead_nurture.nurture_clicks_action"
        )
        return {**action, "context": {"active_id": self.id}}

    @api.readonly
    def get_nurture_clicks(self):
        """The mail as it was sent, and who clicked where. Its links do nothing, and to look at it
        counts for nothing.

        :return: ``subject``; ``html``, in which ``data-nurture-link`` has the place in ``links`` of
            each link that was sent; ``recipient``, with whose values it is shown, if anybody's;
            ``count_date``, when it was counted, if that was not now;
            ``delivered`` and ``clicked``, how many got the mail and clicked in it;
            ``is_judged``, whether bots are set apart, which they are in mails of sequences;
            ``links``: list of ``{"ids", "url", "label", "places", "clicked", "rate", "clicks",
            "bots"}``: ids of its link trackers, in how many places of the text it is, how many
            people clicked it, in percent of those delivered, how often, and in how many mails a bot
            followed it; ``left_off``, how many more links there are; ``mails``: those of the same
            step, list of ``{"id", "name"}``
        :raise AccessError: for who may not read the mailing
        """
        check_records(self, one=True)
        self.check_access("read")
        recipient = self._nurture_find_recipient()
        page = lxml.html.document_fromstring(self._nurture_render_sent(recipient))
        nodes, found = find_links_with_urls_and_labels(page, self.get_base_url())
        links = self._nurture_group_links(
            [(validate_url(one["url"]), one["label"]) for one in found]
        )
        numbers = {place: number for number, link in enumerate(links) for place in link["places"]}
        for place, node in enumerate(nodes):
            if place in numbers:
                node.set(MARK, str(numbers[place]))
        counted, count_date = self._nurture_get_kept_clicks(links[:MAX_LINKS])
        return {
            "subject": self.display_name,
            "html": without_links(lxml.html.tostring(page, encoding="unicode")),
            "recipient": recipient.display_name or "",
            "delivered": counted["delivered"],
            "clicked": counted["clicked"],
            "is_judged": self.nurture_only,
            "links": self._nurture_describe_links(links[:MAX_LINKS], counted),
            "count_date": count_date,
            "left_off": len(links[MAX_LINKS:]),
            "mails": self._nurture_name_mails_of_step(),
        }

    def action_view_nurture_link(self, link_ids):
        """Open who clicked a link of the mail.

        :param link_ids: ids of its link trackers, see :meth:`get_nurture_clicks`
        :raise UserError: when these are no ids
        """
        check_records(self, one=True)
        links = self.env["link.tracker"].browse(read_ids(self.env, link_ids))
        action = self._nurture_open_recipients("clicked", _clicked_domain(links.ids))
        link = links[:1].exists()
        name = link.label or link.url
        return {**action, "name": self.env._("Clicked: %s", name)} if name else action

    # ------------------------------------------------------------
    # THE MAIL
    # ------------------------------------------------------------

    def _nurture_find_recipient(self):
        """One whom the user may see of the last who got the mail."""
        # no more than whom to look for: who is found is up to the rights of the user
        sent = self.env["mailing.trace"].sudo()
        sent = sent.search_fetch(
            self._nurture_mailing_traces_domain("sent"),
            ["res_id"],
            order="id desc",
            limit=MAX_RECIPIENTS,
        )
        records = self.env[self.mailing_model_real].with_context(active_test=False)
        if not records.has_access("read"):
            return records
        return records.search([("id", "in", sent.mapped("res_id"))], order="id desc", limit=1)

    def _nurture_render_sent(self, recipient):
        """The page that the recipient got; without one, what somebody reads of whom nothing is
        known."""
        steps = self.env["nurture.step"]
        if recipient:
            return steps._render_message(self, recipient)
        return steps._make_page(Markup(fill_html(self.body_html)))

    def _nurture_name_mails_of_step(self):
        """The mails of the same step in all versions and languages, where it has several."""
        step = self.sudo()._nurture_get_steps()[:1]
        versions = step._get_mail_by_letter() if step.variant_ids else {}
        names = {mail: self.env._("Version %s", letter) for letter, mail in versions.items()}
        names = names or {step.mailing_id: self.env._("All other languages")}
        names |= {line.mailing_id: line.lang_id.name for line in step.translation_ids}
        if len(names) == 1:
            return []
        readable = self.browse(mail.id for mail in names)._filtered_access("read")
        return [
            {"id": mail.id, "name": name} for mail, name in names.items() if mail.id in readable.ids
        ]

    # ------------------------------------------------------------
    # ITS LINKS
    # ------------------------------------------------------------

    def _nurture_group_links(self, shown):
        """The links that were sent, those in the text first. Core has one tracker for an address
        with one label, however often it is in the text. A label may differ from mail to mail, as
        one with a name in it does: an address with one label in the text has all clicks on it; of
        one with several, what cannot be set apart is together.

        :param shown: (address, label) for each place in the text where a link is
        :return: list of ``{"trackers", "url", "label", "places"}``; places are positions in
            ``shown``
        """
        trackers = self.env["link.tracker"].search_fetch(
            [("mass_mailing_id", "=", self.id)], ["url", "label"], order="id"
        )
        labels = defaultdict(set)
        for url, label in shown:
            labels[url].add(label)

        def get_key(tracker):
            own, label = labels[tracker.url], tracker.label or ""
            if len(own) == 1:
                return (tracker.url, *own)
            return (tracker.url, label if label in own else None)

        links = {
            (url, label): {"trackers": own, "url": url, "label": label or "", "places": []}
            for (url, label), own in trackers.grouped(get_key).items()
        }
        for place, key in enumerate(shown):
            # one that was not sent, or leads to no page, has none
            if link := links.get(key) or links.get((key[0], None)):
                link["places"].append(place)
        return sorted(links.values(), key=lambda link: (not link["places"], link["places"]))

    def _nurture_get_kept_clicks(self, links):
        """What became of the mail and its links, of the last quarter of an hour where there is much
        to count: the same for all who may read the mail.

        :return: ``{"delivered", "clicked": number, "people", "bots": {number of the link, as text:
            what _nurture_count_clicks and _nurture_count_bots say}}``, and when it was counted
        """

        def count():
            statistics = self._nurture_statistics_by_mailing()[self]
            return {
                "delivered": statistics["delivered"],
                "clicked": statistics["clicked"],
                "people": self._nurture_count_clicks(links),
                "bots": self._nurture_count_bots(links),
            }

        trackers = [link["trackers"].ids for link in links]
        return self.env["nurture.kept"]._get("clicks", [self.id, trackers], count)

    def _nurture_describe_links(self, links, counted):
        """What :meth:`get_nurture_clicks` says of each link."""
        described, delivered = [], counted["delivered"]
        for number, link in enumerate(links):
            clicked, clicks = counted["people"].get(str(number), (0, 0))
            described.append(
                {
                    "ids": link["trackers"].ids,
                    "url": link["url"],
                    "label": link["label"],
                    "places": len(link["places"]),
                    "clicked": clicked,
                    "rate": 100.0 * clicked / delivered if delivered else 0.0,
                    "clicks": clicks,
                    "bots": counted["bots"].get(str(number), 0),
                }
            )
        return described

    def _nurture_count_clicks(self, links):
        """What people did: ``{number of the link: (how many clicked it, how often)}``."""
        self.env["link.tracker.click"].flush_model()
        rows = self._nurture_query_links(
            links,
            SQL(
                """
                SELECT link.number, count(DISTINCT mailing_trace.id), count(*)
                  FROM link
                  JOIN link_tracker_click click ON click.link_id = link.tracker_id
                  JOIN mailing_trace ON mailing_trace.id = click.mailing_trace_id
                 WHERE mailing_trace.mass_mailing_id = %s AND %s
              GROUP BY 1
                """,
                self.id,
                self.env["mailing.trace"]._nurture_sql_statistics()["clicked"],
            ),
        )
        return {number: counts for number, *counts in rows}

    def _nurture_count_bots(self, links):
        """What bots did: ``{number of the link: in how many mails they followed it}``."""
        rows = self._nurture_query_links(
            links,
            SQL(
                """
                SELECT link.number, count(DISTINCT mailing_trace.id)
                  FROM mailing_trace
            CROSS JOIN LATERAL jsonb_array_elements(mailing_trace.nurture_bot_notes) note
            CROSS JOIN LATERAL jsonb_array_elements_text(note -> 'links') followed(code)
                  JOIN link_tracker_code code ON code.code = followed.code
                  JOIN link ON link.tracker_id = code.link_id
                 WHERE mailing_trace.mass_mailing_id = %s AND note ->> 'kind' = 'click' AND %s
              GROUP BY 1
                """,
                self.id,
                self.env["mailing.trace"]._nurture_sql_statistics()["sent"],
            ),
        )
        return dict(rows)

    def _nurture_query_links(self, links, query):
        """Rows of a query on ``link``, which has the number of each link by its trackers."""
        self.env["mailing.trace"].flush_model()
        trackers = [
            SQL("(%s, %s)", number, tracker_id)
            for number, link in enumerate(links)
            for tracker_id in link["trackers"].ids
        ]
        if not trackers:
            return []
        values = SQL(", ").join(trackers)
        return self.env.execute_query(
            SQL("WITH link (number, tracker_id) AS (VALUES %s) %s", values, query)
        )


def _clicked_domain(link_ids):
    """The mailing traces of those who clicked one of these links."""
    return Domain("links_click_ids", "any", [("link_id", "in", link_ids)])
