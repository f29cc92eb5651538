"""The other end of the line: where the mails arrive, and what recipients do with them."""

import email
import email.policy
import html
import re
import socket
from urllib.parse import parse_qs, urljoin, urlsplit

import requests
from aiosmtpd.controller import Controller

TIMEOUT = 60
BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
#: A picture of one point.
SIGNATURE = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAA"
    "AABJRU5ErkJggg=="
)


class Mailbox:
    """A mail server on loopback that accepts everything and keeps it (a context manager)."""

    def __init__(self):
        self.mails = []
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)

    def __enter__(self):
        self._controller.start()
        return self

    def __exit__(self, *_exception):
        self._controller.stop()

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802
        """Take a mail (called by aiosmtpd)."""
        self.mails += [
            Mail(envelope.content, envelope.mail_from, recipient) for recipient in envelope.rcpt_tos
        ]
        return "250 OK"

    def empty(self):
        """Return the mails that have come, and forget them."""
        mails, self.mails = self.mails, []
        return mails


class Mail:
    """A mail that arrived, and what its recipient can do with it."""

    def __init__(self, raw, sender, recipient):
        self.message = email.message_from_bytes(raw, policy=email.policy.default)
        self.sender = sender
        self.recipient = recipient
        self.address = recipient.lower()
        self.subject = self.message["Subject"]
        self._web = requests.Session()
        self._web.headers.update(BROWSER)

    def open(self):
        """Show the mail with its pictures, of which one tells the sender."""
        self._visit(self._find(r'<img[^>]* src="([^"]+/mail/track/[^"]+)"'))

    def click(self):
        """Follow the mail's first link."""
        self._visit(self._find(r'href="([^"]+/r/[^"]+)"'))

    def read_quotation(self):
        """Follow the mail's first link to the page of the quotation that was refused, and return
        that."""
        page = self._web.get(self._find(r'href="([^"]+/r/[^"]+)"'), timeout=TIMEOUT)
        page.raise_for_status()
        return page

    def ask_for_quotation(self, page):
        """Ask for the quotation on its page, and return the address to which that leads."""
        assert "o_nurture_ask" in page.text, f"Nothing can be asked for on {page.url}"
        made = self._web.post(page.url, allow_redirects=False, timeout=TIMEOUT)
        if made.status_code != 303:
            raise AssertionError(f"No quotation was made: {made.status_code} {made.text[:500]}")
        return urljoin(page.url, made.headers["Location"])

    def sign(self, address, name):
        """Sign the quotation on its page of the portal."""
        self._web.get(address, timeout=TIMEOUT).raise_for_status()
        parts = urlsplit(address)
        token = parse_qs(parts.query)["access_token"][0]
        answer = self._web.post(
            f"{parts.scheme}://{parts.netloc}{parts.path}/accept",
            json={"params": {"access_token": token, "name": name, "signature": SIGNATURE}},
            timeout=TIMEOUT,
        )
        answer.raise_for_status()
        if not answer.json().get("result", {}).get("force_refresh"):
            raise AssertionError(f"{name} could not sign: {answer.text[:500]}")

    def unsubscribe(self):
        """Follow the link to unsubscribe and confirm on the page it leads to."""
        page = self._visit(self._find(r'href="([^"]+/confirm_unsubscribe[^"]+)"'))
        form = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
        # of all that one may choose, what is chosen when somebody just confirms
        form["choice"] = "everything"
        action = re.search(r'<form[^>]*action="(/mailing/[^"]+)"', page.text)[1]
        server = re.match(r"https?://[^/]+", page.url)[0]
        values = {name: html.unescape(value) for name, value in form.items()}
        self._web.post(server + action, data=values, timeout=TIMEOUT).raise_for_status()

    def unsubscribe_at_once(self):
        """Use the button to unsubscribe that mail programs offer (RFC 8058).

        They also send List-Unsubscribe=One-Click, which Odoo does not read but warns of in its log.
        """
        address = self.message["List-Unsubscribe"].strip("<>")
        self._web.post(address, timeout=TIMEOUT).raise_for_status()

    def answer(self, text, **headers):
        """Return an answer, as it arrives at the company's mail gateway."""
        return _lines(
            f"From: {self.message['To']}",
            f"To: {self.message['Reply-To']}",
            f"Subject: Re: {self.subject}",
            f"Message-ID: <answer.{self._id()}>",
            f"In-Reply-To: {self.message['Message-ID']}",
            f"References: {self.message['Message-ID']}",
            *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8",
            "",
            text,
        )

    def out_of_office(self):
        """Return the automatic answer of somebody who is away (RFC 3834)."""
        return self.answer(
            "I am out of the office until Monday.",
            Auto_Submitted="auto-replied",
            X_Auto_Response_Suppress="All",
        )

    def bounce(self):
        """Return the report of the recipient's mail server that the mail cannot be delivered (RFC
        3464), as it arrives at the company's mail gateway."""
        return _lines(
            f"From: Mail Delivery System <MAILER-DAEMON@{self._domain()}>",
            f"To: {self.sender}",
            "Subject: Undelivered Mail Returned to Sender",
            f"Message-ID: <bounce.{self._id()}>",
            "Auto-Submitted: auto-replied",
            "MIME-Version: 1.0",
            'Content-Type: multipart/report; report-type=delivery-status; boundary="part"',
            "",
            "--part",
            "Content-Type: text/plain",
            "",
            "The mailbox is not there any more.",
            "",
            "--part",
            "Content-Type: message/delivery-status",
            "",
            f"Reporting-MTA: dns; mx.{self._domain()}",
            "",
            f"Final-Recipient: rfc822; {self.recipient}",
            "Action: failed",
            "Status: 5.1.1",
            "",
            "--part",
            "Content-Type: message/rfc822",
            "",
            f"Message-ID: {self.message['Message-ID']}",
            f"From: {self.message['From']}",
            f"To: {self.message['To']}",
            f"Subject: {self.subject}",
            "",
            "",
            "--part--",
        )

    def _find(self, pattern):
        found = re.search(pattern, self.message.get_body(("html",)).get_content())
        if not found:
            raise AssertionError(f"The mail “{self.subject}” to {self.address} lacks {pattern}")
        return html.unescape(found[1])

    def _visit(self, address):
        response = self._web.get(address, allow_redirects=False, timeout=TIMEOUT)
        response.raise_for_status()
        return response

    def _domain(self):
        return self.address.partition("@")[2]

    def _id(self):
        return f"{self.message['Message-ID'].strip('<>').partition('@')[0]}@{self._domain()}"


def _lines(*lines):
    return "\r\n".join(lines) + "\r\n"
