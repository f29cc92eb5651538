"""What runs inside Odoo: a process that has loaded everything, and the workers it forks.

Odoo's own prefork server makes its workers in this way, too. This file is what `odoo shell` reads;
orders come in as lines of JSON, and what became of each worker goes out the same way (see
`workers.py`).
"""

import ctypes
import json
import os
import resource
import select
import signal
import sys
import time
import traceback
from datetime import timedelta

from odoo import SUPERUSER_ID, api, fields
from odoo.exceptions import UserError
from odoo.modules.registry import Registry
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.sql_db import Cursor, close_all

from odoo.addons.base.models import ir_mail_server

ADVANCE = "lost_lead_nurture.ir_cron_nurture"
SEND = "mail.ir_cron_mail_scheduler_action"


def main(env):
    """Fork a worker for each order and report when it ends."""
    database = env.cr.dbname
    orders, reports = (int(fd) for fd in os.environ["FAULTS_PIPES"].split())
    _warm_up(env, int(os.environ["FAULTS_SMTP_PORT"]))
    env.cr.commit()
    close_all()  # a connection must not be in two processes
    report = os.fdopen(reports, "w")
    unread = b""
    while True:
        if select.select([orders], [], [], 0.01)[0]:
            received = os.read(orders, 65536)
            if not received:
                os._exit(0)
            *lines, unread = (unread + received).split(b"\n")
            for line in lines:
                pid = os.fork()
                if not pid:
                    _work(database, json.loads(line))
                print(json.dumps({"begun": pid}), file=report, flush=True)
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            continue
        if pid:
            ended = {"ended": pid, "status": os.waitstatus_to_exitcode(status)}
            print(json.dumps(ended), file=report, flush=True)


def _warm_up(env, smtp_port):
    """Do once what the workers do, so that they find templates and the like in their caches."""
    if not env["nurture.sequence"].search([], limit=1):
        set_up(env, smtp_port)
        campaign(env, "warming-up", 2)
    else:
        more_leads(env, "warming-up", 2)
    tick(env, times=4)


