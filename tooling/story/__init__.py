"""The demo story: a restock campaign of three weeks on the demo leads, from the first mail to the
paid invoice.

Everything in it is real. People of the company work over JSON-2, mails leave through Odoo's
outgoing server by SMTP, recipients follow the links they find in the mails, answers and bounces
come in at the mail gateway, and the scheduled actions do what is due. Only the days pass faster
(see `passing_days`). What has to come out follows from the script (`cast`), and every week it is
compared with what did: by address and by mail. Beside the campaign there is a sequel, and in the
end all that came of both is in the `books`, with which each number in Odoo is compared: to the cent
and to the person (see `results`). When that has ended there is a second story, of a delivery (see
`delivery`)."""

from .examples import PROVOKED as PROVOKED
from .mailbox import Mailbox
from .plot import Story


def play(server):
    """Play the stories on a server with a fresh demo database and return the statistics of each;
    those of the campaign come last.

    The server must not run scheduled actions automatically (`--max-cron-threads=0`).

    :param server: a `tooling.odoo.Server`
    :raise AssertionError: when something came out differently than the script says
    """
    with Mailbox() as mailbox:
        return Story(server, mailbox).play()
