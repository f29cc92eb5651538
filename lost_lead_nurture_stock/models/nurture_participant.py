from collections import defaultdict

from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.lost_lead_nurture.tools.sandbox import is_past, is_sandbox

from ..tools.allocation import Claim, allocate, is_there, take
from ..tools.reasons import STOCK_EXITS


def _retire(participants):
    """The add-on is uninstalled."""
    participants.write({"exit_reason": "removed"})


class NurtureParticipant(models.Model):
    """A lead in a sequence that waits for stock takes what it was offered, and gets its next
    message only while that can be delivered."""

    _inherit = "nurture.participant"

    exit_reason = fields.Selection(
        selection_add=STOCK_EXITS,
        ondelete={reason: _retire for reason, _label in STOCK_EXITS},
    )
    return_reason = fields.Selection(
        selection_add=STOCK_EXITS,
        ondelete={reason: "set null" for reason, _label in STOCK_EXITS},
    )
    stock_claim_ids = fields.One2many(
        "nurture.stock.claim", "participant_id", groups="base.group_system"
    )

    # ------------------------------------------------------------
    # ENROL, LEAVE
    # ------------------------------------------------------------

    @api.model
    def _enrol(self, sequence, leads_query, by_hand=False, draws=True):
        lead_ids = super()._enrol(sequence, leads_query, by_hand, draws)
        if lead_ids and sequence.wait_for_stock and self._takes_stock():
            entered = self.search(
                [
                    ("sequence_id", "=", sequence.id),
                    ("lead_id", "in", lead_ids),
                    ("state", "in", ("running", "holdout")),
                    ("stock_claim_ids", "=", False),
                ]
            )
            entered._claim()
        return lead_ids

    @api.model
    def _takes_stock(self):
        """Whether who enters takes something: not in a test, but in a replay, which looks at what
        leads take of what there was."""
        return not is_sandbox(self.env) or is_past(self.env)

    def _claim(self):
        """Note what these take that have just entered."""
        wanted = self.lead_id._nurture_get_wanted(self.sequence_id)
        self.env["nurture.stock.claim"]._make(
            {one: wanted[one.lead_id.id] for one in self if one.lead_id.id in wanted},
            self.filtered(lambda one: one.state == "holdout"),
        )

    @api.model
    def _sql_too_early(self, sequence):
        if sequence.reentry != "stock" or sequence._is_yearly():
            return super()._sql_too_early(sequence)
        return SQL("NOT %s", self.env["nurture.stock.claim"]._sql_was_short())

    @api.model
    def _end(self, condition, state, reason):
        ended = super()._end(condition, state, reason)
        if ended.sequence_id.filtered("wait_for_stock"):
            self.env["nurture.stock.claim"]._release_ended(ended)
        return ended

    # ------------------------------------------------------------
    # BEFORE A MESSAGE
    # ------------------------------------------------------------

    def _find_lacking(self):
        """Those of these participants to whom nobody may write now, as what they were offered
        cannot be delivered. Who had to release it takes it again, if it is still there.

        :return: ``{participant id: exit reason}``
        """
        if not self._takes_stock():
            return {}
        lacking = {}
        # who has answered is in talks, whatever there is
        asking = self.filtered(lambda one: not one.won_back_date)
        for sequence, participants in asking.grouped("sequence_id").items():
            if sequence.wait_for_stock:
                lacking |= participants._judge_stock(sequence)
        return lacking

    def _judge_stock(self, sequence):
        """:meth:`_find_lacking`, of one sequence."""
        claims = self.env["nurture.stock.claim"]
        # those who entered before it waited for stock
        self.filtered(lambda one: not one.stock_claim_ids)._claim_late()
        wanted, held = defaultdict(dict), set()
        for claim in self.stock_claim_ids:
            key = claim.product_id.id, claim.warehouse_id.id
            wanted[claim.participant_id.id][key] = claim.quantity
            if not claim.released_date:
                held.add(claim.participant_id.id)
        keys = {key for quantities in wanted.values() for key in quantities}
        if not keys:
            return {}
        claims._notice_short(sequence, keys)
        stock = sequence._read_stock(keys)
        lacking = {
            id_: "out_of_stock"
            for id_, quantities in wanted.items()
            if not is_there(stock, quantities)
        }
        taken = claims._get_taken(keys)
        if not is_there(stock, taken):
            served, _left = allocate(stock, claims._get_claims(keys, self))
            lacking |= dict.fromkeys(held - served - lacking.keys(), "stock_taken")
        left = dict(stock)
        take(left, taken)
        late = wanted.keys() - held - lacking.keys()
        order = self.sorted(lambda one: (-one.expected_revenue, one.id))
        again, _left = allocate(
            left, [Claim(one.id, wanted[one.id]) for one in order if one.id in late]
        )
        self.browse(again).stock_claim_ids._take_again()
        return lacking | dict.fromkeys(late - again, "stock_taken")

    def _claim_late(self):
        """Note what these would take who have taken nothing yet."""
        if self:
            self._claim()
            self.stock_claim_ids.released_date = fields.Datetime.now()
