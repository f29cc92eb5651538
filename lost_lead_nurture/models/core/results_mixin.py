from odoo import api, fields, models
from odoo.fields import Domain

from ...tools.arguments import check_records, read_choice
from ...tools.shares import say_amount

#: Who may know, where everybody reads the record. Whose leads count for whom is up to
#: :meth:`_nurture_get_credits_domain`.
GROUPS = (
    "lost_lead_nurture.group_user,sales_team.group_sale_salesman,"
    "mass_mailing.group_mass_mailing_user,account.group_account_invoice"
)
#: Who sees what was earned: the marketer who is to earn it, and bookkeepers.
REVENUE_GROUPS = "lost_lead_nurture.group_user,account.group_account_invoice"

#: Kinds of outcomes that add up to what was earned. Refunds are negative.
EARNED = ("paid", "refunded")
#: The field with the number of each statistic.
_NUMBERS = {
    "leads": "nurture_lead_count",
    "quotations": "nurture_quotation_count",
    "invoices": "nurture_invoiced",
}


class NurtureResultsMixin(models.AbstractModel):
    """What came of a mailing, a step, a preset, a lost reason, a lead or a contact: the same
    statistics everywhere, from the ledger, each with a button that opens what it counts."""

    _name = "nurture.results.mixin"
    _inherit = ["nurture.hints.mixin"]
    _description = "Nurture: What Came of It"
    #: What of a credit leads here.
    _credited_by = None

    nurture_lead_count = fields.Integer(
        compute="_compute_nurture_results",
        string="Leads Won by Mails",
        help="Leads that were restored, or that a meeting or a quotation came of, after somebody "
        "had clicked in a mail or replied to it.",
    )
    nurture_quotation_count = fields.Integer(
        compute="_compute_nurture_results",
        string="Quotations Won by Mails",
        help="Quotations and orders that came of it. What somebody clicked in or replied to last "
        "before it is credited; to open a mail is not enough.",
    )
    nurture_results_currency_id = fields.Many2one(
        "res.currency",
        compute="_compute_nurture_results",
        string="Currency of the Results",
    )
    nurture_invoiced = fields.Monetary(
        compute="_compute_nurture_results",
        currency_field="nurture_results_currency_id",
        groups=REVENUE_GROUPS,
        string="Invoiced (Paid) Thanks to Mails",
        help="Untaxed total of what was paid, less refunds, that came of it.",
    )
    nurture_invoiced_label = fields.Char(
        compute="_compute_nurture_results",
        groups=REVENUE_GROUPS,
        string="Invoiced (Paid) in Short",
    )

    @api.depends_context("company", "uid", "allowed_company_ids")
    def _compute_nurture_results(self):
        credits_ = self.env["nurture.credit"]
        domain = self._nurture_get_credits_domain()
        leads, quotations = (
            credits_._count(statistic, self._credited_by, domain)
            for statistic in ("leads", "quotations")
        )
        currency = self.env.company.currency_id
        amounts = credits_._earned(self._credited_by, domain, lambda _record: currency)
        for record in self:
            amount = amounts.get(record._origin.id, 0.0)
            record.update(
                {
                    "nurture_lead_count": leads.get(record._origin.id, 0),
                    "nurture_quotation_count": quotations.get(record._origin.id, 0),
                    "nurture_results_currency_id": currency,
                    "nurture_invoiced": amount,
                    "nurture_invoiced_label": say_amount(self.env, amount, currency),
                }
            )

    def _nurture_get_credits_domain(self):
        """The credits that count: whosever documents they are of, and for salespeople who see own
        leads only, of these."""
        credited = Domain(self._credited_by, "in", self.ids)
        credited &= Domain("company_id", "in", [*self.env.companies.ids, False])
        if self.env["nurture.sequence"]._sees_all_leads():
            return credited
        return credited & Domain("lead_id.user_id", "=", self.env.uid)

    def action_view_nurture_results(self):
        """Open what came of it; the context key ``nurture_statistic`` says what: ``leads``,
        ``quotations`` or ``invoices``.

        :raise UserError: when it is none of them
        """
        check_records(self, one=True)
        # it tells how many there are, which not everybody may know
        self.check_access("read")
        names = {
            "leads": self.env._("Leads"),
            "quotations": self.env._("Quotations"),
            "invoices": self.env._("Invoiced (Paid)"),
        }
        statistic = read_choice(self.env, self.env.context.get("nurture_statistic", "leads"), names)
        self._check_field_access(self._fields[_NUMBERS[statistic]], "read")
        return self.env["nurture.credit"]._open(
            statistic, names[statistic], self._nurture_get_credits_domain()
        )
