"""What refused quotations cost today, and whom that lets in: beside core's own "Update Prices", and
beside the same choice in bare SQL."""

from odoo.tools import SQL

from . import data
from .inside import environment, in_turns, timed

#: Who was offered a quotation that costs 5 % less today, without rights, exclusions and journeys.
_BELOW = """
    SELECT lead.id
      FROM crm_lead lead
      JOIN (SELECT DISTINCT ON (opportunity_id) opportunity_id, id
              FROM sale_order WHERE state IN ('draft', 'sent', 'cancel')
          ORDER BY opportunity_id, date_order DESC, id DESC) refused
           ON refused.opportunity_id = lead.id
      JOIN nurture_price price ON price.order_id = refused.id
     WHERE lead.won_status = 'lost' AND price.amount <= price.refused_amount * 0.95
"""
#: How many quotations core is asked for.
SAMPLE = 200


def work_out(env, count):
    """Seconds of working out what a refused quotation costs today, the mean of so many, and of
    core's "Update Prices" on one."""
    prices = env["nurture.price"]
    ids = prices._find_stale(env.companies, "1970-01-01", count)
    took = 0
    for place in range(0, len(ids), 500):
        part = env["sale.order"].browse(ids[place : place + 500])
        took += timed(prices._work_out, part)
        env.cr.commit()  # pylint: disable=invalid-commit
        env.invalidate_all()
    return took / len(ids), _update_prices(env, ids[:: len(ids) // SAMPLE])


def _update_prices(env, ids):
    """Seconds of core's "Update Prices" on a quotation, each as a person would who has opened it;
    nothing is kept."""

    def update():
        for order in env["sale.order"].browse(ids):
            env.invalidate_all()
            order._recompute_prices()
            order.flush_recordset()

    with env.cr.savepoint() as savepoint:
        took = timed(update)
        savepoint.rollback()
    env.invalidate_all()
    return took / len(ids)


def choose(env, rounds):
    """Seconds of choosing whom a price below the refused one lets in, of all leads, and of the same
    choice in bare SQL."""
    data.vacuum(env.cr.dbname)
    with environment(env.cr.dbname) as fresh:
        sequence = fresh["nurture.sequence"].create(
            {"name": "Below", "entry": "price", "domain": "[]", "price_below": 5}
        )
        found = []

        def own():
            found[:] = sequence._find_free()

        def bare():
            rows = fresh.execute_query(SQL(_BELOW))
            assert len(rows) == len(found), (len(rows), len(found))

        return in_turns(rounds, own, bare)
