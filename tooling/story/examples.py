"""The examples of the guide for integrators, run as they stand there."""

import os
import re
import subprocess
import sys

from .. import settings

GUIDE = settings.ROOT / "docs" / "integrators.md"
EXAMPLE = re.compile(r"^```(bash|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
#: What each of them prints, in their order.
PRINTED = ('"entered": []', "sent_count", "“all of them” is no id of a record.")
#: What the last of them makes Odoo warn of in its log: (logger, message).
PROVOKED = (
    (r"\.rpc\.controllers\.xmlrpc$", "endpoints are deprecated"),
    (r"^odoo\.http$", "“all of them” is no id of a record"),
)


def run(server, user, user_id, sequence):
    """Run all examples against a server, for a lead that is in the sequence already: nothing
    changes by them.

    :param user: the `User` whose API key they use
    :param user_id: that user's id
    :raise AssertionError: when one fails, or prints something else than expected
    """
    participant, *_others = user.find(
        "nurture.participant", [("sequence_id", "=", sequence)], ["lead_id"], limit=1
    )
    environment = os.environ | {
        "ODOO": server.url,
        "API_KEY": user.key,
        "DATABASE": server.database,
        "USER_ID": str(user_id),
        "SEQUENCE": str(sequence),
        "LEAD": str(participant["lead_id"][0]),
    }
    programs = {"bash": ["bash", "-euc"], "python": [sys.executable, "-c"]}
    examples = EXAMPLE.findall(GUIDE.read_text())
    for (language, text), expected in zip(examples, PRINTED, strict=True):
        done = subprocess.run(
            [*programs[language], text],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        said = done.stdout + done.stderr
        assert not done.returncode and expected in said, f"{text}\n{said}"
