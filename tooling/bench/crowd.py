"""Many sequences on very many leads: a scheduled action with nothing to do, looking through all
leads, and the lists that count them."""

from odoo.tools import SQL

from . import engine, screens
from .inside import environment, in_turns

#: What is lost, without products, sequences and rights.
_LOCKED = """
    SELECT lost_reason_id, COUNT(*), SUM(expected_revenue)
      FROM (SELECT DISTINCT ON (COALESCE('c' || contact.commercial_partner_id,
                                         'a' || lead.email_normalized, 'l' || lead.id))
                   lead.lost_reason_id, lead.expected_revenue
              FROM crm_lead lead
         LEFT JOIN res_partner contact ON contact.id = lead.partner_id
             WHERE lead.won_status = 'lost'
          ORDER BY COALESCE('c' || contact.commercial_partner_id,
                            'a' || lead.email_normalized, 'l' || lead.id),
                   lead.date_closed DESC) last
  GROUP BY 1
"""


def look_through(env):
    """Look through all leads for good, as the scheduled action does once an hour."""
    _look(env)


def tick(env, few, many, rounds):
    """Seconds of the scheduled action with nothing to do, in two databases."""
    return engine.tick(env, few, many, rounds)


def look(env, rounds):
    """Seconds of looking through all leads for each of the sequences, and of the same choices in
    SQL that was made before."""
    statements = [_choice(sequence) for sequence in _sequences(env)]

    def bare():
        for statement in statements:
            env.execute_query(statement)

    return in_turns(rounds, lambda: _look(env), bare)


def read_lists(env, rounds):
    """Seconds of lists as a marketer opens them, and of core's.

    :return: {list: [seconds, seconds of core's]}
    """
    with environment(env.cr.dbname) as fresh:
        admin = fresh(user=fresh.ref("base.user_admin"))
        presets, filters = admin["nurture.preset"], admin["mailing.filter"]
        reasons = admin["crm.lost.reason"]
        return {
            "presets list": in_turns(
                rounds,
                lambda: screens.search(presets, []),
                lambda: screens.search(filters, []),
            ),
            "lost reasons list": in_turns(
                rounds,
                lambda: screens.search(reasons, []),
                lambda: screens.search(reasons, [], leave_out="nurture_"),
            ),
        }


def read_locked(env, rounds):
    """Seconds of the report of locked value as a marketer opens it, and of adding up in SQL what
    each customer's last lead was worth, by reason."""
    with environment(env.cr.dbname) as fresh:
        admin = fresh(user=fresh.ref("base.user_admin"))
        return in_turns(
            rounds,
            lambda: screens.search(admin["nurture.locked"], []),
            lambda: admin.execute_query(SQL(_LOCKED)),
        )


def _sequences(env):
    return env["nurture.sequence"].search([("state", "=", "running")])


def _look(env):
    sequences = _sequences(env)
    sequences.last_scan_date = False
    sequences._enrol_all()
    env.cr.commit()  # pylint: disable=invalid-commit


def _choice(sequence):
    """Who may enter, in one statement."""
    leads = sequence.env["crm.lead"].sudo().with_context(active_test=False)
    return SQL(
        "SELECT lead.id FROM crm_lead lead WHERE lead.id IN (%s) AND %s",
        leads._search(sequence._get_lead_domain()).select(),
        SQL(" AND ").join(
            SQL("NOT (%s)", condition)
            for reason, condition in leads._nurture_exclusions(sequence)
            if reason not in ("not_lost", "company", "unmatched")
        ),
    )
