"""What a lead that never reacts would get, and when: the sends to expect of a sequence."""

from bisect import bisect_right, insort
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from heapq import heappop, heappush
from typing import NamedTuple

from dateutil.relativedelta import relativedelta

#: How often one message is deferred before it is never sent; only a rule that makes no sense gets
#: there.
MAX_DEFERRALS = 1000


@dataclass(frozen=True)
class PlannedStep:
    """A step of a workflow, with the steps that follow it.

    :param id: what tells it from the others
    :param kind: "message", which keeps to sending hours and cap, or "other", done when due
    :param trigger_timed: whether the clock alone makes it due; when not, something would have to
        happen that never does
    :param delay_amount: how long after the step before it is due
    :param delay_unit: "hours", "days", "weeks" or "months" (of the calendar)
    :param children: the steps after it, counted from when it was really sent
    :param skip_over_cap: whether a message over the cap is left out, and all that follows it, and
        not deferred
    :param span: from when until when it is done (naive, UTC), the end excluded; None for no bound.
        Due at another time it is left out, and all that follows it
    """

    id: int
    kind: str
    trigger_timed: bool = True
    delay_amount: int = 0
    delay_unit: str = "days"
    children: tuple = ()
    skip_over_cap: bool = False
    span: tuple = (None, None)

    def is_done_at(self, moment):
        """Whether it is done at ``moment`` at all."""
        begin, end = self.span
        return (begin is None or moment >= begin) and (end is None or moment < end)

    @cached_property
    def delay(self):
        """What to add to the moment of the step before."""
        unit = relativedelta if self.delay_unit == "months" else timedelta
        return unit(**{self.delay_unit: self.delay_amount})


class Cap(NamedTuple):
    """At most ``number`` messages to an address within any ``days`` days."""

    number: int
    days: float

    def free_from(self, moment, contacts):
        """The first moment, not before ``moment``, at which one more message may be sent; None when
        it is never.

        :param contacts: moments of the messages to the address, in order; those after ``moment`` do
            not count yet
        """
        if self.number < 1:
            return None
        known = bisect_right(contacts, moment)
        if known < self.number:
            return moment
        return max(moment, contacts[known - self.number] + timedelta(days=self.days))


class Outlook(NamedTuple):
    """What comes of a step.

    :param step_id: see :class:`PlannedStep`
    :param moment: when (naive, UTC); of "never": when it was due, or until when it was
        last deferred
    :param outcome: "sent" (a message), "done" (another step), "skipped" (over the cap, or not on
        its days) or "never" (its sending hours do not come, or the cap lets nothing through)
    """

    step_id: int
    moment: datetime
    outcome: str


def forecast(
    steps, entry, *, schedule=None, zone="UTC", share=None, cap=None, contacts=(), pace=None
):
    """Walk a lead that never reacts through a workflow.

    A message first waits for its sending hours and is then judged by the cap; deferred by the cap,
    it waits for its sending hours again. Steps that wait for a reaction are left out, and so is all
    that follows a step which is skipped or never sent.

    :param steps: the :class:`PlannedStep` that begin the workflow
    :param entry: when the lead enters (naive, UTC)
    :param schedule: the :class:`~.sending_hours.SendingHours` of messages; None when it is always
        open
    :param zone: name of the recipient's time zone
    :param share: function that gives, for the id of a step, the share of an opening after which it
        is sent, see :meth:`.sending_hours.SendingHours.place`; without it, messages go at the start
    :param cap: a :class:`Cap`; None when there is no limit
    :param contacts: moments of the messages that the address has got already, or will get
    :param pace: function that gives, for the id of a step and a moment, when the message has its
        place under all limits, or None for never; without it there are no limits
    :return: list of :class:`Outlook` in the order of time
    """
    return _Walk(schedule, zone, share, cap, contacts, pace).run(steps, entry)


class _Walk:
    """One lead's journey. Steps are taken strictly in the order of time, across branches: what one
    branch sends counts for the cap of the others.
    """

    def __init__(self, schedule, zone, share, cap, contacts, pace):
        self.schedule = schedule
        self.zone = zone
        self.share = share or _at_the_start
        self.cap = cap
        self.contacts = sorted(contacts)
        self.pace = pace
        self.placed = set()  # ids of steps that have their place
        self.queue = []  # (moment, number, deferrals, step); the number keeps equals in order
        self.planned = set()
        self.outlooks = []

    def run(self, steps, entry):
        self._plan(steps, entry)
        while self.queue:
            moment, number, deferrals, step = heappop(self.queue)
            if not step.is_done_at(moment):
                self._end(step, moment, "skipped")
            elif step.kind == "message":
                self._message(moment, number, deferrals, step)
            else:
                self._happened(step, moment, "done")
        return self.outlooks

    def _plan(self, steps, moment):
        for step in steps:
            # Once each, even if the tree should bite its tail.
            if step.trigger_timed and step.id not in self.planned:
                self.planned.add(step.id)
                heappush(self.queue, (moment + step.delay, len(self.planned), 0, step))

    def _message(self, moment, number, deferrals, step):
        if self.schedule and not self.schedule.is_open(moment, self.zone):
            later = self.schedule.place(moment, self.zone, self.share(step.id))
        else:
            later = self.cap.free_from(moment, self.contacts) if self.cap else moment
            is_free = later == moment
            if is_free:
                later = self._place(step, moment)
            if later == moment:
                insort(self.contacts, moment)
                self._happened(step, moment, "sent")
                return
            if step.skip_over_cap and not is_free:
                self._end(step, moment, "skipped")
                return
        if later is None or deferrals == MAX_DEFERRALS:
            self._end(step, moment, "never")
        else:
            heappush(self.queue, (later, number, deferrals + 1, step))

    def _place(self, step, moment):
        """When the message has its place under all limits."""
        if not self.pace or step.id in self.placed:
            return moment
        self.placed.add(step.id)
        return self.pace(step.id, moment)

    def _happened(self, step, moment, outcome):
        self._end(step, moment, outcome)
        self._plan(step.children, moment)

    def _end(self, step, moment, outcome):
        self.outlooks.append(Outlook(step.id, moment, outcome))


def _at_the_start(_step_id):
    return 0.0
