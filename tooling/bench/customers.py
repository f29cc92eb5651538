"""Which of very many customers are silent, beside the same choice in bare SQL."""

from odoo.tools import SQL

from .inside import environment, in_turns

#: Who ordered more than once and not for 90 days, without rights, addresses of mails and silences.
_SILENT = """
    SELECT buyer.commercial_partner_id, sale_order.company_id, MAX(sale_order.date_order)
      FROM sale_order
      JOIN res_partner buyer ON buyer.id = sale_order.partner_id
     WHERE sale_order.state = 'sale'
  GROUP BY 1, 2
    HAVING COUNT(*) >= 2 AND AVG(sale_order.amount_total / sale_order.currency_rate) >= 400
       AND MAX(sale_order.date_order) <= now() - interval '90 days'
"""


def choose(env, rounds):
    """Seconds of choosing the silent customers as a person may who wrote the sequence, as the
    scheduled action does once a day, and of the same choice in bare SQL."""
    with environment(env.cr.dbname) as fresh:
        author = fresh.ref("base.user_admin")
        preset = fresh["nurture.preset"].create(
            {
                "name": "Silent",
                "kind": "customers",
                "order_count_min": 2,
                "amount_average_min": 400,
            }
        )
        sequence = fresh["nurture.sequence"].create({"name": "Silent", "preset_id": preset.id})
        sequence.domain_author_id = author
        found = []

        def notice():
            found[:] = sequence._find_silences(sequence._get_silent_queries()[preset])

        def bare():
            rows = fresh.execute_query(SQL(_SILENT))
            assert len(rows) == len(found), (len(rows), len(found))

        return in_turns(rounds, notice, bare)
