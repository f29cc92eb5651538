"""A mail server on loopback that keeps what it takes, and that can misbehave."""

import asyncio

from aiosmtpd.controller import Controller

from ..story.mailbox import Mailbox

#: How long a stalling server says nothing, and how long Odoo waits for it here (seconds).
STALL, PATIENCE = 3, 1


class Post(Mailbox):
    """`trouble(point, address)` says what goes wrong: an answer such as "550 no", "drop" (the
    connection), "stall", or None. Points: "mail" (a mail begins), "rcpt" (its recipient), "data"
    (its text has come, and is not kept), "kept" (it is kept, and not answered yet)."""

    def __init__(self):
        super().__init__()
        self.trouble = None
        self.troubles = 0

    def close(self):
        """Refuse connections."""
        self._controller.stop()

    def open(self):
        """Take them again."""
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    async def _answer(self, point, server, address):
        answer = self.trouble and self.trouble(point, address)
        if not answer:
            return None
        self.troubles += 1
        if answer == "stall":
            await asyncio.sleep(STALL)
        if answer in ("stall", "drop"):
            server.transport.abort()
            return "421 gone"
        return answer

    # the hooks of aiosmtpd

    async def handle_MAIL(self, server, _session, envelope, address, options):  # noqa: N802
        """Begin a mail."""
        if answer := await self._answer("mail", server, None):
            return answer
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, server, _session, envelope, address, options):  # noqa: N802
        """Take a recipient."""
        if answer := await self._answer("rcpt", server, address):
            return answer
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        """Take the text."""
        (address,) = envelope.rcpt_tos
        if answer := await self._answer("data", server, address):
            return answer
        taken = await super().handle_DATA(server, session, envelope)
        return await self._answer("kept", server, address) or taken
