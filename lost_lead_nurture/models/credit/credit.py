from odoo import api, fields, models
from odoo.tools import SQL

from ...tools.attribution import WINDOW_DAYS, Touch, divide, share_out
from ..core.results_mixin import REVENUE_GROUPS

#: Models of attribution, as people call them.
MODELS = [("last", "Last Touch"), ("first", "First Touch"), ("linear", "Linear")]
#: What a credit copies of its message, so that it stays when the message is cleaned up.
_OF_MESSAGE = ("mailing_trace_id", "mailing_id", "participant_id", "sequence_id", "step_id")


class NurtureCredit(models.Model):
    """The share that a message has in an outcome, by a model of attribution.

    A message has a share when a person clicked in it or replied to it, before the outcome and not
    longer ago than its attribution window. To open it is not enough: nobody knows whether it was
    read. The shares of an outcome add up to 1 by each model.
    """

    _name = "nurture.credit"
    _description = "Nurture Credit"
    _order = "id desc"
    _log_access = False

    outcome_id = fields.Many2one(
        "nurture.outcome", required=True, readonly=True, index=True, ondelete="cascade"
    )
    model = fields.Selection(MODELS, string="Attribution", required=True, readonly=True)
    share = fields.Float(required=True, readonly=True, help="From 0 to 1.")
    touch_date = fields.Datetime(
        required=True, readonly=True, help="When somebody clicked or replied last, before it."
    )
    mailing_trace_id = fields.Many2one(
        "mailing.trace", readonly=True, index="btree_not_null", ondelete="set null"
    )
    mailing_id = fields.Many2one(
        "mailing.mailing", readonly=True, index="btree_not_null", ondelete="set null"
    )
    participant_id = fields.Many2one(
        "nurture.participant", readonly=True, index="btree_not_null", ondelete="cascade"
    )
    sequence_id = fields.Many2one(
        "nurture.sequence", readonly=True, index="btree_not_null", ondelete="cascade"
    )
    step_id = fields.Many2one(
        "nurture.step", readonly=True, index="btree_not_null", ondelete="set null"
    )
    company_currency_id = fields.Many2one(related="outcome_id.company_currency_id")
    company_amount = fields.Monetary(
        currency_field="company_currency_id",
        readonly=True,
        groups=REVENUE_GROUPS,
        help="Its part of the outcome, untaxed, in the currency of the company.",
    )
    margin = fields.Monetary(
        currency_field="company_currency_id", readonly=True, groups=REVENUE_GROUPS
    )
    discount = fields.Monetary(
        string="Discount Granted",
        currency_field="company_currency_id",
        readonly=True,
        groups=REVENUE_GROUPS,
        help="Its part of the discount that was granted on an order.",
    )
    # of the outcome, to be counted and analysed by
    kind = fields.Selection(related="outcome_id.kind", store=True, precompute=True)
    date = fields.Datetime(related="outcome_id.date", store=True, precompute=True)
    lead_id = fields.Many2one(
        related="outcome_id.lead_id", store=True, precompute=True, index="btree_not_null"
    )
    partner_id = fields.Many2one(
        related="outcome_id.partner_id", store=True, precompute=True, index="btree_not_null"
    )
    order_id = fields.Many2one(
        related="outcome_id.order_id", store=True, precompute=True, index="btree_not_null"
    )
    move_id = fields.Many2one(
        related="outcome_id.move_id", store=True, precompute=True, index="btree_not_null"
    )
    company_id = fields.Many2one(related="outcome_id.company_id", store=True, precompute=True)
    lost_reason_id = fields.Many2one(
        related="outcome_id.lost_reason_id", store=True, precompute=True, index="btree_not_null"
    )

    def _forget(self):
        """Erase whose outcome is credited; what was earned stays."""
        self.outcome_id._forget()

    # ------------------------------------------------------------
    # WRITING
    # ------------------------------------------------------------

    @api.model
    def _sync(self, outcomes):
        """Have the credits of these outcomes, and no others. Constant queries, however many."""
        if not outcomes:
            return
        # two reactions at once: the second one is tried again, and sees what the first one wrote
        self.env.cr.execute(
            SQL("UPDATE nurture_outcome SET key = key WHERE id IN %s", tuple(outcomes.ids))
        )
        joined = self._get_of_sequences(outcomes.order_id).order_id
        self.search([("outcome_id", "in", outcomes.ids)]).unlink()
        touches = self._find_touches(outcomes)
        self.create(
            [values for outcome in outcomes for values in self._prepare(outcome, touches[outcome])]
        )
        # once: who takes an order out of the campaign again need not do so twice
        self._get_of_sequences(outcomes.order_id - joined)._join_campaigns()

    @api.model
    def _get_of_sequences(self, orders):
        """The credits of sequences, by the last touch, for ``orders``."""
        domain = [
            ("order_id", "in", orders.ids),
            ("model", "=", "last"),
            ("sequence_id", "!=", False),
        ]
        return self.search(domain) if orders else self.browse()

    def _join_campaigns(self):
        """The orders are of the campaigns of their sequences, unless somebody chose another."""
        free = self.filtered(lambda credit: not credit.order_id.campaign_id)
        for campaign, credits_ in free.grouped(
            lambda credit: credit.sequence_id._get_campaign()
        ).items():
            if campaign:
                credits_.order_id.campaign_id = campaign

    @api.model
    def _prepare(self, outcome, touches):
        """Values of the credits of an outcome, whose amounts add up to its amount.

        :param touches: ``{Touch: values of its message}``
        """
        currency = outcome.company_currency_id
        values_list = []
        for model, parts in share_out(list(touches)).items():
            shares = [share for _touch, share in parts]
            amounts, margins, discounts = (
                divide(amount, shares, currency) if currency else [0.0] * len(parts)
                for amount in (outcome.company_amount, outcome.margin, outcome.discount)
            )
            values_list += [
                {
                    **touches[touch],
                    "outcome_id": outcome.id,
                    "model": model,
                    "share": share,
                    "touch_date": touch.last,
                    "company_amount": amount,
                    "margin": margin,
                    "discount": discount,
                }
                for (touch, share), amount, margin, discount in zip(
                    parts, amounts, margins, discounts, strict=True
                )
            ]
        return values_list

    @api.model
    def _note_touched(self, mailing_traces):
        """What a person did with these mails became known after something had come of it."""
        mailing_traces = mailing_traces.filtered(lambda one: one.model == "crm.lead")
        if mailing_traces:
            with self.env["nurture.outcome"]._without_harm(mailing_traces):
                self._credit_late(mailing_traces)

    @api.model
    def _credit_late(self, mailing_traces):
        dates = [one.reply_datetime or one.links_click_datetime for one in mailing_traces]
        outcomes = self.env["nurture.outcome"].sudo()
        late = [
            ("lead_id", "in", mailing_traces.mapped("res_id")),
            ("credit_date", ">=", min(filter(None, dates), default=fields.Datetime.now())),
        ]
        outcomes.env["nurture.credit"]._sync(outcomes.search(late))
        mailing_traces.sudo().nurture_trace_id.participant_id._credit_late()

    # ------------------------------------------------------------
    # TOUCHES
    # ------------------------------------------------------------

    @api.model
    def _find_touches(self, outcomes):
        """The messages that people clicked in or replied to before each outcome, in the attribution
        window, the oldest first.

        :return: ``{outcome: {Touch: values of its message}}``
        """
        self.env["nurture.outcome"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT outcome.id, touch.id, touch.mailing_id, touch.participant_id,
                       touch.sequence_id, touch.step_id, touch.first, touch.last
                  FROM nurture_outcome outcome
                  JOIN LATERAL (%(touches)s) touch ON true
                 WHERE outcome.id IN %(ids)s
              ORDER BY outcome.id, touch.sent_datetime, touch.id
                """,
                touches=self._sql_touches(
                    SQL("outcome.lead_id"), SQL("outcome.deal_date"), SQL("outcome.credit_date")
                ),
                ids=tuple(outcomes.ids),
            )
        )
        touches = {outcome: {} for outcome in outcomes}
        for outcome_id, *message, first, last in rows:
            touch = Touch(message[0], first, last)
            touches[outcomes.browse(outcome_id)][touch] = dict(
                zip(_OF_MESSAGE, message, strict=True)
            )
        return touches

    @api.model
    def _sql_touches(self, lead, begin, end):
        """SELECT of the messages that a person clicked in or replied to, from the attribution
        window before ``begin`` until ``end``, with the first and last time.

        When somebody clicked is known of each click, in which mails the last click, too; clicks are
        written down a minute after they happened.

        :param lead: SQL of the lead's id, as the other two of dates
        """
        self.env["mailing.trace"].flush_model()
        self.env["link.tracker.click"].flush_model()
        return SQL(
            """
            SELECT message.id, message.sent_datetime, message.mass_mailing_id AS mailing_id,
                   trace.participant_id, trace.sequence_id, trace.step_id,
                   MIN(reaction.date) AS first, MAX(reaction.date) AS last
              FROM (SELECT id FROM mailing_trace WHERE model = 'crm.lead' AND res_id = %(lead)s
                     UNION
                    SELECT own.id
                      FROM nurture_participant journey
                      JOIN nurture_trace ON nurture_trace.participant_id = journey.id
                      JOIN mailing_trace own ON own.nurture_trace_id = nurture_trace.id
                     WHERE journey.lead_id = %(lead)s
                   ) found
              JOIN mailing_trace message ON message.id = found.id
         LEFT JOIN nurture_trace trace ON trace.id = message.nurture_trace_id
              JOIN LATERAL (
                   SELECT message.reply_datetime AS date
                    UNION ALL SELECT message.links_click_datetime
                    UNION ALL SELECT click.create_date FROM link_tracker_click click
                               WHERE click.mailing_trace_id = message.id
                   ) reaction ON reaction.date <= %(end)s
                         AND reaction.date >= %(begin)s - make_interval(days => COALESCE(
                             -- no joins: each one is dearer to plan than to do
                             (SELECT window_days FROM nurture_sequence
                               WHERE id = trace.sequence_id),
                             (SELECT company.nurture_window_days
                                FROM crm_lead lead
                                JOIN res_company company ON company.id = lead.company_id
                               WHERE lead.id = %(lead)s),
                             %(days)s))
             WHERE message.sent_datetime IS NOT NULL AND message.is_test_trace IS NOT TRUE
          GROUP BY message.id, message.sent_datetime, message.mass_mailing_id, trace.id
            """,
            lead=lead,
            begin=begin,
            end=end,
            days=WINDOW_DAYS,
        )

    @api.model
    def _get_last_touch(self, leads, date):
        """The message that each lead's people clicked in or replied to last, until ``date``.

        :return: ``{lead: values of the message, and touch_date}``, leads without one left out
        """
        if not leads:
            return {}
        rows = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT ON (crm_lead.id) crm_lead.id, touch.last, touch.id,
                       touch.mailing_id, touch.participant_id, touch.sequence_id, touch.step_id
                  FROM crm_lead
                  JOIN LATERAL (%(touches)s) touch ON true
                 WHERE crm_lead.id IN %(ids)s
              ORDER BY crm_lead.id, touch.last DESC, touch.sent_datetime DESC, touch.id DESC
                """,
                touches=self._sql_touches(
                    SQL("crm_lead.id"), SQL("%s::timestamp", date), SQL("%s::timestamp", date)
                ),
                ids=tuple(leads.ids),
            )
        )
        return {
            leads.browse(lead_id): dict(zip(_OF_MESSAGE, message, strict=True), touch_date=last)
            for lead_id, last, *message in rows
        }
