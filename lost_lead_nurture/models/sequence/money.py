from itertools import product

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import format_amount

from ...tools.arguments import check_records, read_choice
from ...tools.prices import PRICE_DIGITS
from ...tools.sandbox import is_past
from ..core.results_mixin import EARNED, REVENUE_GROUPS

#: Who sees what a sequence costs.
COST_GROUPS = "lost_lead_nurture.group_user"
#: At so many percent of its budget the responsible of a sequence is notified.
THRESHOLDS = (80, 100)


class NurtureSequence(models.Model):
    """What a sequence costs, what it earns, and its budget. Costs are of messages that have left,
    what was earned is of the ledger, by the last touch."""

    _inherit = "nurture.sequence"

    cost_currency_id = fields.Many2one(
        "res.currency",
        string="Currency of Costs",
        compute="_compute_cost_currency_id",
        store=True,
        precompute=True,
        help="That of the sequence's company; without one, that of who made the sequence.",
    )
    fixed_cost = fields.Monetary(
        currency_field="cost_currency_id",
        groups=COST_GROUPS,
        help="What it costs however many messages leave: an agency, pictures, a translation.",
    )
    mail_cost = fields.Float(
        string="Cost per Mail",
        digits=PRICE_DIGITS,
        compute="_compute_message_prices",
        store=True,
        readonly=False,
        precompute=True,
        copy=False,
        groups=COST_GROUPS,
        help="What each mail costs that leaves. A new sequence takes it from the settings.",
    )
    budget = fields.Monetary(
        currency_field="cost_currency_id",
        groups=COST_GROUPS,
        help="What the sequence may cost. The responsible gets an activity when 80 % of it are "
        "spent, and when all is. 0: no limit.",
    )
    budget_stop = fields.Boolean(
        string="Stop When It Is Spent",
        groups=COST_GROUPS,
        help="The sequence stops when its budget is spent, and cannot be started again before "
        "there is a higher one.",
    )
    budget_warned = fields.Integer(
        string="Budget: Notified At (%)",
        readonly=True,
        copy=False,
        groups=COST_GROUPS,
        help="The last threshold at which the responsible was notified.",
    )
    message_cost = fields.Monetary(
        string="Cost of Messages",
        compute="_compute_costs",
        currency_field="cost_currency_id",
        groups=COST_GROUPS,
        help="Messages that left, times what each costs.",
    )
    total_cost = fields.Monetary(
        string="Cost",
        compute="_compute_costs",
        currency_field="cost_currency_id",
        groups=COST_GROUPS,
        help="The fixed cost, and that of the messages that left.",
    )
    budget_used = fields.Float(
        string="Budget Spent (%)",
        compute="_compute_costs",
        aggregator=None,
        groups=COST_GROUPS,
        help="The cost in percent of the budget.",
    )
    discount_granted = fields.Monetary(
        compute="_compute_earned",
        currency_field="cost_currency_id",
        groups=REVENUE_GROUPS,
        help="List price of what was ordered, less its price in the orders that are credited. It "
        "is no cost: revenue and margin are what is left after it.",
    )
    revenue = fields.Monetary(
        compute="_compute_earned",
        currency_field="cost_currency_id",
        groups=REVENUE_GROUPS,
        help="Untaxed total of what was paid, less refunds, of the orders that are credited.",
    )
    margin = fields.Monetary(
        compute="_compute_earned",
        currency_field="cost_currency_id",
        groups=REVENUE_GROUPS,
        help="Revenue less what its products cost, of those orders where that is known of all "
        "products.",
    )
    revenue_without_margin = fields.Monetary(
        string="Revenue of Unknown Margin",
        compute="_compute_earned",
        currency_field="cost_currency_id",
        groups=REVENUE_GROUPS,
        help="Revenue of products of which it is not known what they cost.",
    )
    deal_count = fields.Integer(
        string="Won Deals",
        compute="_compute_earned",
        aggregator=None,
        groups=f"sales_team.group_sale_salesman,{COST_GROUPS}",
        help="Orders that are credited.",
    )
    roi = fields.Float(
        string="ROI (%)",
        compute="_compute_return",
        aggregator=None,
        groups=COST_GROUPS,
        help="Return on investment: (margin where it is known, else revenue, less the cost) ÷ the "
        "cost.",
    )
    cost_per_deal = fields.Monetary(
        string="Cost per Won Deal",
        compute="_compute_return",
        currency_field="cost_currency_id",
        groups=COST_GROUPS,
        aggregator=None,
        help="The cost ÷ the number of won deals.",
    )
    deals_per_cost = fields.Float(
        string="Won Deals per 100 of Cost",
        compute="_compute_return",
        groups=COST_GROUPS,
        aggregator=None,
        help="The number of won deals ÷ the cost, for 100 units of the currency.",
    )

    # ------------------------------------------------------------
    # COSTS
    # ------------------------------------------------------------

    @api.depends("company_id.currency_id")
    def _compute_cost_currency_id(self):
        for sequence in self:
            # amounts that somebody has typed stay in their currency
            sequence.cost_currency_id = (
                sequence.company_id.currency_id
                or sequence.cost_currency_id
                or self.env.company.currency_id
            )

    @api.depends("company_id")
    def _compute_message_prices(self):
        for sequence in self:
            company = sequence.company_id or self.env.company
            sequence.mail_cost = company.nurture_mail_cost

    @api.constrains(lambda self: ["fixed_cost", "budget", *self._get_price_fields().values()])
    def _check_costs(self):
        names = ("fixed_cost", "budget", *self._get_price_fields().values())
        for sequence, name in product(self.sudo(), names):
            if sequence[name] < 0:
                raise ValidationError(
                    self.env._(
                        "“%(sequence)s”: %(field)s is an amount, 0 or more.",
                        sequence=sequence.name,
                        field=self._fields[name]._description_string(self.env),
                    )
                )

    @api.model
    def _get_price_fields(self):
        """What a message costs, by the type of its mailing.

        :return: ``{type of mailing: name of the field}``
        """
        return {"mail": "mail_cost"}

    @api.depends(lambda self: ["fixed_cost", "budget", *self._get_price_fields().values()])
    @api.depends_context("uid", "allowed_company_ids")
    def _compute_costs(self):
        prices = self._get_price_fields()
        for sequence, statistics in self._get_statistics("mails").items():
            currency = sequence.cost_currency_id
            cost = sum(
                number * sequence[prices[mailing_type]]
                for mailing_type, number in sequence._count_sent(statistics["mails"]).items()
                if mailing_type in prices
            )
            sequence.message_cost = currency.round(cost) if currency else cost
            sequence.total_cost = sequence.fixed_cost + sequence.message_cost
            sequence.budget_used = (
                100.0 * sequence.total_cost / sequence.budget if sequence.budget else 0.0
            )

    def _count_sent(self, mails):
        """How many messages have left.

        :param mails: ``{mailing id: {statistic: number}}``, see :meth:`_count_statistics`
        :return: ``{type of mailing: number}``
        """
        sent = {}
        # what type a mailing is of is no secret
        for mailing in self._get_mailings().sudo():
            number = mails.get(str(mailing._origin.id), {}).get("sent", 0)
            sent[mailing.mailing_type] = sent.get(mailing.mailing_type, 0) + number
        return sent

    # ------------------------------------------------------------
    # WHAT CAME OF IT
    # ------------------------------------------------------------

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_earned(self):
        domain = self._credits_domain()
        deals = self.env["nurture.credit"]._count("orders", "sequence_id", domain)
        amounts = {
            name: self.env["nurture.credit"]._add_up(
                field,
                "sequence_id",
                domain & self._amount_domain(name),
                lambda sequence: sequence.cost_currency_id,
            )
            for name, field in self._get_amounts().items()
        }
        for sequence in self:
            sequence.deal_count = deals.get(sequence._origin.id, 0)
            for name, by_sequence in amounts.items():
                sequence[name] = by_sequence.get(sequence._origin.id, 0.0)

    @api.model
    def _get_amounts(self):
        """The amounts that add up from the ledger.

        :return: ``{field of the sequence: field of nurture.credit}``
        """
        return {
            "revenue": "company_amount",
            "margin": "margin",
            "revenue_without_margin": "company_amount",
            "discount_granted": "discount",
        }

    @api.model
    def _amount_domain(self, name):
        """The credits that one of :meth:`_get_amounts` adds up."""
        if name == "discount_granted":
            return Domain("kind", "=", "order") & Domain("discount", "!=", 0)
        earned = Domain("kind", "in", EARNED)
        if name == "revenue":
            return earned
        return earned & Domain("outcome_id.is_margin_known", "=", name == "margin")

    @api.depends("total_cost", "margin", "revenue_without_margin", "deal_count")
    def _compute_return(self):
        for sequence in self:
            cost, deals = sequence.total_cost, sequence.deal_count
            earned = sequence.margin + sequence.revenue_without_margin
            sequence.roi = 100.0 * (earned - cost) / cost if cost else 0.0
            sequence.cost_per_deal = cost / deals if deals else 0.0
            sequence.deals_per_cost = 100.0 * deals / cost if cost else 0.0

    # ------------------------------------------------------------
    # BUDGET
    # ------------------------------------------------------------

    def _check_budget(self):
        """Notify the responsible of running sequences that have spent the next part of their
        budget, and stop those that are to stop when it is spent. Of big ones the last count is
        taken."""
        if is_past(self.env):
            # what has been spent is counted of what really left
            return
        for sequence in self.filtered(lambda one: one.state == "running" and one.budget):
            passed = [part for part in THRESHOLDS if sequence.budget_used >= part]
            reached = max(passed, default=0)
            # a higher budget begins anew
            if reached == sequence.budget_warned:
                if reached == THRESHOLDS[-1]:
                    # it may be that it is to stop only since
                    sequence._stop_when_spent()
                continue
            is_more = reached > sequence.budget_warned
            sequence.budget_warned = reached
            if is_more:
                sequence._warn_of_budget(reached)

    def _warn_of_budget(self, reached):
        """Notify the responsible, and stop the sequence if it is to be stopped.

        :param reached: the threshold that was passed, in percent
        """
        if reached < THRESHOLDS[-1]:
            summary = self.env._("%s %% of the budget are spent", reached)
        else:
            summary = self.env._("The budget is spent")
            self._stop_when_spent()
        self._warn(summary, Markup("<p>%s</p>") % self._say_spent())

    def _stop_when_spent(self):
        if self.budget_stop:
            self.action_stop()
            self.last_error = self.env._("Stopped automatically: %s", self._say_spent())

    def _say_spent(self):
        return self.env._(
            "%(cost)s of the budget of %(budget)s are spent.",
            cost=format_amount(self.env, self.total_cost, self.cost_currency_id),
            budget=format_amount(self.env, self.budget, self.cost_currency_id),
        )

    def _get_money_problems(self):
        """What of its budget keeps the sequence from running, in the user's words."""
        money = self.sudo()
        if money.budget_stop and money.budget and money.budget_used >= THRESHOLDS[-1]:
            return [self.env._("Its budget is spent. Raise it, or let it be exceeded.")]
        return []

    # ------------------------------------------------------------
    # ACTIONS
    # ------------------------------------------------------------

    def action_view_deals(self):
        """Open the orders that are credited to the sequence, as far as the user may see them."""
        check_records(self, one=True)
        # it tells how many there are, which not everybody may know
        self.check_access("read")
        self._check_field_access(self._fields["deal_count"], "read")
        return self.env["nurture.credit"]._open(
            "orders", self.env._("Won Deals"), self._credits_domain()
        )

    def action_view_amount(self):
        """Open the credits that an amount adds up; the context key ``nurture_statistic`` says
        which: ``revenue``, ``margin``, ``revenue_without_margin`` or ``discount_granted``.

        :raise UserError: when it is none of them
        """
        check_records(self, one=True)
        self.check_access("read")
        names = {
            name: self._fields[name]._description_string(self.env) for name in self._get_amounts()
        }
        name = read_choice(self.env, self.env.context.get("nurture_statistic", "revenue"), names)
        self._check_field_access(self._fields[name], "read")
        domain = Domain("model", "=", "last") & self._credits_domain() & self._amount_domain(name)
        return self._open_list("nurture.credit", names[name], domain, view_mode="list,pivot,graph")
