"""What further workers gain: one large sequence, worked off by one, two and four of them.

Each worker is a server of its own with one thread for scheduled actions, as if it ran on a host of
its own. All work on one database, and on copies of the same one. A step that acts on every lead
comes first, then one that mails some of them. What is counted is the engine's work: mails are
queued, not sent. In the end every lead must have got every step once.
"""

import contextlib
import json
import time

from . import addons, cluster, databases, odoo, settings, shell, templates

LEADS = 20_000
MAILS = 4_000
WORKERS = (1, 2, 4)
ROUNDS = 2
TIMEOUT = 900

SET_UP = """
reason = env["crm.lost.reason"].create({{"name": "Scale"}})
lead = env["crm.lead"].create({{"name": "Lead 0", "email_from": "lead0@scale.example.com"}})
lead.action_set_lost(lost_reason_id=reason.id)
env.flush_all()
env.cr.execute(
    "SELECT string_agg(quote_ident(column_name), ',') FROM information_schema.columns"
    " WHERE table_name = 'crm_lead' AND column_name NOT IN"
    " ('id', 'name', 'email_from', 'email_normalized', 'priority')"
)
columns = env.cr.fetchone()[0]
env.cr.execute(
    f"INSERT INTO crm_lead (name, email_from, email_normalized, priority, {{columns}})"
    " SELECT 'Lead ' || n, 'lead' || n || '@scale.example.com',"
    " 'lead' || n || '@scale.example.com',"
    f" CASE WHEN n < {mails} THEN '3' ELSE '0' END, {{columns}}"
    f" FROM crm_lead, generate_series(1, {leads} - 1) n WHERE id = {{lead.id}}"
)
lead.priority = "3"
env.flush_all()
env.invalidate_all()
sequence = env["nurture.sequence"].create(
    {{"name": "Scale", "domain": repr([("lost_reason_id", "=", reason.id)])}}
)
env["nurture.step"].create({{
    "sequence_id": sequence.id, "step_type": "action", "action_kind": "score", "score": 1,
}})
env["nurture.step"].create({{
    "sequence_id": sequence.id,
    "mailing_id": env["mailing.mailing"].create({{
        "subject": "Scale",
        "mailing_model_id": env["ir.model"]._get_id("crm.lead"),
        "body_html": '<p><a href="https://shop.example.com/">See it</a></p>'
        '<p><a href="/unsubscribe_from_list">Unsubscribe</a></p>',
    }}).id,
}})
ours = env.ref("lost_lead_nurture.ir_cron_nurture")
env["ir.cron"].search([]).active = False
ours.active = True
sequence.action_start()
sequence._enrol_matching()
sequence.entry = "manual"
env["ir.cron.trigger"].search([]).unlink()
ours.nextcall = "2100-01-01 00:00:00"
env.cr.execute(
    "UPDATE nurture_trace SET schedule_date = schedule_date - interval '1 hour'"
    " FROM nurture_step step WHERE step.id = step_id AND step_type = 'action'"
)
# mails take longer: some are enough
env.cr.execute(
    "DELETE FROM nurture_trace trace USING nurture_step step WHERE step.id = step_id"
    " AND step_type = 'email' AND participant_id NOT IN"
    " (SELECT participant.id FROM nurture_participant participant JOIN crm_lead lead"
    " ON lead.id = lead_id WHERE priority = '3')"
)
env.cr.commit()
"""

#: What is left of each kind of step.
LEFT = """
SELECT count(*) FILTER (WHERE step.step_type = 'action'),
       count(*) FILTER (WHERE step.step_type = 'email')
  FROM nurture_trace trace
  JOIN nurture_step step ON step.id = trace.step_id
 WHERE trace.state = 'scheduled'
"""

START = """
UPDATE ir_cron SET active = true
 WHERE id IN (SELECT res_id FROM ir_model_data
               WHERE module = 'lost_lead_nurture' AND model = 'ir.cron'
                 AND name = ANY(%(helpers)s));
INSERT INTO ir_cron_trigger (cron_id, call_at)
     SELECT res_id, now() AT TIME ZONE 'UTC' FROM ir_model_data
      WHERE module = 'lost_lead_nurture' AND name = 'ir_cron_nurture';
"""

