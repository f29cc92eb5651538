from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import float_round

from ...tools.arguments import check_records, read_choice
from .mailing_trace_statistics import DEFINITIONS, RATE_DEFINITIONS, STATISTICS, rate

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

    _name = "mailing.mailing"
    _inherit = ["mailing.mailing", "nurture.results.mixin"]

    sent = fields.Integer(help=DEFINITIONS["sent"])
    opened = fields.Integer(help=DEFINITIONS["opened"])
    clicked = fields.Integer(help=DEFINITIONS["clicked"])
    replied = fields.Integer(help=DEFINITIONS["replied"])
    bounced = fields.Integer(help=DEFINITIONS["bounced"])
    ignored = fields.Integer(compute="_compute_statistics", help=DEFINITIONS["ignored"])
    no_reaction = fields.Integer(
        string="No Reaction Yet", compute="_compute_statistics", help=DEFINITIONS["no_reaction"]
    )
    unsubscribed = fields.Integer(compute="_compute_statistics", help=DEFINITIONS["unsubscribed"])
    complained = fields.Integer(compute="_compute_statistics", help=DEFINITIONS["complained"])
    opened_ratio = fields.Float(help=RATE_DEFINITIONS["opened"])
    replied_ratio = fields.Float(help=RATE_DEFINITIONS["replied"])
    bounced_ratio = fields.Float(help=RATE_DEFINITIONS["bounced"])
    clicks_ratio = fields.Float(
        compute="_compute_nurture_clicks_ratio", help=RATE_DEFINITIONS["clicked"]
    )
    nurture_unsubscribed_ratio = fields.Float(
        string="Unsubscribed (%)",
        compute="_compute_statistics",
        help=RATE_DEFINITIONS["unsubscribed"],
    )
    nurture_complained_ratio = fields.Float(
        string="Complained (%)",
        compute="_compute_statistics",
        help=RATE_DEFINITIONS["complained"],
    )
    # for who reads mailings at all, as core's
    nurture_invoiced = fields.Monetary(groups=None)
    nurture_invoiced_label = fields.Char(groups=None)
    nurture_is_to_leads = fields.Boolean(compute="_compute_nurture_beside_core")
    nurture_differs_from_core = fields.Boolean(compute="_compute_nurture_beside_core")

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
                    **{
                        f"nurture_{name}_ratio": _round(rate(statistics, name))
                        for name in ("unsubscribed", "complained")
                    },
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
        # the web client would call it by that of core's action
        action.pop("display_name", None)
        action["name"] = names[statistic]
        action["domain"] = list(self._nurture_mailing_traces_domain(statistic) & Domain(domain))
        action["context"] = {"create": False}
        return action

    def _nurture_open_recipients(self, statistic, domain=()):
        """Open the records whose mailing traces a statistic counts, archived ones too, as lost
        leads are. Where they are not as many as the mailing traces, since some are for others to
        see, are gone or got the mail twice, open the mailing traces.

        :param domain: of the mailing traces that count; without one, all
        :raise UserError: when there is no such statistic
        """
        check_records(self, one=True)
        names = self.env["mailing.trace"]._nurture_get_statistic_names()
        read_choice(self.env, statistic, names)
        mailing_traces = self.env["mailing.trace"].search_fetch(
            self._nurture_mailing_traces_domain(statistic) & Domain(domain), ["res_id"]
        )
        records = self.env[self.mailing_model_real].with_context(active_test=False)
        found = [("id", "in", mailing_traces.mapped("res_id"))]
        is_whole = records.has_access("read") and records.search_count(found) == len(mailing_traces)
        if not is_whole:
            return self._nurture_open_mailing_traces(statistic, domain)
        return self.env["nurture.sequence"]._open_list(records._name, names[statistic], found)

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

    _credited_by = "mailing_id"

    def _nurture_get_credits_domain(self):
        """Whosever leads they are, as in core."""
        return Domain("mailing_id", "in", self.ids)

    @api.depends_context("company", "uid", "allowed_company_ids")
    def _compute_nurture_beside_core(self):
        for mailing in self:
            mailing.nurture_is_to_leads = mailing.mailing_model_real == "crm.lead"
            mailing.nurture_differs_from_core = (
                mailing.crm_lead_count != mailing.nurture_lead_count
                or mailing.sale_quotation_count != mailing.nurture_quotation_count
                # core leaves the cents out
                or mailing.sale_invoiced_amount != int(mailing.nurture_invoiced)
            )

    # core's own numbers stay beside them where they differ; each opens what it counts, too

    def action_redirect_to_leads_and_opportunities(self):
        domain = Domain("source_id", "in", self.source_id.ids)
        return self._nurture_open_by_source("crm.lead", self.env._("Leads by UTM Source"), domain)

    def action_redirect_to_quotations(self):
        domain = Domain("source_id", "in", self.source_id.ids) & Domain("order_line", "!=", False)
        name = self.env._("Quotations by UTM Source")
        return self._nurture_open_by_source("sale.order", name, domain)

    def action_redirect_to_invoiced(self):
        domain = Domain("source_id", "in", self.source_id.ids)
        domain &= Domain("state", "not in", ["draft", "cancel"])
        name = self.env._("Invoiced by UTM Source")
        return self._nurture_open_by_source("account.move", name, domain)

    def _nurture_open_by_source(self, model, name, domain):
        records = self.env[model].sudo().with_context(active_test=False).search(domain)
        return self.env["nurture.sequence"]._open_documents(name, records)


def _round(percentage):
    """Rates are rounded as core does."""
    return float_round(percentage, precision_digits=2)
