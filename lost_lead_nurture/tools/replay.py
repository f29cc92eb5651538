"""What a test run shows of each step, and what may happen to it next."""

import re
from dataclasses import dataclass, field

from .triggers import TRIGGERS

#: Characters of a text that are shown.
EXCERPT = 120
#: What the recipient does, in the order in which it is offered, and how core registers it.
REACTIONS = {
    "open": ("set_opened",),
    "click": ("set_opened", "set_clicked"),
    "reply": ("set_replied",),
    "bounce": ("set_bounced",),
    "done": (),
    "confirmed": (),
}
#: The links of a mail that would act on the customer's record. Core fills them when it sends.
_OWN_LINKS = re.compile(r'href="[^"]*/(?:unsubscribe_from_list|view)"')


@dataclass
class Shown:
    """What is shown of one step."""

    texts: list = field(default_factory=list)
    #: ``{"do", "date", "link", "texts"}`` each
    reactions: list = field(default_factory=list)
    #: addresses that can be clicked in its message
    links: list = field(default_factory=list)
    #: whether somebody can react to it
    reachable: bool = False
    #: when it was done or expired: (moment, number of the play)
    ended: tuple | None = None
    #: what went wrong, in words
    failed: str | bool = False

    def note_end(self, is_over, moment, play):
        """Keep when it ended, the first time that it is seen; one that is open again has not."""
        if not is_over:
            self.ended = None
        elif not self.ended:
            self.ended = (moment, play)

    def get_order(self, state, moment):
        """Where it stands among the others: what has ended by when it did, then what is scheduled,
        then what waits for something."""
        if state == "scheduled":
            return (1, moment)
        if state == "waiting":
            return (2,)
        return (0, *self.ended)

    def get_offers(self, step_type):
        """What the recipient, or a colleague, may do next about the step, once it is done."""
        known = {reaction["do"] for reaction in self.reactions}
        if not self.reachable or known & {"bounce", "done", "confirmed"}:
            return []
        handled = frozenset().union(
            *(trigger.events for trigger in TRIGGERS.values() if trigger.parent == step_type)
        )
        return [event for event in REACTIONS if event in handled and self._may_follow(event, known)]

    def _may_follow(self, event, known):
        if event == "click":
            return bool(self.links)
        # whoever has reacted has got it, and seen it
        return event not in known and not (event in ("open", "bounce") and known)


def without_own_links(html):
    """The text of a mail whose links to unsubscribe and to be seen online lead nowhere."""
    return _OWN_LINKS.sub('href="#"', html or "")


def excerpt(text):
    """The beginning of ``text``, in one line."""
    text = " ".join(text.split())
    return text if len(text) <= EXCERPT else f"{text[: EXCERPT - 1]}…"
