"""What became of a mail, as the mail server saw it."""

from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Delivery:
    """How far the conversation with the mail server came."""

    #: whether the server was given the mail: from here on it may have it, whatever happens next
    begun: bool = False
    #: whether it said that it has it
    accepted: bool = False


@contextmanager
def watch(session):
    """Yield a :class:`Delivery` that follows what ``session`` (``smtplib.SMTP``) delivers; without
    a session nothing is delivered."""
    delivery = Delivery()
    if session is None:
        yield delivery
        return
    hand_over = session.data

    def data(message):
        delivery.begun = True
        code, answer = hand_over(message)
        # any other answer is a no
        delivery.begun = delivery.accepted = code == 250
        return code, answer

    session.data = data
    try:
        yield delivery
    finally:
        session.data = hand_over
