from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL, float_round, format_amount

from ...tools.arguments import check_records, read_choice
from .mailing_trace_statistics import STATISTICS, rate

#: Which statistic each of core's lists of recipients is about.
_CORE_LISTS = {
    "sent": "sent",
    "delivered": "received",
    "open": "opened",
    "clicked": "clicked",
    "reply": "replied",
    "bounce": "bounced",
}


class MailingMailing(models.Model):
    """What came of a mailing: its statistics mean the same as those of sequences, and each of its
    buttons opens exactly what it counts."""

    _inherit = "mailing.mailing"

    ignored = fields.Integer(
        compute="_compute_statistics",
        help="Messages delivered a day ago or earlier, and neither opened, clicked nor answered.",
    )
    no_reaction = fields.Integer(
        string="No Reaction Yet",
        compute="_compute_statistics",
        help="Messages delivered less than a day ago, and neither opened, clicked nor answered: it "
        "is too early to call them ignored.",
    )
    clicks_ratio = fields.Float(compute="_compute_nurture_clicks_ratio")
    crm_lead_count = fields.Integer(compute="_compute_nurture_lead_count")
    sale_quotation_count = fields.Integer(compute="_compute_nurture_quotation_count")
    sale_invoiced_amount = fields.Integer(compute="_compute_nurture_invoiced")
    nurture_invoiced_label = fields.Char(
        string="Invoiced (Paid)",
        compute="_compute_nurture_invoiced",
        help="Untaxed total of the paid invoices, less refunds, that came of this mailing.",
    )

    # ------------------------------------------------------------
    # MESSAGES
    # ------------------------------------------------------------

    def _compute_statistics(self):  # pylint: disable=missing-return
        super()._compute_statistics()
        for mailing, statistics in self._nurture_statistics_by_mailing().items():
            rates = {name: rate(statistics, name) for name in ("opened", "replied", "bounced")}
            # as in core: of all that was to be sent
            to_send = mailing.expected - mailing.canceled
            rates["received"] = 100.0 * statistics["received"] / to_send if to_send else 0.0
            mailing.update(
                {
                    **{name: statistics[name] for name in STATISTICS},
                    "delivered": statistics["received"],
                    **{f"{name}_ratio": _round(value) for name, value in rates.items()},
                }
            )

    def _compute_nurture_clicks_ratio(self):
        """Core's rate counts clicks in tests, and none in mails that bounced or failed."""
        for mailing, statistics in self._nurture_statistics_by_mailing().items():
            mailing.clicks_ratio = _round(rate(statistics, "clicked"))

    def _nurture_statistics_by_mailing(self, domain=()):
        """Counts of the mailing traces of these mailings: ``{mailing: {statistic: number}}``.

        :param domain: of the mailing traces that count; without one, all
        """
        return self.env["mailing.trace"]._nurture_count_statistics(self, domain)

    def _nurture_mailing_traces_domain(self, statistic):
        domains = self.env["mailing.trace"]._nurture_get_statistics()
        return Domain("mass_mailing_id", "in", self.ids) & domains[statistic]

    def _nurture_open_mailing_traces(self, statistic, domain=()):
        """Open the mailing traces of ``self`` behind a statistic.

        :param domain: of the mailing traces that count; without one, all
        :raise UserError: when there is no such statistic
        """
        mailing_traces = self.env["mailing.trace"]
        names = mailing_traces._nurture_get_statistic_names()
        read_choice(self.env, statistic, names)
        action = self.env["ir.actions.actions"]._for_xml_id("mass_mailing.mailing_trace_action")
        action["name"] = names[statistic]
        action["domain"] = list(self._nurture_mailing_traces_domain(statistic) & Domain(domain))
        action["context"] = {"create": False}
        return action

    def _nurture_open_recipients(self, statistic):
        """Open the records whose mailing traces a statistic counts, archived ones too, as lost
        leads are. Where they are not as many as the mailing traces, since some are for others to
        see, are gone or got the mail twice, open the mailing traces.

        :raise UserError: when there is no such statistic
        """
        check_records(self, one=True)
        names = self.env["mailing.trace"]._nurture_get_statistic_names()
        read_choice(self.env, statistic, names)
        mailing_traces = self.env["mailing.trace"].search_fetch(
            self._nurture_mailing_traces_domain(statistic), ["res_id"]
        )
        records = self.env[self.mailing_model_real].with_context(active_test=False)
        domain = [("id", "in", mailing_traces.mapped("res_id"))]
        is_whole = records.has_access("read") and records.search_count(domain) == len(
            mailing_traces
        )
        if not is_whole:
            return self._nurture_open_mailing_traces(statistic)
        return self.env["nurture.sequence"]._open_list(records._name, names[statistic], domain)

    def action_view_nurture_mails(self):
        """Open what is behind a statistic; the context key ``nurture_statistic`` says which."""
        return self._nurture_open_recipients(self.env.context.get("nurture_statistic", "sent"))

    def _action_view_documents_filtered(self, view_filter):
        action = super()._action_view_documents_filtered(view_filter)
        statistic = _CORE_LISTS.get(view_filter)
        if not statistic:
            return action
        helper = action.get("help")
        if isinstance(helper, tuple):
            # a comma too many in core
            helper = helper[0]
        return {**self._nurture_open_recipients(statistic), "help": helper}

    def _action_view_traces_filtered(self, view_filter):
        """Core calls them all “Sent Mailings”, and leaves it to the search view to choose them."""
        action = super()._action_view_traces_filtered(view_filter)
        names = {
            "scheduled": self.env._("In the Queue"),
            "canceled": self.env._("Cancelled"),
            "process": self.env._("Being Processed"),
            "failed": self.env._("Failed"),
            "sent": self.env._("Sent"),
        }
        if view_filter in names:
            action["name"] = names[view_filter]
        if view_filter == "sent":
            action["domain"] = list(self._nurture_mailing_traces_domain("sent"))
            action["context"] = {"create": False}
        return action

    def action_view_link_trackers(self):
        action = super().action_view_link_trackers()
        return {**action, "name": self.env._("Link Trackers"), "context": {"create": False}}

    # ------------------------------------------------------------
    # RESULTS: core credits by UTM source, which a lead that is won back does not change
    # ------------------------------------------------------------

    def _nurture_leads_domain(self):
        """Leads that came of this mail: made by way of it, as core counts them, or won back."""
        own = Domain("source_id", "in", self.source_id.ids)
        by_step = Domain("nurture_participant_ids.credited_step_id.mailing_id", "in", self.ids)
        return own | by_step | Domain("nurture_credit_ids.mailing_id", "in", self.ids)

    def _nurture_orders_domain(self):
        """Quotations that came of this mail: by its UTM source, as core counts them, or of leads
        that it won back."""
        own = Domain("source_id", "in", self.source_id.ids) & Domain("order_line", "!=", False)
        by_step = Domain("nurture_participant_id.credited_step_id.mailing_id", "in", self.ids)
        return own | by_step | Domain("nurture_credit_id.mailing_id", "in", self.ids)

    def _nurture_paid_domain(self):
        """Invoice lines that are paid and came of this mail: of the quotations, or invoiced without
        one with its UTM source."""
        without_order = (
            Domain("sale_line_ids", "=", False)
            & Domain("move_id.source_id", "in", self.source_id.ids)
            & Domain("display_type", "=", "product")
        )
        of_orders = Domain("sale_line_ids.order_id", "any", self._nurture_orders_domain())
        return (of_orders | without_order) & self.env["account.move.line"]._nurture_paid_domain()

    def _compute_nurture_lead_count(self):
        """Whosever they are, as in core."""
        leads = self.env["crm.lead"].sudo().with_context(active_test=False)
        counts = self._nurture_count(leads, "_nurture_leads_domain")
        for mailing in self:
            mailing.crm_lead_count = counts.get(mailing._origin.id, 0)

    @api.depends("mailing_domain")
    def _compute_nurture_quotation_count(self):
        counts = self._nurture_count(self.env["sale.order"].sudo(), "_nurture_orders_domain")
        for mailing in self:
            mailing.sale_quotation_count = counts.get(mailing._origin.id, 0)

    @api.depends("mailing_domain")
    @api.depends_context("company")
    def _compute_nurture_invoiced(self):
        lines = self.env["account.move.line"].sudo()
        amounts = lines._nurture_add_up(self._nurture_pairs(lines, "_nurture_paid_domain"))
        currency = self.env.company.currency_id
        for mailing in self:
            amount = lines._nurture_convert(amounts.get(mailing._origin.id), currency)
            mailing.sale_invoiced_amount = amount
            mailing.nurture_invoiced_label = format_amount(
                self.env, amount, currency, trailing_zeroes=False
            )

    def _nurture_pairs(self, records, domain):
        """SELECT of ``key``, the id of a mailing, and ``id`` of what came of it.

        :param records: empty recordset of what is looked for
        :param domain: name of the method that gives the domain of one mailing
        """
        return SQL(" UNION ALL ").join(
            SQL(
                "SELECT %s AS key, found.id FROM %s found(id)",
                mailing._origin.id or 0,
                records._search(getattr(mailing, domain)()).subselect(),
            )
            for mailing in self
        )

    def _nurture_count(self, records, domain):
        """How many records came of each mailing; arguments as :meth:`_nurture_pairs`.

        :return: ``{mailing id: number}``
        """
        if not self:
            return {}
        pairs = self._nurture_pairs(records, domain)
        return dict(
            self.env.execute_query(SQL("SELECT key, count(*) FROM (%s) pair GROUP BY key", pairs))
        )

    def action_redirect_to_leads_and_opportunities(self):
        name = self.env._("Leads") if self.use_leads else self.env._("Opportunities")
        return self._nurture_open_results("crm.lead", name, self._nurture_leads_domain())

    def action_redirect_to_quotations(self):
        name = self.env._("Quotations")
        return self._nurture_open_results("sale.order", name, self._nurture_orders_domain())

    def action_redirect_to_invoiced(self):
        return self.env["account.move.line"]._nurture_open_invoices(self._nurture_paid_domain())

    def _nurture_open_results(self, model, name, domain):
        records = self.env[model].sudo().with_context(active_test=False).search(domain)
        return self.env["nurture.sequence"]._open_documents(name, records)


def _round(percentage):
    """Rates are rounded as core does."""
    return float_round(percentage, precision_digits=2)
