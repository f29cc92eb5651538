from odoo import fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain

from .results_mixin import EARNED, REVENUE_GROUPS

#: Whose digest says how many mails of sequences went out.
_MAIL_GROUPS = "lost_lead_nurture.group_user"
#: Whose digest says who was won back: of their own leads, where they see no others.
_LEAD_GROUPS = "lost_lead_nurture.group_user,sales_team.group_sale_salesman"


class DigestDigest(models.Model):
    """What sequences came to, in core's digest: of the company and the period that it is about,
    and as far as its recipient may see it."""

    _inherit = "digest.digest"

    kpi_nurture_won_back = fields.Boolean("Leads Won Back")
    kpi_nurture_won_back_value = fields.Integer(
        compute="_compute_kpi_nurture_won_back_value",
        help="Leads that were won back after a mail of a sequence.",
    )
    kpi_nurture_invoiced = fields.Boolean("Invoiced (Paid) Thanks to Sequences")
    kpi_nurture_invoiced_value = fields.Monetary(
        compute="_compute_kpi_nurture_invoiced_value",
        groups=REVENUE_GROUPS,
        help="Untaxed total of what was paid, less refunds, by the last touch, in the currency of "
        "the company.",
    )
    kpi_nurture_sent = fields.Boolean("Messages of Sequences Sent")
    kpi_nurture_sent_value = fields.Integer(
        compute="_compute_kpi_nurture_sent_value",
        help="Messages of sequences that left; tests do not count.",
    )
    kpi_nurture_delivered = fields.Boolean("Messages of Sequences Delivered")
    kpi_nurture_delivered_value = fields.Integer(
        compute="_compute_kpi_nurture_delivered_value",
        help="Those of them that did not bounce.",
    )

    def _compute_kpi_nurture_won_back_value(self):
        self._nurture_check(_LEAD_GROUPS)
        start, end, companies = self._get_kpi_compute_parameters()
        rows = self.env["nurture.participant"]._read_group(
            [
                ("company_id", "in", companies.ids),
                ("won_back_date", ">=", start),
                ("won_back_date", "<", end),
            ],
            ["company_id"],
            # leads, not journeys, as everywhere
            ["lead_id:count_distinct"],
        )
        self._nurture_write("kpi_nurture_won_back_value", dict(rows))

    def _compute_kpi_nurture_invoiced_value(self):
        self._nurture_check(REVENUE_GROUPS)
        self.env["nurture.outcome"]._catch_up()
        self._calculate_company_based_kpi(
            "nurture.credit",
            "kpi_nurture_invoiced_value",
            date_field="date",
            additional_domain=[
                ("model", "=", "last"),
                ("kind", "in", EARNED),
                ("sequence_id", "!=", False),
            ],
            sum_field="company_amount",
        )

    def _compute_kpi_nurture_sent_value(self):
        self._nurture_count_messages("sent")

    def _compute_kpi_nurture_delivered_value(self):
        self._nurture_count_messages("delivered")

    def _compute_kpis_actions(self, company, user):
        actions = super()._compute_kpis_actions(company, user)
        if user.has_group("lost_lead_nurture.group_user"):
            action, menu = "nurture_dashboard_action", "lost_lead_nurture.nurture_menu_root"
        else:
            # salespeople find the journeys of their leads where they work
            action, menu = "nurture_participant_action", "crm.crm_menu_root"
        address = f"lost_lead_nurture.{action}?menu_id={self.env.ref(menu).id}"
        for name in ("won_back", "invoiced", "sent", "delivered"):
            actions[f"kpi_nurture_{name}"] = address
        return actions

    # ------------------------------------------------------------
    # HELPERS
    # ------------------------------------------------------------

    def _nurture_check(self, groups):
        """Core leaves away what raises this."""
        if not self.env.user.has_groups(groups):
            raise AccessError(self.env._("This is not for your digest."))

    def _nurture_count_messages(self, statistic):
        """Count messages by the day on which they left."""
        self._nurture_check(_MAIL_GROUPS)
        start, end, companies = self._get_kpi_compute_parameters()
        mailing_traces = self.env["mailing.trace"]
        domain = mailing_traces._nurture_get_statistics()[statistic]
        domain &= Domain("sent_datetime", ">=", start) & Domain("sent_datetime", "<", end)
        counts = {
            company: mailing_traces.search_count(
                domain & Domain("nurture_trace_id", "any", [("company_id", "=", company.id)])
            )
            for company in companies
        }
        self._nurture_write(f"kpi_nurture_{statistic}_value", counts)

    def _nurture_write(self, name, by_company):
        """Set a value of these digests.

        :param by_company: ``{company: value}``
        """
        for digest in self:
            # as core chooses it
            digest[name] = by_company.get(digest.company_id or self.env.company, 0)
