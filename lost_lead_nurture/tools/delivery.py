"""What became of a mail, as the mail server saw it."""

import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from smtplib import SMTPDataError

#: What a refusal means: nobody gets mail at that address; its mailbox takes none, which may change
#: and takes longer than a mail is tried; the server takes it later; or something is wrong with us
#: that is no fault of the address.
BOUNCE, SOFT_BOUNCE, LATER, FAILURE = "bounce", "soft_bounce", "later", "failure"

#: What servers say of a mailbox that is there and takes no mail, whatever the code beside it: the
#: same as :mod:`~tools.report_words` has it.
_NO_MAIL = re.compile(
    r"(?:mailbox|user|account|recipient|address)[^.]{0,40}"
    r"(?:is|has been) (?:full|disabled|inactive|deactivated|suspended)"
    r"|mailbox full|over ?quota|quota exceeded",
    re.IGNORECASE,
)
#: Whose mailbox, quota or account it is if not the recipient's.
_OURS = re.compile(r"your|sender|sending|daily|hourly|relay|outgoing", re.IGNORECASE)

#: What servers say of an address at which nobody gets mail, whatever the code beside it.
_NOBODY = re.compile(
    r"user unknown|unknown user|no such (?:user|recipient|mailbox|person|account)"
    r"|(?:user|recipient|mailbox|account|address)[^.]{0,40}(?:not found|does(?: not|n't) exist"
    r"|is (?:unknown|unavailable))"
    r"|(?:user|address) does(?: not|n't) have|doesn't have an? [\w.]+ account"
    r"|invalid (?:recipient|mailbox)|recipient ?not ?found|unrouteable address"
    r"|mailbox (?:unavailable|not available|unknown)|收件人不存在|用户不存在",
    re.IGNORECASE,
)
#: What they say where they do not want mail of ours.
_UNWANTED = re.compile(
    r"relay|spam|blocked|black ?list|block ?list|denied by|policy|reputation|authenticat|spf|dkim"
    r"|dmarc|sender|reverse dns|\bptr\b|rate limit|too many|helo",
    re.IGNORECASE,
)
#: Enhanced status codes (RFC 3463, 7505) about the recipient's address: bad in some way, or a host
#: that takes no mail for it. 5.1.7 and 5.1.8 are about ours.
_ADDRESS = re.compile(r"5\.(?:1\.(?:[0-6]|9|10)|4\.[14])\b")
#: Codes (RFC 5321, 7504) in answer to the recipient's address that stand without an enhanced one.
_ADDRESS_CODES = (521, 550, 551, 552, 553, 556)
_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")


@dataclass(frozen=True)
class Refusal:
    """A mail server's no.

    :param stage: in answer to what: ``mail``, ``rcpt`` or ``data``
    :param code: SMTP code
    :param text: what it said
    """

    stage: str
    code: int
    text: str

    @property
    def words(self):
        """As it was said, in one line."""
        return f"{self.code} {' '.join(self.text.split())}"

    @property
    def meaning(self):
        """:data:`BOUNCE`, :data:`SOFT_BOUNCE`, :data:`LATER` or :data:`FAILURE`; in doubt the
        address is not blamed."""
        enhanced = _ENHANCED.match(self.text)
        if 400 <= self.code < 500 or (enhanced and enhanced[0].startswith("4")):
            return LATER
        if self.stage == "mail":
            return FAILURE
        if self._is_no_mail(enhanced and enhanced[0]):
            return SOFT_BOUNCE
        if _NOBODY.search(self.text) and "sender" not in self.text.lower():
            return BOUNCE
        if _UNWANTED.search(self.text) or (_NO_MAIL.search(self.text) and not enhanced):
            return FAILURE
        if enhanced:
            return BOUNCE if _ADDRESS.match(enhanced[0]) else FAILURE
        return BOUNCE if self.stage == "rcpt" and self.code in _ADDRESS_CODES else FAILURE

    def _is_no_mail(self, enhanced):
        """Whether the recipient's mailbox is there and takes no mail. What is said with a code of
        something else (RFC 3463) is about something else, whatever the words."""
        if enhanced and re.fullmatch(r"5\.2\.[0-2]", enhanced):
            return True
        if enhanced and not enhanced.startswith(("5.0.", "5.1.")):
            return False
        said = _NO_MAIL.search(self.text)
        return bool(said and not _OURS.search(self.text) and not _UNWANTED.search(self.text))


@dataclass(eq=False)
class Delivery:
    """How far the conversation with the mail server about a mail came.

    :param server: what the server is called here
    """

    server: str = ""
    #: whether the server was given the mail: from here on it may have it, whatever happens next
    begun: bool = False
    #: whether it said that it has it
    accepted: bool = False
    #: what it said if it did not want the mail
    refusal: Refusal | None = None
    #: ids of mails that are not sent now after all: their mail provider takes no more for now
    deferred: set = field(default_factory=set)
    _commands: dict = field(default_factory=dict)

    def begin(self):
        """The next mail: nothing is known of it."""
        self.begun = self.accepted = False
        self.refusal = None

    def follow(self, session):
        """Note what ``session`` (``smtplib.SMTP``) is answered, until :meth:`leave`."""
        self._commands = {name: getattr(session, name) for name in ("mail", "rcpt", "data")}
        session.mail, session.rcpt, session.data = self._mail, self._rcpt, self._data

    def leave(self, session):
        for name, command in self._commands.items():
            setattr(session, name, command)

    def _mail(self, *args, **kwargs):
        self.refusal = None
        return self._note("mail", *self._commands["mail"](*args, **kwargs))

    def _rcpt(self, *args, **kwargs):
        return self._note("rcpt", *self._commands["rcpt"](*args, **kwargs))

    def _data(self, message):
        self.begun = True
        try:
            code, answer = self._commands["data"](message)
        except SMTPDataError as error:
            # it did not even want to see it
            self.begun = False
            self._note("data", error.smtp_code, error.smtp_error)
            raise
        # any other answer is a no
        self.begun = self.accepted = code == 250
        return self._note("data", code, answer)

    def _note(self, stage, code, answer):
        if not 200 <= code < 300:
            text = answer.decode(errors="replace") if isinstance(answer, bytes) else str(answer)
            self.refusal = Refusal(stage, code, text)
        return code, answer


@contextmanager
def watch(session, delivery):
    """Have ``delivery`` follow what ``session`` (``smtplib.SMTP``) delivers; without a session
    nothing is delivered."""
    delivery.begin()
    if session is None:
        yield
        return
    delivery.follow(session)
    try:
        yield
    finally:
        delivery.leave(session)