CHECKS = {
    "leads that were acted on other than once": "SELECT count(*) FROM crm_lead lead"
    " JOIN nurture_participant participant ON participant.lead_id = lead.id"
    " WHERE lead.nurture_score IS DISTINCT FROM 1",
    "mails too many or too few": "SELECT abs(count(*) - %(mails)s)"
    " + abs(count(DISTINCT email) - %(mails)s) FROM mailing_trace",
    "traces that were not done": "SELECT count(*) FROM nurture_trace WHERE state != 'processed'",
}


def main(scale):
    """Measure, and print what came out."""
    result = measure(scale)
    shell.say(table(result))
    print(json.dumps(result), flush=True)
    return 0


def measure(scale=1.0):
    """Let one, two and four workers do the same work, each the better of two times.

    :return: {"leads", "mails", "runs": [{"workers", "action_seconds", "mail_seconds",
        "action_speedup", "mail_speedup"}]}; speed-ups are against the one worker
    """
    leads, mails = max(2, int(LEADS * scale)), max(1, int(MAILS * scale))
    odoo.clean_start()
    origin = databases.temporary("scale")
    seconds = {workers: [] for workers in WORKERS}
    try:
        with shell.timed(f"Preparing {leads} leads"):
            databases.copy(templates.base(demo=False), origin)
            odoo.install(origin, addons.names())
            odoo.run_script(origin, SET_UP.format(leads=leads, mails=mails))
            _execute(origin, "VACUUM ANALYZE")
        for _round in range(ROUNDS):
            for workers in WORKERS:
                seconds[workers].append(_run(origin, workers, mails))
    finally:
        databases.drop(origin)
    # what else the computer does can only make it slower
    best = {
        workers: tuple(min(column) for column in zip(*times, strict=True))
        for workers, times in seconds.items()
    }
    runs = [
        {
            "workers": workers,
            "action_seconds": round(action, 2),
            "mail_seconds": round(mail, 2),
            "action_speedup": round(best[1][0] / action, 2),
            "mail_speedup": round(best[1][1] / mail, 2),
        }
        for workers, (action, mail) in best.items()
    ]
    return {"leads": leads, "mails": mails, "runs": runs}


def table(result):
    """Put the result into words."""
    lines = [
        f"{result['leads']} actions, then {result['mails']} mails",
        "workers  actions    mails",
    ]
    for run in result["runs"]:
        lines.append(
            "{workers:7}  {action_seconds:6.1f} s  {mail_seconds:6.1f} s"
            "   x {action_speedup}, x {mail_speedup}".format(**run)
        )
    return "\n".join(lines)


def _run(origin, workers, mails):
    """Let some workers do it all on a copy of the database; return the seconds for the actions
    and for the mails."""
    name = databases.temporary(f"scale{workers}")
    try:
        databases.copy(origin, name)
        with contextlib.ExitStack() as stack, shell.timed(f"{workers} workers"):
            servers = [
                stack.enter_context(
                    odoo.running(
                        name,
                        "--no-http",
                        "--max-cron-threads=1",
                        log=settings.LOGS / f"scale-{number}.log",
                    )
                )
                for number in range(workers)
            ]
            helpers = [f"ir_cron_nurture_{number}" for number in range(2, workers + 1)]
            _execute(name, START, helpers=helpers)
            odoo.wake_crons(name, *servers)
            seconds = _watch(name)
        for complaint, query in CHECKS.items():
            count = _execute(name, query, mails=mails)[0][0]
            assert not count, f"{workers} workers: {count} {complaint}"
        return seconds
    finally:
        databases.drop(name)


def _watch(name):
    start, actions_done = time.monotonic(), None
    with contextlib.closing(cluster.connect(name)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        while time.monotonic() < start + TIMEOUT:
            cursor.execute(LEFT)
            actions, mails = cursor.fetchone()
            now = time.monotonic()
            if not actions and actions_done is None:
                actions_done = now
            if not actions and not mails:
                return actions_done - start, now - actions_done
            time.sleep(0.1)
    raise shell.Failure(f"{actions} actions and {mails} mails are left after {TIMEOUT} s.")


def _execute(name, statement, **values):
    with contextlib.closing(cluster.connect(name)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(statement, values or None)
        return cursor.fetchall() if cursor.description else None
