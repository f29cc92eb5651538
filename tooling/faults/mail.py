"""The mail server misbehaves, in all the ways that SMTP has."""

from .post import PATIENCE


def refusing(world, _plan):
    """Nobody listens: all that was to leave fails, says why, and can be retried."""
    campaign = world.campaign("refusing", 6)
    world.post.close()
    world.workers.do("tick")
    world.post.open()
    failures = campaign.failures()
    assert len(failures) == 6, f"{len(failures)} failures are shown"
    campaign.settle()
    return campaign.judge()


def misbehaving(world, plan):
    """One kind of trouble after another, each for some addresses and once only."""
    for name, point, answer in (
        ("drop-at-mail", "mail", "drop"),
        ("drop-after-data", "kept", "drop"),
        ("drop-before-data", "data", "drop"),
        ("stall-at-mail", "mail", "stall"),
        ("stall-after-data", "kept", "stall"),
        ("answer-421", "rcpt", "421 too many mails"),
        ("answer-421-data", "data", "421 too many mails"),
        ("answer-450", "rcpt", "450 mailbox busy"),
        # that there is no such user would be a bounce, which ends the journey and is no fault
        ("answer-554", "rcpt", "554 5.7.1 relay access denied"),
        ("answer-550-data", "data", "550 we do not like this"),
    ):
        yield _misbehave(world, plan, name, point, answer)


def _misbehave(world, plan, name, point, answer, leads=6, times=2):
    campaign = world.campaign(name, leads)
    chosen = set(plan.dice.sample(range(leads), times))
    count = 0

    def trouble(at, _address):
        nonlocal count
        if at != point:
            return None
        count += 1
        return answer if count - 1 in chosen else None

    world.post.trouble, world.post.troubles = trouble, 0
    for _time in range(times + 1):  # after a lost connection core leaves the rest for the next run
        world.workers.do("tick", smtp_timeout=PATIENCE)
    world.post.trouble = None
    assert world.post.troubles == times, f"{name}: {world.post.troubles} times"
    if answer[0] == "4":
        # these stay in the queue until it is time to try again
        world.workers.do("pass_time_of_queue")
    campaign.settle()
    outcome = campaign.judge()
    # what only the server can know, and nothing else, is in doubt
    undecidable = times if point in ("data", "kept") and answer in ("drop", "stall") else 0
    arrived = undecidable if point == "kept" else 0
    assert (outcome.in_doubt, outcome.in_doubt_arrived) == (undecidable, arrived), (
        f"{name}: {outcome}"
    )
    return outcome
