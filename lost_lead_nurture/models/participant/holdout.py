from odoo import api, fields, models
from odoo.tools import SQL


class NurtureParticipant(models.Model):
    """Who is held out for comparison: drawn by a hash of the address, the same at every try. Each
    sequence draws on its own, and each company once for all its sequences."""

    _inherit = "nurture.participant"

    holdout_percent = fields.Float(
        string="Held Out (%)",
        readonly=True,
        help="Which share of the leads the sequence held out when it entered: those of one time "
        "are compared.",
    )
    global_holdout_percent = fields.Float(
        string="Held Out Globally (%)",
        readonly=True,
        help="Which share of the addresses no sequence wrote to when it entered.",
    )
    is_held_out_globally = fields.Boolean(
        readonly=True, help="Whether its address is one of those that no sequence writes to."
    )

    @api.model
    def _sql_draw(self, sequence, dedup_key):
        """FROM item, named ``draw``, with what was drawn for the alias ``lead``: ``held_out`` and
        ``globally``, and the shares ``percent`` and ``global_percent``."""
        shares = self._get_global_shares(sequence)
        own = sequence.holdout_percent
        company = SQL("COALESCE(%s, lead.company_id)", sequence.company_id.id or None)
        share = (
            SQL(
                "CASE %s %s ELSE 0 END",
                company,
                SQL(" ").join(SQL("WHEN %s THEN %s", *item) for item in shares.items()),
            )
            if shares
            else SQL("0")
        )
        return SQL(
            """
            (SELECT %(own)s OR globally AS held_out, globally, global_percent,
                    %(percent)s AS percent
               FROM (SELECT %(share)s::float AS global_percent) share
         CROSS JOIN LATERAL (SELECT COALESCE(%(everywhere)s, false) AS globally) everywhere
            ) draw
            """,
            own=self._sql_is_drawn(SQL("%s", str(sequence._origin.id)), dedup_key, SQL("%s", own))
            if own
            else SQL("false"),
            percent=SQL("%s::float", own),
            share=share,
            # drawn apart from those of sequences, and for each company on its own
            everywhere=self._sql_is_drawn(
                SQL("'company ' || %s", company),
                SQL("lead.email_normalized"),
                SQL("global_percent"),
            )
            if shares
            else SQL("false"),
        )

    @api.model
    def _sql_is_drawn(self, salt, key, percent):
        """Whether ``key`` falls into the share: the first four bytes of an MD5, which spread
        evenly, against the share of 2^32."""
        return SQL(
            "('x' || substr(md5(%s || ':' || %s), 1, 8))::bit(32)::bigint"
            " < round((%s / 100.0 * 4294967296)::numeric)",
            salt,
            key,
            percent,
        )

    @api.model
    def _get_global_shares(self, sequence):
        """The share that each company of the sequence holds out of all its sequences, in percent:
        ``{company id: share}``, those without one left out."""
        holding_out = [("nurture_holdout_percent", ">", 0)]
        companies = self.env["res.company"].sudo().search(holding_out)
        if sequence.company_id:
            companies &= sequence.company_id
        return {company.id: company.nurture_holdout_percent for company in companies}
