"""The first promise with real processes: nobody gets a step twice, nobody is forgotten.

A test inside Odoo never commits, so it cannot see what a kill between two commits leaves behind.
Here the engine runs in processes of their own on a database of their own:

- one is killed with SIGKILL right before its first commit, the next one right after it, then
  before and after the second one, and so on, until one gets to its end;
- then two of them work on one queue at the same time: they start at one signal, and each must get
  something to do.

After each the database must add up; in the end the mails are sent to a catcher by SMTP, and every
address must have got every mail exactly once.
"""

import collections
import contextlib
import os
import subprocess
import tempfile
from pathlib import Path

from . import addons, cluster, databases, odoo, shell, templates
from .story.mailbox import Mailbox

LEADS = 40
BATCH = 5
SUBJECTS = ("First", "Second")

SET_UP = f"""
reason = env["crm.lost.reason"].create({{"name": "Kill test"}})
leads = env["crm.lead"].create([
    {{"name": f"Lead {{number}}", "email_from": f"lead{{number}}@kill.example.com"}}
    for number in range({LEADS})
])
leads.action_set_lost(lost_reason_id=reason.id)
sequence = env["nurture.sequence"].create(
    {{"name": "Kill test", "domain": repr([("lost_reason_id", "=", reason.id)])}}
)
for subject in {SUBJECTS!r}:
    mailing = env["mailing.mailing"].create({{
        "subject": subject,
        "mailing_model_id": env["ir.model"]._get_id("crm.lead"),
        "body_html": '<p><a href="https://shop.example.com/">See it</a></p>',
    }})
    step = env["nurture.step"].create({{"sequence_id": sequence.id, "mailing_id": mailing.id}})
    env["nurture.step"].create({{
        "sequence_id": sequence.id,
        "parent_id": step.id,
        "trigger": "after",
        "delay": 1,
        "mailing_id": mailing.copy().id,
    }})
sequence.action_start()
env["ir.config_parameter"].set_param("mail.batch_size", "{BATCH}")
env["ir.mail_server"].search([]).active = False
env["ir.mail_server"].create(
    {{"name": "Catcher", "smtp_host": "127.0.0.1", "smtp_port": int(os.environ["SMTP_PORT"])}}
)
env.cr.commit()
"""

WORK = """
from odoo.sql_db import Cursor

commits, (when, victim) = 0, os.environ["KILL"].split()
commit = Cursor.commit

def commit_or_die(cr):
    global commits
    if cr is not env.cr:
        return commit(cr)
    commits += 1
    if commits == int(victim) and when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    commit(cr)
    if commits == int(victim) and when == "after":
        os.kill(os.getpid(), signal.SIGKILL)

Cursor.commit = commit_or_die
env["nurture.sequence"]._cron_advance()
print("arrived")
"""

WORK_TOGETHER = """
traces, done = type(env["nurture.trace"]), 0
execute = traces._execute

def count(batch):
    global done
    done += len(batch)
    execute(batch)

traces._execute = count
print("ready", flush=True)
open(os.environ["SIGNAL"]).close()  # waits until the other end is opened, too
env["nurture.sequence"]._cron_advance()
print("done", done)
"""

MORE_LEADS = f"""
reason = env["crm.lost.reason"].search([("name", "=", "Kill test")])
leads = env["crm.lead"].create([
    {{"name": f"More {{number}}", "email_from": f"more{{number}}@kill.example.com"}}
    for number in range({LEADS})
])
leads.action_set_lost(lost_reason_id=reason.id)
env["nurture.sequence"].search([])._enrol_matching()
env.cr.commit()
"""

SEND = 'env["mail.mail"].process_email_queue()'


