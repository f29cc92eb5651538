"""./dev upgrade: the story's database, as an earlier version left it, brought to this one.

The earlier version plays the story with its own code; then Odoo updates the add-ons to what lies
here. Every row of every table that a sequence writes has to be there afterwards with the same
values, under whatever names; the screens have to show the same numbers; and work goes on.
"""

import ast
import contextlib
import json
import os
import shutil
import subprocess
import sys

from psycopg2 import sql

from . import addons, cluster, databases, odoo, odoo_log, settings, shell
from .story.rpc import User

#: The last commit before the names of the glossary came.
BEFORE = "6d0836a3550a1ee20194c898992d9a29a1b4d7db"
FOLDER = settings.DEV / "before"
#: What the earlier version runs to leave its database: (name of the database, log, folder).
PLAY = """
import json, pathlib, sys
from tooling import settings
# Odoo, the databases and the programs of node are those of the clone that asks
settings.DEV = pathlib.Path(sys.argv[3])
settings.LOGS, settings.DATA = settings.DEV / "logs", settings.DEV / "data"
settings.FILESTORE = settings.DATA / "filestore"
from tooling import demo, odoo, shell
odoo.clean_start()
port = shell.free_port()
demo.create(sys.argv[1], port)
print(json.dumps(demo.play(sys.argv[1], port, pathlib.Path(sys.argv[2]))))
"""
#: Tables of core that know of sequences; ours are found by their names.
TABLES = ("crm_lead", "link_tracker_click", "mail_activity", "mailing_mailing", "mailing_trace")
TABLES += ("mailing_filter", "mail_blacklist", "sale_order")
#: Those in which an update brings new templates and presets along.
WITH_TEMPLATES = ("mailing_mailing", "nurture_preset", "nurture_sequence", "nurture_step")
WITH_TEMPLATES += ("nurture_sequence_template_reason_rel",)
#: What is counted anew when somebody looks.
COUNTED = ("nurture_figures", "nurture_statistics")
#: What the ledger knows now, by other rules: who was credited with what.
IN_LEDGER = {
    "nurture_credit": None,
    "sale_order": {"nurture_participant_id", "nurture_credit_id"},
}
#: What the ledger has to come to: quotations of leads somebody of whom had clicked or replied
#: before, and what was paid for them.
EARNED = """
  WITH credited AS (
       SELECT so.id
         FROM sale_order so
        WHERE so.state != 'cancel'
          AND EXISTS (SELECT 1 FROM nurture_participant participant
                        JOIN nurture_trace trace ON trace.participant_id = participant.id
                        JOIN mailing_trace mail ON mail.nurture_trace_id = trace.id
                       WHERE participant.lead_id = so.opportunity_id
                         AND COALESCE(mail.reply_datetime, mail.links_click_datetime)
                             <= so.date_order)
       )
SELECT (SELECT count(*) FROM credited),
       (SELECT COALESCE(SUM(-line.balance), 0)
          FROM account_move_line line
          JOIN account_move invoice ON invoice.id = line.move_id
         WHERE invoice.payment_state = 'paid'
           AND EXISTS (SELECT 1 FROM sale_order_line_invoice_rel rel
                         JOIN sale_order_line own ON own.id = rel.order_line_id
                        WHERE rel.invoice_line_id = line.id
                          AND own.order_id IN (SELECT id FROM credited)))
"""
#: Any update writes these.
NOTED_BY_UPDATES = ("write_date", "write_uid")
#: ``{value before: value now}`` of choices that have another name.
VALUES = {
    "pulled_back": "recalled",
    "mail_put_off": "mail_deferred",
    "window": "sending_hours",
    "farewell": "last_chance",
    "trap": "honeypot",
}
#: Columns of such choices, and those that remember them.
CHOICES = ("reason", "kind", "template_group", "decision_log")
#: A filter that somebody has saved; it has to find the same afterwards.
FAVOURITE = "Back without mails"
#: The domain of another one: what somebody looks for is called as a field was, elsewhere.
WORD = "[('name', 'ilike', 'round')]"
#: ``{what the story says came of it: the field of the sequence that shows it}``
SHOWN = {
    "enrolled": "participant_count",
    "sent": "sent_count",
    "opened": "opened_count",
    "clicked": "clicked_count",
    "replied": "replied_count",
    "ignored": "ignored_count",
    "bounced": "bounced_count",
    "reactivated": "lead_count",
}


def main():
    """Play it, say what is wrong, return the exit status."""
    problems = play()
    for problem in problems:
        shell.say(problem)
    print(json.dumps({"lost": len(problems)}), flush=True)
    return 1 if problems else 0


