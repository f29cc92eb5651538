"""Survival: real Odoo processes, a real PostgreSQL, a real SMTP conversation, and all that can go
wrong between them.

After each fault, once it is gone and somebody has looked after what failed, everybody must be
where they would be without it: nobody got a step twice, nobody was forgotten, nothing is stuck,
and every failure was on the screen, with a reason, and could be retried there. See docs/faults.md.
"""

import json
import random
import time

from .. import addons, databases, odoo, shell, templates
from ..story.rpc import User
from . import clock, code, database, kills, mail
from .plan import Plan
from .post import Post
from .workers import Workers
from .world import Outcome, World, show

SCENARIOS = (
    kills.at_every_commit,
    kills.at_random,
    kills.two_at_once,
    mail.refusing,
    mail.misbehaving,
    code.raising,
    code.ending_the_transaction,
    code.calling,
    code.disk_full,
    clock.jumping,
    database.conflicts,
    code.failing_template,
    code.time_limit,
    database.restarts,
)


def main(seed=None, long=False, only=None):
    """Provoke all faults and print what became of them.

    :param only: part of the name of the scenarios to play; all, if not given
    :return: exit status
    """
    summary = play(seed, long, only)
    print(json.dumps(summary), flush=True)
    return 1 if summary["failed"] else 0


def play(seed=None, long=False, only=None):
    """Provoke all faults on a database of their own.

    :return: what came of it, as printed
    """
    seed = random.randrange(10**6) if seed is None else seed
    length = " --long" if long else ""
    shell.say(f"   seed {seed} (again: ./dev faults --seed {seed}{length})")
    plan = Plan(seed, long)
    start = time.monotonic()
    odoo.clean_start()
    name = databases.temporary("faults")
    outcomes, failed = [], []
    try:
        databases.copy(templates.base(demo=False), name)
        odoo.install(name, addons.names())
        with Post() as post, Workers(name, post.port) as workers:
            workers.do("tick")  # it is there
            with _screen(name) as server:
                world = World(workers, post, User(server, "marketer", "marketer"))
                for scenario in SCENARIOS:
                    if not only or only in f"{scenario.__module__}.{scenario.__name__}":
                        _play(scenario, world, plan, outcomes, failed)
    finally:
        databases.drop(name)
    return _sum_up(seed, long, outcomes, failed, time.monotonic() - start)


def _screen(name):
    """Serve the database, for the person at the screen."""
    return odoo.serving(
        name, shell.free_port(), "--max-cron-threads=0", log=shell.new_log("faults")
    )


def _play(scenario, world, plan, outcomes, failed):
    """Play one scenario, on dice of its own: what is drawn does not depend on the others."""
    plan.dice.seed(f"{plan.seed} {scenario.__name__}")
    world.post.trouble = None
    start = time.monotonic()
    try:
        found = scenario(world, plan)
        for outcome in [found] if isinstance(found, Outcome) else found:
            show(outcome)
            outcomes.append(outcome)
    except (AssertionError, shell.Failure) as error:
        shell.say(f"   {scenario.__name__} FAILED: {error}")
        failed.append(scenario.__name__)
    shell.say(f"     ({scenario.__name__}: {time.monotonic() - start:.0f} s)")


def _sum_up(seed, long, outcomes, failed, seconds):
    shown = sum((outcome.shown for outcome in outcomes), start=type(Outcome("").shown)())
    return {
        "seed": seed,
        "long": long,
        "scenarios": len(outcomes),
        "failed": failed,
        "leads": sum(outcome.leads for outcome in outcomes),
        "mails": sum(outcome.mails for outcome in outcomes),
        "kills": sum(outcome.kills for outcome in outcomes),
        "in_doubt": sum(outcome.in_doubt for outcome in outcomes),
        "in_doubt_arrived": sum(outcome.in_doubt_arrived for outcome in outcomes),
        "shown": dict(shown),
        "seconds": round(seconds),
    }