def _work(database, order):
    """Be a worker: do one job, then end."""
    status = 1
    try:
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # end with the parent
        output = os.open(order["output"], os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
        os.dup2(output, 1)
        os.dup2(output, 2)
        registry = Registry(database).check_signaling()
        _arrange(order)
        with registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            result = JOBS[order["job"]](env, **order["arguments"])
        print("\nRESULT", json.dumps(result))
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(status)


def _arrange(order):
    """Arrange for what is to go wrong in this worker."""
    if kill := order.get("kill"):
        _die_at(**kill)
    if days := order.get("clock"):
        now = fields.Datetime.now
        fields.Datetime.now = staticmethod(lambda *_args: now() + timedelta(days=days))
        cursor_now = Cursor.now
        Cursor.now = lambda cr: cursor_now(cr) + timedelta(days=days)
    if size := order.get("file_size"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    ir_mail_server.SMTP_TIMEOUT = order.get("smtp_timeout", 10)


def _die_at(point, number, when="before"):
    """Kill this process at its commit or statement ``number``.

    :param when: before or after it
    """
    name = {"commit": "commit", "statement": "execute"}[point]
    method, count = getattr(Cursor, name), 0

    def method_or_die(cr, *args, **kwargs):
        nonlocal count
        count += 1
        mine = count == number
        if mine and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = method(cr, *args, **kwargs)
        if mine:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(Cursor, name, method_or_die)


# ------------------------------------------------------------
# JOBS
# ------------------------------------------------------------


def set_up(env, smtp_port):
    """Make the marketer, send mails to a server of ours, and keep other actions from running."""
    env["ir.config_parameter"].set_param("mail.batch_size", "5")
    env["ir.mail_server"].search([]).active = False
    env["ir.mail_server"].create(
        {"name": "Faults", "smtp_host": "127.0.0.1", "smtp_port": smtp_port}
    )
    crons = env["ir.cron"].search([])
    (crons - env.ref(ADVANCE) - env.ref(SEND)).active = False
    # these two run when a job runs them
    (env.ref(ADVANCE) + env.ref(SEND)).nextcall = fields.Datetime.now() + timedelta(days=3650)
    # mail after mail, as fast as it goes
    env["res.company"].search([]).nurture_cap_number = 0
    env["res.users"].create(
        {
            "name": "Mara Marketer",
            "login": "marketer",
            "password": "marketer",
            "email": "marketer@company.example.com",
            "group_ids": [(4, env.ref("lost_lead_nurture.group_user").id)],
        }
    )


def campaign(env, name, leads, body=None, code=None, delay=0, batch_size=5, second=True):
    """Start a sequence for so many new leads: a mail, an action that counts, a second mail.

    :param body: HTML of the first mail
    :param code: of a server action that is done before the first mail
    :param delay: days between the steps
    :param second: whether there is a second mail
    """
    # setting a parameter empties caches
    if env["ir.config_parameter"].get_param("mail.batch_size") != str(batch_size):
        env["ir.config_parameter"].set_param("mail.batch_size", str(batch_size))
    reason = env["crm.lost.reason"].create({"name": name})
    sequence = env["nurture.sequence"].create(
        {"name": name, "domain": repr([("lost_reason_id", "=", reason.id)])}
    )
    parent = env["nurture.step"]
    if code:
        action = env["ir.actions.server"].create(
            {
                "name": name,
                "model_id": env["ir.model"]._get_id("crm.lead"),
                "state": "code",
                "code": code,
            }
        )
        values = {"action_kind": "server", "server_action_id": action.id}
        parent = _add_step(env, sequence, parent, 0, step_type="action", **values)
    parent = _add_mail(env, sequence, parent, 0, "First", body)
    parent = _add_step(
        env, sequence, parent, delay, step_type="action", action_kind="score", score=1
    )
    if second:
        _add_mail(env, sequence, parent, delay, "Second")
    more_leads(env, name, leads)
    sequence.action_start()
    return sequence.id


#: Without it a sequence does not start.
UNSUBSCRIBE = '<p><a href="/unsubscribe_from_list">Unsubscribe</a></p>'


def _add_mail(env, sequence, parent, delay, subject, body=None):
    body = (body or '<p><a href="https://shop.example.com/">See it</a></p>') + UNSUBSCRIBE
    mailing = env["mailing.mailing"].create(
        {
            "subject": subject,
            "mailing_model_id": env["ir.model"]._get_id("crm.lead"),
            "body_html": body,
            "body_arch": body,
            "email_from": "shop@company.example.com",
        }
    )
    return _add_step(env, sequence, parent, delay, mailing_id=mailing.id)


def _add_step(env, sequence, parent, delay, **values):
    return env["nurture.step"].create(
        {
            "sequence_id": sequence.id,
            "parent_id": parent.id,
            "trigger": "after" if parent else "begin",
            "delay": delay,
            **values,
        }
    )


def more_leads(env, name, leads):
    """Lose so many new leads for the reason of a campaign."""
    reason = env["crm.lost.reason"].search([("name", "=", name)])
    context = {"active_test": False, "tracking_disable": True}
    old = env["crm.lead"].with_context(**context).search_count([("lost_reason_id", "=", reason.id)])
    env["crm.lead"].with_context(**context).create(
        [
            {
                "name": f"Lead {number}",
                "email_from": f"lead{number}@{name}.example.com",
                # the number is what templates and actions of a fault recognise a lead by
                "referred": str(number),
                "expected_revenue": number,
                "active": False,
                "probability": 0,
                "lost_reason_id": reason.id,
                "date_closed": fields.Datetime.now(),
            }
            for number in range(old, old + leads)
        ]
    )
    env.cr.commit()


def tick(env, times=1):
    """Let the scheduled actions run: the sequences' one, then core's mail queue."""
    for _time in range(times):
        _run(env, ADVANCE)
        _run(env, SEND)


def _run(env, xml_id):
    """Run a scheduled action as the scheduler does when it is due."""
    crons = env["ir.cron"]
    if job := crons._acquire_one_job(env.cr, env.ref(xml_id).id, include_not_ready=True):
        crons._process_job(env.cr, job)
    env.cr.commit()
    env.invalidate_all()


def settle(env, sequence_id, limit=30):
    """Let the scheduled actions run until nothing changes any more.

    :return: how often
    """
    before = None
    for number in range(limit):
        tick(env)
        env.cr.execute(
            "SELECT array_agg(state || COALESCE(schedule_date::text, '') ORDER BY id),"
            " (SELECT array_agg(state ORDER BY id) FROM mail_mail),"
            " (SELECT count(*) FROM nurture_batch)"
            " FROM nurture_trace WHERE sequence_id = %s",
            [sequence_id],
        )
        after = env.cr.fetchone()
        env.cr.commit()
        if after == before:
            return number
        before = after
    raise AssertionError(f"It does not come to rest: {before}")


def advance_and_send(env):
    """Advance and send beside other workers that do the same."""
    env["nurture.sequence"]._cron_advance()
    env.cr.commit()
    env["mail.mail"].process_email_queue()
    env.cr.commit()


def pass_time_of_queue(env):
    """Let the time come for all mails that a server wants to be sent later. Core reads the clock of
    the computer there."""
    mails = env["mail.mail"].search([("scheduled_date", "!=", False)])
    mails.scheduled_date = fields.Datetime.now() - timedelta(days=1)


def set_parameter(env, name, value):
    """Set a system parameter."""
    env["ir.config_parameter"].set_param(name, value)


def set_body(env, sequence_id, body):
    """Mend the mails of a sequence."""
    steps = env["nurture.sequence"].browse(sequence_id).step_ids
    body += UNSUBSCRIBE
    steps.mailing_id.write({"body_html": body, "body_arch": body})


def failures(env, sequence_id):
    """What the marketer sees as failed."""
    domain = [("sequence_id", "=", sequence_id), ("state", "=", "error")]
    fields_read = ["email", "reason", "detail", "step_id"]
    return env["nurture.trace"].with_user(_marketer(env)).search_read(domain, fields_read)


def press(env, model, method, ids):
    """Press a button, as the marketer."""
    getattr(env[model].with_user(_marketer(env)).browse(ids), method)()


def call_everything(env, sequence_id):
    """Call what people press from code that has written before, and commit in the end only: what a
    server action, an automation rule or another add-on does.

    :return: ``{method: (seconds, what it returned or raised)}``
    """
    env = env(user=_marketer(env))
    sequence = env["nurture.sequence"].browse(sequence_id)
    leads = env["crm.lead"].with_context(active_test=False)
    leads = leads.search([("lost_reason_id.name", "=", sequence.name)])
    leads.sudo().write({"referred": "written before"})
    said = {}

    def call(name, method):
        began = time.monotonic()
        try:
            result = method()
        except UserError as error:
            result = str(error)
        said[name] = (time.monotonic() - began, result)

    call("stop", sequence.action_stop)
    call("start", sequence.action_start)
    call("enrol", lambda: sequence.enrol(leads.ids))
    call("advance", sequence.action_advance)
    call("run_now", lambda: sequence.participant_ids.action_run_now())
    call("retry", lambda: sequence.participant_ids.action_retry())
    call("dry_run", lambda: sequence.action_dry_run() and True)
    call("update", lambda: bool(_make(env, "nurture.update", sequence).action_update()))
    call("test", lambda: sequence.action_test() and True)
    env.cr.commit()
    return said


def _make(env, model, sequence):
    return env[model].create({"sequence_id": sequence.id})


def _marketer(env):
    return env["res.users"].search([("login", "=", "marketer")])


def work_together(env, barrier, what):
    """Advance or send at the same moment as another worker.

    :param barrier: path of a named pipe that is opened when it begins
    :return: how many traces or mails this worker did
    """
    done = 0

    def count(model, name):
        nonlocal done
        method = getattr(model, name)

        def counting(batch, *args, **kwargs):
            nonlocal done
            done += len(batch)
            return method(batch, *args, **kwargs)

        setattr(model, name, counting)

    if what == "advance":
        count(type(env["nurture.trace"]), "_execute")
    else:
        count(type(env["mail.mail"]), "_nurture_send")
    os.close(os.open(barrier, os.O_RDONLY))
    if what == "advance":
        env["nurture.sequence"]._cron_advance()
    else:
        env["mail.mail"].process_email_queue()
    env.cr.commit()
    return done


def disturb(env, sequence_id, seconds, seed):
    """Lock and change the records of a sequence that workers are busy with, in all orders.

    :return: how often, and how many conflicts this side of it had
    """
    import random

    dice = random.Random(seed)
    tables = {
        "crm_lead": "id IN (SELECT lead_id FROM nurture_participant WHERE sequence_id = %s)",
        "nurture_participant": "sequence_id = %s",
        "nurture_trace": "sequence_id = %s",
        "mailing_trace": "nurture_trace_id IN (SELECT id FROM nurture_trace"
        " WHERE sequence_id = %s)",
    }
    times = conflicts = 0
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        times += 1
        try:
            for table in dice.sample(list(tables), 2):
                order = dice.choice(("id", "id DESC", "random()"))
                env.cr.execute(
                    f"UPDATE {table} SET write_date = now() WHERE id IN (SELECT id FROM {table}"
                    f" WHERE {tables[table]} ORDER BY {order} LIMIT %s)",
                    [sequence_id, dice.randint(1, 8)],
                    log_exceptions=False,
                )
                time.sleep(dice.uniform(0, 0.02))
            env.cr.commit()
            time.sleep(dice.uniform(0, 0.01))
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            conflicts += 1
            env.cr.rollback()
    return [times, conflicts]


JOBS = {
    job.__name__: job
    for job in (
        campaign,
        more_leads,
        tick,
        settle,
        advance_and_send,
        pass_time_of_queue,
        set_parameter,
        set_body,
        failures,
        press,
        call_everything,
        work_together,
        disturb,
    )
}

main(env)  # noqa: F821 - Odoo's shell gives it
