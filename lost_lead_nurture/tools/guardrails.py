"""Guardrails: how many of the last mails of a sequence may bounce, be called spam and so on."""

from typing import NamedTuple

OK, WARN, STOP = "ok", "warn", "stop"
#: At this part of its limit somebody is warned.
WARNED_AT = 0.5


class Guardrail(NamedTuple):
    """What is looked at, sliding along with the mails."""

    #: so many of the last mails
    sample: int
    #: of fewer mails nothing is said
    least: int
    #: of fewer events neither: one more or less would be another verdict
    events: int

    def judge(self, limit, mails, events):
        """Whether it goes on, somebody is to be warned, or the sequence stops.

        :param limit: in percent; 0 for none
        :param mails: how many of the last mails there are
        :param events: with how many of them it happened
        """
        if not limit or mails < self.least or events < self.events:
            return OK
        if events > mails * limit / 100:
            return STOP
        return WARN if events > mails * limit / 100 * WARNED_AT else OK


#: By what happens to a mail.
GUARDRAILS = {
    "bounce": Guardrail(100, 50, 1),
    "complaint": Guardrail(1000, 200, 2),
    "unsubscribe": Guardrail(300, 100, 3),
    "failure": Guardrail(100, 50, 5),
}