def is_possible():
    """Tell whether this clone knows the earlier version: a shallow one does not."""
    if not shutil.which("git"):
        return False
    known = subprocess.run(
        ["git", "cat-file", "-e", f"{BEFORE}^{{commit}}"], cwd=settings.ROOT, capture_output=True
    )
    return known.returncode == 0


def play():
    """Make the database of before, update it, look; return what is wrong (a list of texts)."""
    if not is_possible():
        raise shell.Failure(f"This clone does not have the commit {BEFORE} (a shallow one?).")
    odoo.clean_start()
    name = databases.temporary("upgrade")
    try:
        with shell.timed(f"Playing the story as of {BEFORE[:7]}"):
            shown = _play_before(name)
        _leave_more(name)
        before = read_tables(name)
        with shell.timed("Updating"):
            problems = _update(name)
        problems += compare(before, read_tables(name))
        # a screen that misses something says less than the table does
        return problems or _look(name, shown)
    finally:
        databases.drop(name)


def _play_before(name):
    """Play the story with the code of before; return what it says came of it."""
    shell.remove(FOLDER)
    FOLDER.mkdir(parents=True)
    archive = subprocess.run(
        ["git", "archive", BEFORE], cwd=settings.ROOT, capture_output=True, check=True
    )
    subprocess.run(["tar", "-x"], cwd=FOLDER, input=archive.stdout, check=True)
    log = shell.new_log("upgrade-before")
    done = subprocess.run(
        [sys.executable, "-c", PLAY, name, str(log), str(settings.DEV)],
        cwd=FOLDER,
        env={**os.environ, "PYTHONPATH": str(FOLDER)},
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=shell.die_with_parent,
    )
    shell.remove(FOLDER)
    if done.returncode:
        raise shell.Failure(f"The version of before could not play its story. See {log}")
    return json.loads(done.stdout.splitlines()[-1])


def _leave_more(name):
    """Add what the story does not come to, as the earlier version would have written it."""
    now = "2026-01-05 09:00:00"
    reasons = [value for value in VALUES if value != "trap"]
    decisions = [
        json.dumps([{"date": now, "state": "scheduled", "reason": reason, "detail": None}])
        for reason in reasons
    ]
    note = {"kind": "click", "reason": "trap", "first": now, "last": now, "hits": 1, "links": []}
    with contextlib.closing(cluster.connect(name)) as connection, connection:
        cursor = connection.cursor()
        for position, (reason, decision) in enumerate(zip(reasons, decisions, strict=True)):
            cursor.execute(
                "UPDATE nurture_trace SET reason = %s, decision_log = decision_log || %s::jsonb"
                " WHERE id = (SELECT id FROM nurture_trace ORDER BY id LIMIT 1 OFFSET %s)",
                (reason, decision, position),
            )
        cursor.execute(
            "UPDATE mailing_trace SET nurture_machine_reason = 'trap', nurture_machine_date = %s,"
            " nurture_machine_notes = %s, nurture_unheard = 'open' WHERE id = ("
            " SELECT max(id) FROM mailing_trace WHERE nurture_trace_id IS NOT NULL)",
            (now, json.dumps([note])),
        )
        cursor.execute(
            "UPDATE nurture_participant SET came_back_date = %s, came_back_reason = 'order'"
            " WHERE id = (SELECT max(id) FROM nurture_participant)",
            (now,),
        )
        cursor.execute(
            "INSERT INTO ir_filters (name, model_id, domain, context, sort, active)"
            " VALUES (%s, 'nurture.participant', %s, %s, '[]', true)",
            (FAVOURITE, "[('came_back_date', '!=', False)]", "{'group_by': ['came_back_reason']}"),
        )
        cursor.execute(
            "INSERT INTO ir_filters (name, model_id, domain, context, sort, active)"
            " VALUES (%s, 'crm.lead', %s, '{}', '[]', true)",
            (FAVOURITE, WORD),
        )


def _update(name):
    """Update the add-ons; return what Odoo warns of."""
    log = shell.new_log("upgrade")
    shell.run(
        odoo.command("-d", name, "-u", ",".join(addons.names()), "--stop-after-init", "--no-http"),
        log=log,
        failure="Odoo could not update the add-ons.",
        env=odoo.environment(),
        preexec_fn=shell.die_with_parent,
    )
    return odoo_log.read(log).problems


def read_tables(name):
    """Return ``{table: {column: its values, by the order of the rows}}`` of what is kept."""
    with contextlib.closing(cluster.connect(name)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.tables"
            " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
            " AND (table_name LIKE 'nurture\\_%%' OR table_name IN %s)",
            (TABLES,),
        )
        tables = sorted(table for (table,) in cursor.fetchall() if table not in COUNTED)
        return {table: _read(cursor, table) for table in tables}


