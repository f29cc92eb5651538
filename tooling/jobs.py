"""The bridge to queue_job with its real job runner.

A server with the runner works off a step by jobs, two at a time. In the midst of it it is killed
with SIGKILL, and another one is started. In the end every lead must have got its mail once, and all
jobs must be done.
"""

import collections
import contextlib
import signal
import time

from . import cluster, odoo, settings, shell

LEADS = 400
BATCH = 5
PARALLEL = 2
TIMEOUT = 90

SET_UP = f"""
reason = env["crm.lost.reason"].create({{"name": "Job test"}})
leads = env["crm.lead"].create([
    {{"name": f"Lead {{number}}", "email_from": f"lead{{number}}@jobs.example.com"}}
    for number in range({LEADS})
])
leads.action_set_lost(lost_reason_id=reason.id)
sequence = env["nurture.sequence"].create(
    {{"name": "Job test", "domain": repr([("lost_reason_id", "=", reason.id)])}}
)
mailing = env["mailing.mailing"].create({{
    "subject": "By a job",
    "mailing_model_id": env["ir.model"]._get_id("crm.lead"),
    "body_html": '<p>Hello again</p><a href="/unsubscribe_from_list">Unsubscribe</a>',
}})
env["nurture.step"].create({{"sequence_id": sequence.id, "mailing_id": mailing.id}})
env["ir.config_parameter"].set_param("mail.batch_size", "{BATCH}")
# mails are only queued: sending them is core's
ours = env.ref("lost_lead_nurture.ir_cron_nurture")
(env["ir.cron"].search([]) - ours).active = False
sequence.action_start()
env.cr.commit()
"""


def play(name):
    """Run it in a database with the add-ons and the bridge.

    :return: what was seen, in words
    """
    log = settings.LOGS / f"jobs-{shell.run_id()}.log"
    odoo.run_script(name, SET_UP)
    with _serving(name, log) as server:
        at_once = _watch(name, lambda state: state.processed >= LEADS // 4)
        server.send_signal(signal.SIGKILL)
        server.wait()
    killed = _look(name)
    assert killed.processed < LEADS, "all was done before the server was killed"
    _check_mails(name)
    with _serving(name, log):
        at_once = max(at_once, _watch(name, lambda state: state.is_done))
    _check_mails(name)
    log.unlink()
    assert at_once == PARALLEL, f"{at_once} jobs were at work at once, not {PARALLEL}"
    jobs = _look(name).jobs
    return (
        f"{LEADS} mails by {jobs['done']} jobs, {at_once} at once; server killed after "
        f"{killed.processed}, with {killed.jobs['started']} jobs at work"
    )


class State(collections.namedtuple("State", "processed open jobs")):
    """How many traces are processed and how many are not, and the jobs by state."""

    @property
    def is_done(self):
        """Tell whether nothing is left to do."""
        return not self.open and set(self.jobs) == {"done"}


def _look(name):
    with contextlib.closing(cluster.connect(name)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT state = 'processed', count(*) FROM nurture_trace GROUP BY 1")
        traces = dict(cursor.fetchall())
        cursor.execute("SELECT state, count(*) FROM queue_job GROUP BY state")
        jobs = collections.Counter(dict(cursor.fetchall()))
    # nobody has entered yet: everybody is still to come
    return State(traces.get(True, 0), traces.get(False, 0) if traces else LEADS, jobs)


def _watch(name, is_enough):
    """Wait; return how many jobs were at work at the same time."""
    at_once = 0
    end = time.monotonic() + TIMEOUT
    while time.monotonic() < end:
        state = _look(name)
        at_once = max(at_once, state.jobs["started"])
        if is_enough(state):
            return at_once
        time.sleep(0.05)
    raise shell.Failure(f"The jobs did not get there in {TIMEOUT} s: {state}")


@contextlib.contextmanager
def _serving(name, log):
    port = shell.free_port()
    arguments = ["--http-port", port, "--max-cron-threads=1", "--load=base,rpc,web,queue_job"]
    channels = f"root:{PARALLEL + 2},root.nurture:{PARALLEL}"
    variables = {"ODOO_QUEUE_JOB_CHANNELS": channels}
    with odoo.running(name, *arguments, log=log, mode="a", variables=variables) as process:
        odoo.wait_until_up(process, port, log)
        odoo.wake_crons(name, process)
        yield process


def _check_mails(name):
    """Compare what the engine wrote about the mails with the mails there are."""
    with contextlib.closing(cluster.connect(name)) as connection, connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT trace.state, count(DISTINCT mailing_trace.id), count(DISTINCT mail.id)
              FROM nurture_trace trace
         LEFT JOIN mailing_trace ON mailing_trace.nurture_trace_id = trace.id
         LEFT JOIN mail_mail mail ON mail.id = mailing_trace.mail_mail_id
          GROUP BY trace.id
            """
        )
        found = collections.Counter(cursor.fetchall())
        cursor.execute("SELECT count(*), count(DISTINCT email) FROM mailing_trace")
        mails, addresses = cursor.fetchone()
    wrong = set(found) - {("processed", 1, 1), ("scheduled", 0, 0)}
    assert not wrong, f"(state, mailing traces, mails) that do not add up: {wrong}"
    assert sum(found.values()) == LEADS, f"{sum(found.values())} traces of {LEADS} leads"
    assert mails == addresses, f"{mails} mails to {addresses} addresses"
