"""The triggers of a step, in one table.

Menus, labels, validation, planning and cancelling all read this table, so a new trigger is one
line here (or one :func:`register` and one ``selection_add`` in the bridge that brings it).
"""

from dataclasses import dataclass

#: Pseudo parent type of the steps that begin a sequence.
ROOT = "root"
#: Every step type that may have children; ``after`` is offered below any of them.
ANY = "any"


@dataclass(frozen=True)
class Trigger:
    """What makes a step due.

    :param value: technical value, stored in ``nurture.step.trigger``
    :param label: what people read
    :param icon: Font Awesome class of the icon
    :param parent: type of the parent step that offers it (``ROOT``, ``ANY`` or a step type)
    :param events: events of the parent it waits for; empty when it only waits for time
    :param absence: whether it is due when none of ``events`` happened during the delay
    """

    value: str
    label: str
    icon: str
    parent: str
    events: frozenset = frozenset()
    absence: bool = False

    @property
    def about_links(self):
        """Whether it may be narrowed to one link of the message before."""
        return "click" in self.events and len(self.events) == 1

    @property
    def timed(self):
        """Whether the clock alone makes the step due, once its parent is done."""
        return self.absence or not self.events

    @property
    def kind(self):
        """What it is about: ``time`` alone, an ``event``, or the ``absence`` of one."""
        if not self.events:
            return "time"
        return "absence" if self.absence else "event"

    def offered_by(self, parent_type):
        """Whether a parent of type ``parent_type`` (``ROOT`` for none) offers this trigger."""
        if self.parent == ANY:
            return parent_type != ROOT
        return self.parent == parent_type


#: Events after which only the branch of the workflow for them goes on, with the exit reason of
#: those for whom there is none; the switch on the sequence is ``exit_on_<reason>``.
LAST_WORDS = {"reply": "replied", "bounce": "bounced"}

SILENCE = frozenset({"silence"})
DONE = frozenset({"done"})
CONFIRMED = frozenset({"confirmed"})


def _mail(value, label, icon, *events, absence=False):
    return Trigger(value, label, icon, "email", frozenset(events), absence)


TRIGGERS = {
    trigger.value: trigger
    for trigger in (
        Trigger("begin", "Beginning of the sequence", "fa-flag-o", ROOT),
        Trigger("after", "After the previous step", "fa-clock-o", ANY),
        _mail("mail_open", "Opened", "fa-envelope-open-o", "open"),
        _mail("mail_not_open", "Not opened", "fa-envelope-o", "open", absence=True),
        _mail("mail_click", "Clicked", "fa-mouse-pointer", "click"),
        _mail("mail_not_click", "Not clicked", "fa-hand-paper-o", "click", absence=True),
        _mail("mail_reply", "Replied", "fa-reply", "reply"),
        _mail("mail_not_reply", "Not replied", "fa-reply-all", "reply", absence=True),
        _mail("mail_ignored", "Ignored", "fa-bell-slash-o", "open", "click", "reply", absence=True),
        _mail("mail_bounce", "Bounced", "fa-exclamation-triangle", "bounce"),
        Trigger("silent", "Too many mails without engagement", "fa-moon-o", ROOT, SILENCE),
        Trigger("activity_done", "Activity done", "fa-check", "activity", DONE),
        Trigger("activity_not_done", "Activity not done", "fa-hourglass-o", "activity", DONE, True),
        Trigger("confirmed", "Consent confirmed", "fa-check-square-o", "opt_in", CONFIRMED),
        Trigger("not_confirmed", "Consent not confirmed", "fa-square-o", "opt_in", CONFIRMED, True),
    )
}


def register(*rows):
    """Add triggers to the table: what a bridge with another type of step does when it is loaded.
    It also names them in ``selection_add`` of ``nurture.step.trigger``."""
    TRIGGERS.update((trigger.value, trigger) for trigger in rows)


def selection():
    """The table as the ``selection`` of a field."""
    return [(trigger.value, trigger.label) for trigger in TRIGGERS.values()]


def timed():
    """Values of the triggers that are due once their delay is over, whatever happens or not."""
    return tuple(value for value, trigger in TRIGGERS.items() if trigger.timed)


def wanting(event):
    """Values of the triggers for which ``event`` is what they wait for."""
    return tuple(
        value
        for value, trigger in TRIGGERS.items()
        if event in trigger.events and not trigger.absence
    )


def refuted_by(event):
    """Values of the triggers that ``event`` rules out: it is what should not have happened."""
    return tuple(
        value for value, trigger in TRIGGERS.items() if event in trigger.events and trigger.absence
    )
