"""A mail server on loopback that keeps what it receives."""

import email
import email.policy
import socket

from aiosmtpd.controller import Controller


class Catcher:
    """Keep every mail in :attr:`messages`, except those to an address in :attr:`refused`, and what
    came over the wire in :attr:`envelopes`, as (recipients, bytes)."""

    def __init__(self):
        self.messages = []
        self.envelopes = []
        self.refused = set()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self.start = self._controller.start
        self.stop = self._controller.stop

    def clear(self):
        self.messages.clear()
        self.envelopes.clear()
        self.refused.clear()

    # the hooks of aiosmtpd

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802
        if address in self.refused:
            return "550 no such user here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802
        self.envelopes.append((list(envelope.rcpt_tos), envelope.content))
        self.messages.append(
            email.message_from_bytes(envelope.content, policy=email.policy.default)
        )
        return "250 OK"
