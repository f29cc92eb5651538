"""What timelines are made of: what was decided about a step, and what somebody did with it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

#: Who clicks or replies has opened the mail: at about the same time that is one event.
SAME_EVENT = timedelta(minutes=1)


@dataclass
class Decision:
    """A line of ``nurture.trace.decision_log``."""

    date: datetime
    state: str
    reason: str | None = None
    detail: str | None = None
    due: datetime | None = None
    #: whether something in the timeline shows it already
    shown: bool = False

    def follows(self, trigger):
        """Whether it is what an event that ``trigger`` waits for led to: the step is scheduled, or
        cancelled where it waited for the absence of the event."""
        if trigger.absence:
            return self.reason == "opposite"
        return self.state == "scheduled" and not self.reason


@dataclass
class Reaction:
    """What somebody did with a message or an activity."""

    date: datetime
    kind: str
    #: events of triggers
    events: set
    text: str
    link: str = ""
    why: list = field(default_factory=list)
    more: dict = field(default_factory=dict)


def read_decisions(log):
    """The decisions of a ``decision_log``, the oldest first."""
    return [
        Decision(
            datetime.fromisoformat(line["date"]),
            line["state"],
            line.get("reason"),
            line.get("detail"),
            datetime.fromisoformat(line["due"]) if line.get("due") else None,
        )
        for line in log or []
    ]


def take(decisions, condition):
    """Those of ``decisions`` that cancel a step, meet ``condition`` and are not shown yet: from now
    on they are."""
    taken = [
        one for one in decisions if not one.shown and one.state == "cancelled" and condition(one)
    ]
    for decision in taken:
        decision.shown = True
    return taken


def join_opening(reactions, opened):
    """Have the reaction at about the time ``opened`` tell that the mail was opened, too.

    :return: whether there is one
    """
    near = [one for one in reactions if abs(one.date - opened) <= SAME_EVENT]
    if near:
        min(near, key=lambda one: one.date).events.add("open")
    return bool(near)
