from collections import defaultdict

from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.lost_lead_nurture.tools.reasons import WON_BACK

from ..tools.allocation import TOLERANCE, Claim
from ..tools.reasons import STOCK_EXITS

#: Who ends for one of these may still want what was offered.
STILL_WANTED = tuple(reason for reason in WON_BACK if reason != "order") + ("finished",)


class NurtureStockClaim(models.Model):
    """A product that a lead in a sequence was offered. Until it is released it counts as taken for
    all others; later it tells whether the product was short again since the lead was written to."""

    _name = "nurture.stock.claim"
    _description = "Nurture: Product That a Lead Was Offered"
    _log_access = False

    participant_id = fields.Many2one(
        "nurture.participant", required=True, readonly=True, index=True, ondelete="cascade"
    )
    sequence_id = fields.Many2one(
        "nurture.sequence", required=True, readonly=True, ondelete="cascade"
    )
    product_id = fields.Many2one(
        "product.product", required=True, readonly=True, ondelete="cascade"
    )
    warehouse_id = fields.Many2one(
        "stock.warehouse", required=True, readonly=True, ondelete="cascade"
    )
    quantity = fields.Float(readonly=True, help="In the product's own unit.")
    claimed_date = fields.Datetime(
        required=True, readonly=True, help="Those of a sequence with the same date are one wave."
    )
    released_date = fields.Datetime(readonly=True, help="From then on others may have it.")
    short_date = fields.Datetime(
        readonly=True, help="When it was noticed that there was too little, after the last mail."
    )

    _held = models.Index("(product_id, warehouse_id) WHERE released_date IS NULL")
    _of_sequence = models.Index("(sequence_id, claimed_date)")

    # ------------------------------------------------------------
    # TAKE
    # ------------------------------------------------------------

    @api.model
    def _make(self, wanted, held_out):
        """Note what leads take that have just entered.

        :param wanted: ``{participant: {key: quantity}}``
        :param held_out: participants among them who get no mail, and so take nothing
        """
        now = fields.Datetime.now()
        self.create(
            [
                {
                    "participant_id": participant.id,
                    "sequence_id": participant.sequence_id.id,
                    "product_id": product_id,
                    "warehouse_id": warehouse_id,
                    "quantity": quantity,
                    "claimed_date": now,
                    "released_date": participant in held_out and now,
                }
                for participant, quantities in wanted.items()
                for (product_id, warehouse_id), quantity in quantities.items()
            ]
        )
        self.env["nurture.stock.level"]._take(
            {
                key
                for participant, quantities in wanted.items()
                if participant not in held_out
                for key in quantities
            }
        )

    def _take_again(self):
        """Take what was released before."""
        if self:
            self.write({"claimed_date": fields.Datetime.now(), "released_date": False})
            self.env["nurture.stock.level"]._take(
                {(claim.product_id.id, claim.warehouse_id.id) for claim in self}
            )

    # ------------------------------------------------------------
    # WHO HAS WHAT
    # ------------------------------------------------------------

    @api.model
    def _get_taken(self, keys):
        """``{key: quantity}`` that leads of all sequences take of these products."""
        if not keys:
            return {}
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                "SELECT product_id, warehouse_id, sum(quantity) FROM nurture_stock_claim"
                " WHERE released_date IS NULL AND (product_id, warehouse_id) IN (%s)"
                " GROUP BY product_id, warehouse_id",
                SQL(", ").join(SQL("(%s, %s)", *key) for key in keys),
            )
        )
        return {(product, warehouse): quantity for product, warehouse, quantity in rows}

    @api.model
    def _get_claims(self, keys, asking):
        """Who takes of these products, the most valuable lead first.

        :param asking: participants whose next message is in question: that it is being sent does
            not make them invited
        :return: list of :class:`Claim` with the ids of participants
        """
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT participant.id, claim.product_id, claim.warehouse_id, claim.quantity,
                       EXISTS (SELECT 1 FROM nurture_trace trace
                                 JOIN mailing_trace ON mailing_trace.nurture_trace_id = trace.id
                                WHERE trace.participant_id = participant.id
                                  AND (mailing_trace.sent_datetime IS NOT NULL
                                       OR mailing_trace.nurture_sending_date IS NOT NULL
                                          AND participant.id != ALL(%(asking)s)))
                  FROM nurture_stock_claim claim
                  JOIN nurture_participant participant ON participant.id = claim.participant_id
                 WHERE claim.released_date IS NULL
                   AND (claim.product_id, claim.warehouse_id) IN (%(keys)s)
              ORDER BY participant.expected_revenue DESC NULLS LAST,
                       participant.date_lost, participant.id
                """,
                asking=asking.ids,
                keys=SQL(", ").join(SQL("(%s, %s)", *key) for key in keys),
            )
        )
        wanted, invited = defaultdict(dict), {}
        for participant_id, product_id, warehouse_id, quantity, is_invited in rows:
            wanted[participant_id][product_id, warehouse_id] = quantity
            invited[participant_id] = is_invited
        return [Claim(id_, quantities, invited[id_]) for id_, quantities in wanted.items()]

    # ------------------------------------------------------------
    # RELEASE
    # ------------------------------------------------------------

    @api.model
    def _release_ended(self, participants):
        """Release what leads took whose journey has ended so that they do not want it, or have
        ordered it. Who was never written to may enter again as soon as there is enough."""
        now = fields.Datetime.now()
        self.flush_model()
        self.env.cr.execute(
            SQL(
                """
                UPDATE nurture_stock_claim claim
                   SET released_date = COALESCE(claim.released_date, %(now)s),
                       short_date = CASE WHEN participant.exit_reason IN %(stock)s
                                          AND %(last_sent)s IS NULL
                                         THEN %(now)s ELSE claim.short_date END
                  FROM nurture_participant participant
                 WHERE participant.id = claim.participant_id AND participant.id IN %(ids)s
                   AND participant.exit_reason NOT IN %(still_wanted)s
                """,
                now=now,
                stock=tuple(reason for reason, _label in STOCK_EXITS),
                last_sent=self._sql_sent("max"),
                ids=tuple(participants.ids) or (0,),
                still_wanted=STILL_WANTED,
            )
        )
        self.invalidate_model(flush=False)

    @api.model
    def _release_over(self):
        """Release what leads have taken for long enough: they have not answered in the days that
        they have, and nor has the share of their wave that their sequence waits for, or they
        answered that long ago; they ordered it; or they were lost again. Also where the sequence is
        stopped: others may offer it."""
        self.env.flush_all()
        now = fields.Datetime.now()
        answered = SQL(
            "(participant.won_back_date IS NOT NULL OR participant.exit_reason IN %s)", WON_BACK
        )
        self.env.cr.execute(
            SQL(
                """
                WITH wave AS (
                    SELECT claim.sequence_id, claim.claimed_date,
                           count(DISTINCT participant.id) AS number,
                           count(DISTINCT participant.id) FILTER (WHERE NOT COALESCE(%(answered)s,
                                                                  false)) AS silent
                      FROM nurture_stock_claim claim
                      JOIN nurture_participant participant
                        ON participant.id = claim.participant_id AND participant.state != 'holdout'
                     WHERE (claim.sequence_id, claim.claimed_date) IN (
                               SELECT held.sequence_id, held.claimed_date
                                 FROM nurture_stock_claim held
                                WHERE held.released_date IS NULL)
                  GROUP BY claim.sequence_id, claim.claimed_date
                )
                UPDATE nurture_stock_claim released
                   SET released_date = %(now)s
                  FROM nurture_stock_claim claim
                  JOIN wave ON wave.sequence_id = claim.sequence_id
                   AND wave.claimed_date = claim.claimed_date
                  JOIN nurture_sequence sequence ON sequence.id = claim.sequence_id
                  JOIN nurture_participant participant ON participant.id = claim.participant_id
             LEFT JOIN crm_lead lead ON lead.id = participant.lead_id
                 WHERE released.id = claim.id AND claim.released_date IS NULL
                   AND (lead.id IS NULL
                        OR EXISTS (SELECT 1 FROM sale_order so
                                    WHERE so.opportunity_id = lead.id AND so.state = 'sale'
                                      AND so.date_order >= claim.claimed_date)
                        OR CASE WHEN COALESCE(%(answered)s, false)
                                THEN COALESCE(participant.exit_date, participant.won_back_date)
                                     <= %(days_ago)s
                                  OR lead.won_status = 'lost'
                                     AND lead.date_closed > participant.exit_date
                                ELSE GREATEST(claim.claimed_date, %(first_sent)s) <= %(days_ago)s
                                 AND (participant.state != 'running'
                                      OR wave.silent * 100 >= wave.number * sequence.wave_share)
                           END)
                """,
                answered=answered,
                now=now,
                days_ago=SQL("%s - sequence.wave_days * interval '1 day'", now),
                first_sent=self._sql_sent("min"),
            )
        )
        self.invalidate_model(flush=False)

    # ------------------------------------------------------------
    # SHORT AGAIN
    # ------------------------------------------------------------

    @api.model
    def _notice_short(self, sequence, keys=None):
        """Note of which products that leads of ``sequence`` were offered there is less now than
        they were offered, since they were written to last.

        :param keys: of these only
        """
        self.flush_model()
        if keys is None:
            keys = self._get_keys(sequence)
        stock = self.env["product.product"]._nurture_read_stock(keys)
        if not stock:
            return
        self.env.cr.execute(
            SQL(
                """
                UPDATE nurture_stock_claim claim
                   SET short_date = %(now)s
                  FROM nurture_participant participant,
                       (VALUES %(stock)s) stock (product_id, warehouse_id, quantity)
                 WHERE participant.id = claim.participant_id
                   AND claim.sequence_id = %(sequence)s
                   AND stock.product_id = claim.product_id
                   AND stock.warehouse_id = claim.warehouse_id
                   AND stock.quantity < claim.quantity - %(tolerance)s
                   AND (claim.short_date IS NULL OR claim.short_date <= %(last_sent)s)
                """,
                now=fields.Datetime.now(),
                stock=SQL(", ").join(
                    SQL("(%s, %s, %s::numeric)", *key, amounts[sequence.wait_for_stock])
                    for key, amounts in stock.items()
                ),
                sequence=sequence.id,
                tolerance=TOLERANCE,
                last_sent=self._sql_sent("max"),
            )
        )
        self.invalidate_model(flush=False)

    @api.model
    def _get_keys(self, sequence):
        """What leads of ``sequence`` were offered, ever."""
        rows = self._read_group(
            [("sequence_id", "=", sequence.id)], ["product_id", "warehouse_id"], []
        )
        return {(product.id, warehouse.id) for product, warehouse in rows}

    @api.model
    def _sql_was_short(self):
        """Whether a product of the journey ``inside`` was short after the last message of it."""
        return SQL(
            "EXISTS (SELECT 1 FROM nurture_stock_claim claim"
            " JOIN nurture_participant participant ON participant.id = claim.participant_id"
            " WHERE claim.participant_id = inside.id"
            " AND claim.short_date > COALESCE(%s, '-infinity'))",
            self._sql_sent("max"),
        )

    @api.model
    def _sql_sent(self, which):
        """When the first (``min``) or last (``max``) message to ``participant`` was sent."""
        return SQL(
            "(SELECT %s(mailing_trace.sent_datetime) FROM nurture_trace trace"
            " JOIN mailing_trace ON mailing_trace.nurture_trace_id = trace.id"
            " WHERE trace.participant_id = participant.id)",
            SQL(which),
        )
