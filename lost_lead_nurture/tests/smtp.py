"""A mail server on loopback that keeps what it receives."""

import email
import email.policy
import socket

from aiosmtpd.controller import Controller

from odoo.tools import mute_logger

#: A server that wants no mail of ours, whoever it is for.
RELAY_DENIED = "554 5.7.1 Relay access denied"
#: They warn of every mail that a server refuses.
SMTP_LOGGERS = ("odoo.addons.mail.models.mail_mail", "odoo.addons.base.models.ir_mail_server")


class RefusedMixin:
    """Mails that servers refuse are sent."""

    def send(self, **delta):
        with mute_logger(*SMTP_LOGGERS):
            self.advance(**delta)
        self.env.invalidate_all()


class Catcher:
    """Keep every mail in :attr:`messages`, what came over the wire in :attr:`envelopes`, as
    (recipients, bytes), and from whom in :attr:`senders`; but not what is for an address in
    :attr:`refused`, whom it does not know, nor where it has another answer: by the address, or
    sender, in :attr:`answers` and, after the whole mail, in :attr:`answers_to_data`. What
    mail providers said is replayed from :attr:`replays`, a list of answers by domain, one for each
    recipient."""

    def __init__(self):
        self.messages = []
        self.envelopes = []
        self.senders = []
        self.refused = set()
        self.answers = {}
        self.answers_to_data = {}
        self.replays = {}
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self.start = self._controller.start
        self.stop = self._controller.stop

    def clear(self):
        self.messages.clear()
        self.envelopes.clear()
        self.senders.clear()
        self.refused.clear()
        self.answers.clear()
        self.answers_to_data.clear()
        self.replays.clear()

    # the hooks of aiosmtpd

    async def handle_MAIL(self, _server, _session, envelope, address, options):  # noqa: N802
        if address in self.answers:
            return self.answers[address]
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802
        if address in self.refused:
            return "550 no such user here"
        if address in self.answers:
            return self.answers[address]
        if replay := self.replays.get(address.rpartition("@")[2]):
            return replay.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802
        for address in envelope.rcpt_tos:
            if address in self.answers_to_data:
                return self.answers_to_data[address]
        self.senders.append(envelope.mail_from)
        self.envelopes.append((list(envelope.rcpt_tos), envelope.content))
        self.messages.append(
            email.message_from_bytes(envelope.content, policy=email.policy.default)
        )
        return "250 OK"
