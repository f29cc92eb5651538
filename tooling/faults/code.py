"""Code of others misbehaves inside a step: actions, templates, the disk it writes to."""

import contextlib
import time

from .. import cluster, odoo, shell

#: Seconds after which Odoo ends a scheduled action here.
TIME_LIMIT = 8
#: A server action that misbehaves for one lead, until somebody mends it.
AT_CULPRIT = """
mended = env["ir.config_parameter"].get_param("mended")
for lead in records:
    if lead.referred == "CULPRIT" and not mended:
        {}
"""


def raising(world, plan):
    """A server action that raises for one lead."""
    return _break(
        world,
        "raising",
        plan,
        AT_CULPRIT.format("raise UserError('this one not')"),
        "this one not",
    )


def ending_the_transaction(world, plan):
    """Server actions that commit, roll back, or hide an error of the database."""
    for name, code, said in (
        ("committing", "env.cr.commit()", "must not"),
        ("rolling-back", "env.cr.rollback()", "must not"),
        (
            "hiding",
            "try:\n            env.cr.execute('SELECT nonsense')\n"
            "        except Exception:\n            pass",
            "did not report",
        ),
    ):
        yield _break(world, name, plan, AT_CULPRIT.format(code), said)


def _break(world, name, plan, code, said, leads=10):
    culprit = plan.dice.randrange(leads)
    campaign = world.campaign(name, leads, code=code.replace("CULPRIT", str(culprit)))
    world.workers.do("tick", times=3)
    failures = campaign.failures()
    assert [trace["email"] for trace in failures] == [f"lead{culprit}@{name}.example.com"], failures
    assert said in failures[0]["detail"], failures
    with _mended(world):
        campaign.settle()
    return campaign.judge()


@contextlib.contextmanager
def _mended(world):
    """Somebody mends what is broken."""
    world.workers.do("set_parameter", name="mended", value="1")
    yield
    world.workers.do("set_parameter", name="mended", value="")


def calling(world, _plan):
    """Code that has written before calls what people press, all in one transaction: nothing waits
    for it, and what it cannot have at once is done when it has committed."""
    campaign = world.campaign("calling", 6)
    said = world.workers.do("call_everything", sequence_id=campaign.id)
    assert len(said["enrol"][1]["entered"]) == 6, said
    assert said["advance"][1] == {"entered": 0, "left": 6, "deferred": True}, said
    assert said["run_now"][1] == {"done": 0, "deferred": True}, said
    # a test is played beside the caller: it waits for a moment, then says so
    assert "Somebody is changing the same records" in said["test"][1], said
    assert all(seconds < 20 for seconds, _result in said.values()), said
    campaign.settle()
    return campaign.judge()


def failing_template(world, plan):
    """A template that cannot be filled in for a few of many leads."""
    culprits = {0, *plan.dice.sample(range(1, plan.template_leads), 2)}
    values = " or ".join(f"object.referred == '{number}'" for number in culprits)
    campaign = world.campaign(
        "template",
        plan.template_leads,
        body=f'<p>Hello <t t-out="1 / (0 if {values} else 1)"/></p>',
        batch_size=50,
        second=False,
    )
    world.workers.do("settle", sequence_id=campaign.id)
    failures = campaign.failures()
    assert {trace["email"] for trace in failures} == {
        f"lead{number}@template.example.com" for number in culprits
    }, [trace["email"] for trace in failures]
    assert all("division by zero" in trace["detail"] for trace in failures), failures[0]
    world.workers.do("set_body", sequence_id=campaign.id, body="<p>Hello</p>")
    campaign.settle()
    return campaign.judge()


def disk_full(world, _plan):
    """Files do not fit on the disk any more (they may not be longer than so much, which every
    user can arrange), then there is room again."""
    campaign = world.campaign(
        "disk",
        6,
        code="env['ir.attachment'].create([{'name': 'offer.txt', 'raw': lead.email_from * 4000,"
        " 'res_model': 'crm.lead', 'res_id': lead.id} for lead in records])",
    )
    world.workers.do("tick", file_size=50000)
    failures = campaign.failures()
    assert len(failures) == 6, failures
    assert all("OSError" in trace["detail"] for trace in failures), failures
    campaign.settle()
    lengths = world.query(
        "SELECT DISTINCT file_size / 4000 FROM ir_attachment WHERE name = 'offer.txt'"
    )
    assert lengths == [(len("lead0@disk.example.com"),)], lengths
    return campaign.judge()


def time_limit(world, plan):
    """Odoo's own server ends a scheduled action that takes too long: one lead whose action never
    ends, and honest work that takes longer than one run may."""
    leads = 6
    culprit = plan.dice.randrange(leads)
    looping = world.campaign(
        "looping",
        leads,
        code=AT_CULPRIT.format("while True:\n            pass").replace("CULPRIT", str(culprit)),
    )
    # as many as take longer than Odoo allows, half of them do not
    slow = world.campaign("slow", 8, code="time.sleep(1.5 * len(records))")
    log = shell.new_log("faults-server")
    with odoo.serving(
        world.workers.database,
        shell.free_port(),
        "--workers=1",
        "--max-cron-threads=1",
        f"--limit-time-real-cron={TIME_LIMIT}",
        "--log-level=info",
        log=log,
    ):
        _wait_until_marked(world, looping, log)
    cuts = log.read_text(errors="replace").count("timeout after")
    assert cuts >= 3, f"the time limit struck {cuts} times"
    (failure,) = looping.failures()
    assert failure["email"] == f"lead{culprit}@looping.example.com", failure
    assert failure["reason"] == "interrupted", failure
    with _mended(world):
        looping.settle()
        slow.settle()
    outcome = looping.judge()
    outcome.note = f"cut off {cuts} times"
    return [outcome, slow.judge()]


def _wait_until_marked(world, campaign, log, seconds=240):
    """Keep Odoo's scheduler awake until the culprit is on the screen."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with (
            contextlib.closing(world.connect()) as connection,
            connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(
                "UPDATE ir_cron SET nextcall = now() AT TIME ZONE 'UTC' WHERE id IN"
                " (SELECT id FROM ir_cron WHERE id IN (SELECT res_id FROM ir_model_data"
                " WHERE name = 'ir_cron_nurture') FOR UPDATE SKIP LOCKED)"
            )
        _wake_scheduler(world)
        if campaign.failures():
            return
        time.sleep(1)
    raise AssertionError(f"the culprit was not found in {seconds} s\n{shell.tail(log, 30)}")


def _wake_scheduler(world):
    with contextlib.closing(cluster.connect()) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify('cron_trigger', %s)", [world.workers.database])