def _read(cursor, table):
    cursor.execute(sql.SQL("SELECT to_jsonb(t) FROM {} t").format(sql.Identifier(table)))
    rows = sorted((row for (row,) in cursor.fetchall()), key=lambda row: row.get("id") or str(row))
    return {column: [row[column] for row in rows] for column in (rows[0] if rows else ())}


def _without_new(columns, now):
    """``now`` without rows that were not there before. What only relates two others has no id: the
    whole row says which one it is."""
    key = ["id"] if "id" in columns else sorted(columns)
    known = {*zip(*(columns[column] for column in key), strict=True)}
    rows = zip(*(now[column] for column in key), strict=True)
    kept = [number for number, row in enumerate(rows) if row in known]
    return {column: [values[number] for number in kept] for column, values in now.items()}


def compare(before, after):
    """Return what was there before and is not any more (a list of texts)."""
    problems = []
    for table, columns in before.items():
        known = IN_LEDGER.get(table, ())
        if known is None:
            continue
        now = after.get(table)
        if now is None:
            problems += [f"The table {table} is gone."]
            continue
        if table in WITH_TEMPLATES:
            now = _without_new(columns, now)
        new = {column: values for column, values in now.items() if column not in columns}
        for column, values in columns.items():
            if column in NOTED_BY_UPDATES or column in known:
                continue
            wanted = _in_new_words(values) if column.endswith(CHOICES) else values
            if column in now:
                if now[column] != wanted:
                    problems += [
                        f"{table}.{column} has other values:{_differences(wanted, now[column])}"
                    ]
            elif not any(_in_new_words(values) == other for other in new.values()):
                problems += [f"{table}.{column} is gone, and no new column has its values."]
    return problems


def _differences(wanted, found):
    pairs = [pair for pair in zip(wanted, found, strict=False) if pair[0] != pair[1]]
    return "".join(f"\n   {one!r} became {other!r}" for one, other in pairs[:3])


def _in_new_words(value):
    if isinstance(value, list):
        return [_in_new_words(one) for one in value]
    if isinstance(value, dict):
        return {key: _in_new_words(one) for key, one in value.items()}
    return VALUES.get(value, value) if isinstance(value, str) else value


def _earned(name):
    """Return how many quotations the ledger has to have credited, and what was paid for them."""
    with contextlib.closing(cluster.connect(name)) as connection, connection.cursor() as cursor:
        cursor.execute(EARNED)
        return [float(value) for value in cursor.fetchone()]


def _look(name, shown):
    """Look at what people look at, and let the scheduled actions work on."""
    log = shell.new_log("upgrade-look")
    port = shell.free_port()
    with odoo.serving(name, port, "--max-cron-threads=0", log=log) as server:
        admin = User(server, settings.LOGIN, settings.PASSWORD)
        campaign = admin.ref("lost_lead_nurture.nurture_sequence_restock")
        (row,) = admin.find("nurture.sequence", [("id", "=", campaign)], list(SHOWN.values()))
        found = {what: row[field] for what, field in SHOWN.items()}
        wanted = {what: shown[what] for what in SHOWN}
        problems = [] if found == wanted else [f"The sequence shows {found}, not {wanted}."]
        money = ["quotation_count", "invoiced_amount"]
        (row,) = admin.find("nurture.sequence", [("id", "=", campaign)], money)
        found, wanted = [float(row[field]) for field in money], _earned(name)
        if found != wanted or not all(wanted):
            problems += [f"The sequence has earned {found}, not {wanted}."]
        people = admin.find("nurture.participant", [("sequence_id", "=", campaign)], ["decisions"])
        for one in people:
            timeline = admin.call("nurture.participant", "get_timeline", [one["id"]])
            if not one["decisions"] or not timeline["entries"]:
                problems += [f"Participant {one['id']} has no history any more."]
        rows = admin.find("ir.filters", [("name", "=", FAVOURITE)], ["model_id", "domain"])
        saved = {row["model_id"]: row["domain"] for row in rows}
        domain = list(ast.literal_eval(saved["nurture.participant"]))
        if len(admin.find("nurture.participant", domain, ["id"])) != 1:
            problems += [f"The saved filter finds something else: {domain}"]
        if saved["crm.lead"] != WORD:
            problems += [f"What somebody looks for has become {saved['crm.lead']}"]
        for cron in ("ir_cron_nurture", "ir_cron_nurture_statistics"):
            admin.run_cron(f"lost_lead_nurture.{cron}")
    return problems + odoo_log.read(log).problems
