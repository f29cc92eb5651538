"""Real reports of mail servers, which are no part of the add-on."""

from pathlib import Path

CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "bounces"