def play():
    """Run it all on a database of its own.

    :return: how many processes were killed
    """
    odoo.clean_start()
    name = databases.temporary("kills")
    try:
        databases.copy(templates.base(demo=False), name)
        odoo.install(name, addons.names())
        with Mailbox() as mailbox:
            _finish(_start(name, SET_UP, SMTP_PORT=mailbox.port))
            killed = _kill_at_every_commit(name)
            _finish(_start(name, MORE_LEADS))
            _work_together(name)
            _check(name, complete=True)
            _finish(_start(name, SEND))
            _check_mails(mailbox.empty())
        return killed
    finally:
        databases.drop(name)


def _kill_at_every_commit(name):
    killed = 0
    while True:
        # before the first commit, after it, before the second…
        when, victim = ("before", "after")[killed % 2], killed // 2 + 1
        if "arrived" in _finish(_start(name, WORK, KILL=f"{when} {victim}"), may_die=True):
            _check(name, complete=True)
            return killed
        killed += 1
        _check(name)


def _work_together(name):
    """Let two processes, started and waiting, loose on one queue at the same moment."""
    with tempfile.TemporaryDirectory() as folder:
        signals = [Path(folder, str(number)) for number in range(2)]
        for path in signals:
            os.mkfifo(path)
        workers = [_start(name, WORK_TOGETHER, SIGNAL=path) for path in signals]
        for worker in workers:
            _read_until(worker, "ready")
        for path in signals:
            path.open("w").close()
        shares = [int(_finish(worker).rpartition("done ")[2]) for worker in workers]
    assert all(shares), f"two workers did {shares}: they did not share the work"


def _read_until(process, word):
    for line in process.stdout:
        if line.strip().endswith(word):
            return
    raise shell.Failure(f"A worker ended before it was {word}.")


def _check(name, complete=False):
    """Compare what the engine wrote about the mails with the mails there are."""
    with contextlib.closing(cluster.connect(name)) as connection, connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT trace.id, trace.state, count(stat.id), count(mail.id),
                   (SELECT count(*) FROM nurture_trace child WHERE child.parent_id = trace.id)
              FROM nurture_trace trace
         LEFT JOIN mailing_trace stat ON stat.nurture_trace_id = trace.id
         LEFT JOIN mail_mail mail ON mail.id = stat.mail_mail_id
             WHERE trace.parent_id IS NULL
          GROUP BY trace.id
            """
        )
        rows = cursor.fetchall()
        cursor.execute("SELECT count(*), count(DISTINCT email) FROM nurture_participant")
        participants, addresses = cursor.fetchone()
    assert participants == addresses, f"{participants} participants of {addresses} addresses"
    assert len(rows) == participants * len(SUBJECTS), f"{len(rows)} first steps"
    for trace, state, stats, mails, children in rows:
        expected = (1, 1, 1) if state == "processed" else (0, 0, 0)
        found = (stats, mails, children)
        assert found == expected, f"trace {trace} is {state}, with {found} instead of {expected}"
        assert state == "processed" or not complete, f"trace {trace} was forgotten: {state}"


def _check_mails(mails):
    got = collections.Counter((mail.address, mail.subject) for mail in mails)
    expected = {
        (f"{kind}{number}@kill.example.com", subject)
        for kind in ("lead", "more")
        for number in range(LEADS)
        for subject in SUBJECTS
    }
    assert got.keys() == expected, f"wrong mails: {sorted(got.keys() ^ expected)[:5]}"
    twice = [key for key, count in got.items() if count > 1]
    assert not twice, f"mails sent twice: {twice[:5]}"


def _start(name, script, **environment):
    """Run a script in an Odoo of its own."""
    process = subprocess.Popen(
        odoo.command("shell", "-d", name, "--no-http", "--log-level=warn"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=odoo.environment() | {key: str(value) for key, value in environment.items()},
        preexec_fn=shell.die_with_parent,
    )
    process.stdin.write("import os, signal\n" + script)
    process.stdin.close()
    return process


def _finish(process, may_die=False):
    output = process.stdout.read()
    status = process.wait()
    died = status == -9 and may_die
    if "Traceback" in output or (status and not died):
        raise shell.Failure(f"A worker ended with status {status}:\n{output}")
    return output
