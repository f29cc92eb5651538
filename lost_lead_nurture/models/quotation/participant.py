from odoo import api, fields, models
from odoo.tools import SQL, formatLang

from ...tools.dates import on_day
from ..credit.sale_order import NOT_ORDERED


class NurtureParticipant(models.Model):
    """The quotation that a lead refused: which one it was when mails began to speak of it, and what
    it costs since."""

    _inherit = "nurture.participant"

    refused_order_id = fields.Many2one(
        "sale.order",
        string="Refused Quotation",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        groups="sales_team.group_sale_salesman",
        help="The last one that was not ordered when the lead entered, or when a mail first showed "
        "it.",
    )
    refused_amount = fields.Monetary(
        readonly=True,
        currency_field="refused_currency_id",
        groups="sales_team.group_sale_salesman",
        help="Of the refused quotation, without taxes.",
    )
    entry_amount = fields.Monetary(
        string="Price at Entry",
        readonly=True,
        currency_field="refused_currency_id",
        groups="sales_team.group_sale_salesman",
        help="What it cost when that let the lead enter, without taxes.",
    )
    refused_currency_id = fields.Many2one("res.currency", readonly=True)
    price_risen_date = fields.Datetime(
        readonly=True,
        help="When it was noticed that the price, which had let the lead enter, was not below the "
        "refused one any more: only after that it may enter again.",
    )
    granted_discount = fields.Float(
        string="Discount Granted (%)",
        digits=(5, 2),
        readonly=True,
        help="What beat the refused price when the step granted it. The quotation has the smallest "
        "discount that does so on the day it is made.",
    )
    granted_date = fields.Datetime(string="Discount Granted On", readonly=True)

    # ------------------------------------------------------------
    # WHICH QUOTATION
    # ------------------------------------------------------------

    def _pin_refused(self):
        """Note which quotation the mails to these participants speak of, where that is not noted:
        whatever is quoted to the lead later, their links are about this one."""
        new = self.filtered(lambda one: not one.refused_order_id and not one.refused_currency_id)
        orders = self.env["sale.order"]
        for sequence, participants in new.grouped("sequence_id").items():
            refused = orders._nurture_find_refused(participants.lead_id, sequence._get_companies())
            for participant in participants:
                if order := refused.get(participant.lead_id.id):
                    participant.write(
                        {
                            "refused_order_id": order.id,
                            "refused_amount": order.amount_untaxed,
                            "refused_currency_id": order.currency_id.id,
                        }
                    )

    def _get_refused(self):
        """The quotation that is noted, as long as it is one that the lead has not ordered: it may
        be another lead's by now, or nobody's."""
        order = self.refused_order_id
        is_there = order.opportunity_id == self.lead_id and order.state in NOT_ORDERED
        return order if is_there else order.browse()

    @api.model
    def _note_prices(self, sequence, participant_ids):
        """Note at what price these have entered that a price below the refused one let in.

        :param participant_ids: ids of those who have just entered
        """
        if sequence.entry != "price" or not participant_ids:
            return
        self.env.cr.execute(
            SQL(
                """
                UPDATE nurture_participant participant
                   SET refused_order_id = price.order_id, refused_amount = price.refused_amount,
                       entry_amount = price.amount, refused_currency_id = price.currency_id
                  FROM nurture_price price
                 WHERE participant.id = ANY(%s) AND NOT participant.entered_by_hand
                   AND price.lead_id = participant.lead_id AND %s
                """,
                participant_ids,
                self.env["nurture.price"]._sql_is_of_last(sequence._get_companies()),
            )
        )
        self.browse(participant_ids).invalidate_recordset(flush=False)

    # ------------------------------------------------------------
    # AS IT WOULD BE TODAY
    # ------------------------------------------------------------

    def _renew(self):
        """The quotations that these leads refused, as they would be today.

        :return: ``{participant: Renewal}``, those whose quotation is not there left out
        """
        return {
            participant: participant.sequence_id._renew(
                refused, has_discount=bool(participant.granted_date)
            )
            for participant in self
            if (refused := participant._get_refused())
        }

    def _grant_discounts(self):
        """Grant the smallest discount that beats what was refused to those for whom there is
        one."""
        self._pin_refused()
        now = fields.Datetime.now()
        for participant in self:
            discount = participant._find_discount()
            if discount is not None:
                participant.write({"granted_discount": discount, "granted_date": now})

    def _find_discount(self):
        """The smallest discount that beats what the lead refused; None where there is none."""
        refused = self._get_refused()
        return self.sequence_id._find_discount(refused) if refused else None

    # ------------------------------------------------------------
    # IN WORDS
    # ------------------------------------------------------------

    def _describe_price(self):
        """What let the lead enter, in words; False when it was no price. How much it is is for
        those who may see the quotation."""
        self.ensure_one()
        journey = self.sudo()
        if not journey.entry_amount:
            return False
        if not self.env.su and not self.env["sale.order"].has_access("read"):
            return self.env._("its quotation cost less than what was refused")
        return self.env._(
            "its quotation of %(refused)s cost %(amount)s on %(day)s",
            refused=journey._say_amount(journey.refused_amount),
            amount=journey._say_amount(journey.entry_amount),
            day=on_day(self.env, self.entered_date),
        )

    def _say_amount(self, amount):
        return formatLang(self.env, amount, currency_obj=self.refused_currency_id)

    # ------------------------------------------------------------
    # BEFORE A MESSAGE
    # ------------------------------------------------------------

    def _find_risen(self):
        """Those of these participants whom a price below the refused one let in and for whom it is
        not below any more, or not offered. The prices are worked out now.

        :return: ``{participant id: exit reason}``
        """
        # who was added by hand does not wait for a price, and who has answered is in talks
        asking = self.filtered(
            lambda one: (
                one.sequence_id.entry == "price"
                and not one.entered_by_hand
                and not one.won_back_date
            )
        )
        if not asking:
            return {}
        prices = self.env["nurture.price"].sudo()
        prices._work_out(asking.refused_order_id.sudo())
        risen = {}
        for sequence, participants in asking.grouped("sequence_id").items():
            prices._notice_risen(sequence)
            risen |= prices._find_risen(sequence, participants)
        return risen

    def _find_unoffered(self):
        """Those of these participants who cannot be shown the quotation that they refused as it
        would be today.

        :return: ``{participant id: trace reason}``
        """
        self._pin_refused()
        renewals = self._renew()
        reasons = {
            participant.id: renewal.reason
            for participant, renewal in renewals.items()
            if renewal.reason
        }
        gone = self.filtered(lambda one: one not in renewals)
        return reasons | dict.fromkeys(gone.ids, "no_quotation")

    def _find_without_discount(self):
        """Those of these participants for whom no discount beats what was refused."""
        self._pin_refused()
        return self.filtered(lambda one: one._find_discount() is None)
