from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ...tools import bots
from ...tools.inside import Inside
from ...tools.mail_texts import fill_text
from ...tools.send_batch import get_composed

#: How long core's note of the address is kept from which somebody clicked.
IP_KEPT = timedelta(days=30)
#: So many are forgotten at a time.
FORGOTTEN_TOGETHER = 50_000


class LinkTracker(models.Model):
    _inherit = "link.tracker"

    # core looks for the links of a mail by their address
    _nurture_mailing_index = models.Index("(mass_mailing_id) WHERE mass_mailing_id IS NOT NULL")

    nurture_unique_clicks = fields.Integer(
        compute="_compute_nurture_unique_clicks",
        string="Unique Clicks",
        groups="lost_lead_nurture.group_user",
        help="How many mails it was clicked in, however often.",
    )

    nurture_mail = fields.Char(
        compute="_compute_nurture_mail",
        string="Mail",
        groups="lost_lead_nurture.group_user",
        help="The subject of the mail it is in, with the fallbacks of its placeholders.",
    )

    @api.depends("mass_mailing_id.subject")
    def _compute_nurture_mail(self):
        for link in self:
            link.nurture_mail = fill_text(link.mass_mailing_id.subject)

    @api.depends("link_click_ids.mailing_trace_id")
    def _compute_nurture_unique_clicks(self):
        counts = dict(
            self.env["link.tracker.click"]._read_group(
                [("link_id", "in", self.ids)], ["link_id"], ["mailing_trace_id:count_distinct"]
            )
        )
        for link in self:
            link.nurture_unique_clicks = counts.get(link, 0)

    def action_view_nurture_clicks(self):
        """Open who clicked the link, and when."""
        self.ensure_one()
        action = self.env["ir.actions.actions"]._for_xml_id(
            "lost_lead_nurture.nurture_link_click_action"
        )
        return action | {"domain": [("link_id", "=", self.id)]}

    def search_or_create(self, vals_list):
        """Core looks every link up once per mail. Within one mailing the same link has the same
        tracker, so a batch looks each up once."""
        batch = get_composed(self.env)
        if not batch:
            return super().search_or_create(vals_list)
        known = batch.links
        keys = [tuple(sorted(vals.items())) for vals in vals_list]
        new = {key: vals for key, vals in zip(keys, vals_list, strict=True) if key not in known}
        if new:
            trackers = super().search_or_create(list(new.values()))
            known.update(zip(new, trackers.ids, strict=True))
        return self.browse(known[key] for key in keys)


class LinkTrackerClick(models.Model):
    _inherit = "link.tracker.click"

    nurture_participant_id = fields.Many2one(
        related="mailing_trace_id.nurture_trace_id.participant_id",
        string="Lead",
        # everybody in the company may read clicks, but not who made them
        groups="lost_lead_nurture.group_user",
    )

    # what _nurture_forget_ips looks for
    _nurture_ip_index = models.Index(
        "(create_date) WHERE ip IS NOT NULL AND mailing_trace_id IS NOT NULL"
    )

    @api.autovacuum
    def _nurture_forget_ips(self):
        """Whether it was a person who clicked in a mail of a sequence is decided soon, and kept:
        from where the click came is not needed any more.

        :return: how many were forgotten, and how many may be left
        """
        rows = self.env.execute_query(
            SQL(
                """
                UPDATE link_tracker_click
                   SET ip = NULL
                 WHERE id IN (SELECT click.id
                                FROM link_tracker_click click
                                JOIN mailing_trace ON mailing_trace.id = click.mailing_trace_id
                               WHERE click.ip IS NOT NULL
                                 AND click.create_date < %s
                                 AND mailing_trace.nurture_trace_id IS NOT NULL
                               LIMIT %s)
                RETURNING id
                """,
                fields.Datetime.now() - IP_KEPT,
                FORGOTTEN_TOGETHER,
            )
        )
        self.invalidate_model(["ip"])
        return len(rows), len(rows) == FORGOTTEN_TOGETHER

    @api.model
    def add_click(self, code, **route_values):
        """A click on a mail of a sequence, or on one that lets leads into a sequence, is counted
        when it turned out to be a person's."""
        request = bots.get_request(self.env)
        if request and route_values.get("mailing_trace_id"):
            mailing_traces = self.env["mailing.trace"].sudo()
            mailing_trace_id = route_values.pop("mailing_trace_id")
            if mailing_trace := mailing_traces._nurture_find_judged(mailing_trace_id):
                self.env["nurture.hit"].sudo()._note(
                    mailing_trace, "click", request, code, route_values
                )
                return self.browse()
            route_values["mailing_trace_id"] = mailing_trace_id
        # the sequence wants to know which link it was, and core's set_clicked is not given it
        clicks = self.with_context(nurture_link_code=Inside(code))
        return super(LinkTrackerClick, clicks).add_click(code, **route_values)
