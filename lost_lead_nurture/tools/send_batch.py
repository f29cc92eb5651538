"""What goes along with messages of sequences on their way through core's code.

Core's composer and core's mail queue call methods that the add-on overrides, and hand nothing on to
them but the context. One object in it says all that these methods have to know. It is frozen: what
core's methods are called for is their result, and nothing is handed back by it. Its dictionaries
are caches, of what is the same for every message of a batch.

A client, which can send any context, cannot send such an object.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .delivery import Delivery

#: Its key in the context.
KEY = "nurture_send_batch"


# equal to nothing but itself: core compares the context with that of each environment that there is
@dataclass(frozen=True, eq=False)
class SendBatch:
    """Messages that core composes, or mails that core hands to the mail server."""

    #: ids of ``nurture.trace`` by id of the lead, while the messages are composed
    trace_by_lead: Mapping = field(default_factory=dict)
    #: what the mail server says of the mail that it is handed; None while messages are composed
    delivery: Delivery | None = None
    #: whether whoever sends notifies the sequences, of many mails together, that these have left
    is_queue: bool = False
    #: cache: compiled texts, by text and options of ``ir.qweb``
    compiled: dict = field(default_factory=dict)
    #: cache: headers for mail providers, by id of the mailing
    feedback: dict = field(default_factory=dict)
    #: cache: ids of ``link.tracker``, by their values
    links: dict = field(default_factory=dict)

    def carried_by(self, records):
        """``records`` in a context that carries this batch."""
        return records.with_context(**{KEY: self})


def get_composed(env):
    """The batch of a sequence's step that core composes in ``env``, or None."""
    batch = env.context.get(KEY)
    return batch if isinstance(batch, SendBatch) and not batch.delivery else None


def get_sent(env):
    """The mails that core hands to the mail server in ``env``, or None."""
    batch = env.context.get(KEY)
    return batch if isinstance(batch, SendBatch) and batch.delivery else None
