"""Workers killed with SIGKILL: at every commit, at random, two at a time."""

import os
import tempfile
import time
from pathlib import Path

from .. import shell

KILLED = -9


def at_every_commit(world, plan):
    """Kill a worker right before its first commit, the next one right after it, then before and
    after the second one, and so on, until one gets to its end. Advancing and sending alike."""
    campaign = world.campaign("commits", plan.leads_per_commit_round)
    for _round in range(plan.commit_rounds):
        number = 0
        while True:
            kill = {
                "point": "commit",
                "when": ("before", "after")[number % 2],
                "number": number // 2 + 1,
            }
            worker = world.workers.begin("tick", kill=kill)
            if worker.wait(KILLED) != KILLED:
                break
            number += 1
        campaign.more_leads(plan.leads_per_commit_round)
    campaign.settle()
    return campaign.judge()


def at_random(world, plan):
    """Kill workers at a random statement, or after a random time, while new leads keep coming."""
    campaign = world.campaign("random", 10)
    for kill in plan.random_kills:
        campaign.more_leads(3)
        if "seconds" in kill:
            worker = world.workers.begin("tick", times=3)
            time.sleep(kill["seconds"])
            worker.kill()
        else:
            worker = world.workers.begin("tick", times=3, kill=kill)
        worker.wait(KILLED)
    campaign.settle()
    return campaign.judge()


def two_at_once(world, plan):
    """Let two workers, started and waiting, loose on one queue at the same moment, then on the
    mails; both must get something to do. The second time one of them is killed."""
    campaign = world.campaign("together", 40)
    shares = [_work_together(world, "advance"), _work_together(world, "send")]
    for what, done in zip(("steps", "mails"), shares, strict=True):
        assert all(done), f"two workers did {done} {what}: they did not share the work"
    for number in plan.random_numbers[:4]:
        campaign.more_leads(20)
        _work_together(world, "advance", kill={"point": "statement", "number": 20 + number % 60})
        _work_together(world, "send", kill={"point": "statement", "number": 5 + number % 60})
    campaign.settle()
    outcome = campaign.judge()
    outcome.note = f"shared {shares[0]} steps and {shares[1]} mails"
    return outcome


def _work_together(world, job, kill=None):
    """Return how much each of two workers did (None: it was killed)."""
    with tempfile.TemporaryDirectory() as folder:
        barriers = [Path(folder, str(number)) for number in range(2)]
        for path in barriers:
            os.mkfifo(path)
        workers = [
            world.workers.begin(
                "work_together", barrier=str(path), what=job, kill=kill if not number else None
            )
            for number, path in enumerate(barriers)
        ]
        for path in barriers:
            _open(path)
        if kill:
            for worker in workers:
                worker.wait(KILLED)
            return None
        return [worker.result() for worker in workers]


def _open(path, seconds=20):
    """Let the worker go that waits at a named pipe; it may have been killed before."""
    for _attempt in range(seconds * 100):
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
            return
        except OSError:  # nobody waits there yet
            time.sleep(0.01)
    raise shell.Failure("A worker does not begin.")
