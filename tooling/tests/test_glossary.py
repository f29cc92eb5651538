"""One word for one thing: what docs/architecture.md calls by one name has no other name."""

import re
import unittest

from tooling import settings

#: Files that people or programs read, by their ending.
KINDS = (".py", ".xml", ".js", ".scss", ".csv", ".md", ".rst", ".pot", ".cjs", ".toml", ".txt")
#: Nothing of ours; and what has to name the words that are gone.
LEFT_OUT = re.compile(
    r"^(\.git|\.dev|node_modules)/|/migrations/|^CHANGELOG\.md$|/(test_)?(glossary|upgrade)\.py$|^package-lock|^LICENSE"
)
#: ``{the word of the glossary: what it was called before}``, where identifiers are words, too:
#: ``kept_out`` and ``keptOut`` are "kept out".
GONE = {
    "journey": r"ways?",
    "recipient": r"readers?",
    "handled, pending, notified": r"(un)?heard|told",
    "excluded, exclusion reason": r"(kept|keeps?|keeping)( \w+)? out|obstacles?|hurdles?",
    "defer": r"put(s|ting)?( \w+)? off",
    "recall": r"pull(s|ed|ing)?( \w+)? back",
    "expire": r"g(ive|ives|ave|iven|iving) up",
    "bot": r"machines?",
    "honeypot": r"traps?",
    "engagement": r"signs? of life",
    "last-chance mail": r"farewells?",
    "enrolment number": r"rounds?",
    "dedup key": r"identit(y|ies)",
    "crash, quarantine": r"deaths?|(hold|held|holds|holding)( \w+)? back",
    "last scan": r"looked (date|through)",
    "action": r"deeds?",
    "sandbox, suppressed": r"rehears\w*|withh[eo]ld\w*",
    "statistic": r"figures?",
    "win back": r"(come|comes|came|coming) back",
    "automatically": r"by (itself|themselves)",
    "sending hours": r"send(ing)? windows?",
}
#: Where the same letters mean something else.
OTHER_MEANINGS = re.compile(
    r"""
      (in|into|out\ of)\ the\ way | (this|that|one|some|a|no|any|another|its\ own)\ way
    | (same|only|other|half)\ way(\ round)? | way\ (back|real|people|it\ |that)
    | on\ (its|their|the)\ way | whatever\ the\ way | which(ever)?\ way
    | by\ way\ of | all\ the\ ways
    | screen\ readers? | csv\.\ ?reader | dict\ reader
    | trap\ jobs | trap\ (- | '|") | round\( | float\ round | math\.\ ?round | linejoin:\ round
    | round\ base | round\ half\ up | round\ (per\ line|globally) | price\ round
    | machine\ generated | round\ (table|trip) | \w+,\ round\b | in\ turns | identity\ key
    """,
    re.VERBOSE | re.IGNORECASE,
)
#: How often a measurement is repeated has nothing to do with leads.
TURNS = re.compile(r"^tooling/")


def words(line):
    """A line with its identifiers taken apart; ``model__field`` are two."""
    line = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", line.replace("__", " / ")).replace("_", " ")
    return re.sub(r" {2,}", " ", line)


def text_files():
    """Paths of the project's own text files, from its root."""
    for file in sorted(settings.ROOT.rglob("*")):
        path = file.relative_to(settings.ROOT).as_posix()
        if file.suffix in KINDS and not LEFT_OUT.search(path) and file.is_file():
            yield path


class TestGlossary(unittest.TestCase):
    def test_no_other_name(self):
        """In code, on screens, in docs and in what translators read."""
        gone = {word: re.compile(rf"\b({names})\b", re.IGNORECASE) for word, names in GONE.items()}
        found = []
        for path in text_files():
            lines = (settings.ROOT / path).read_text().splitlines()
            for number, line in enumerate(lines, 1):
                line = OTHER_MEANINGS.sub("", words(line))
                for word, names in gone.items():
                    if (match := names.search(line)) and not (
                        word == "enrolment number" and TURNS.match(path)
                    ):
                        found.append(f"{path}:{number}: “{match[0]}” is “{word}”")
        self.assertFalse(found, "\n" + "\n".join(found))
        self.assertGreater(sum(1 for _path in text_files()), 300)

    def test_the_glossary_has_them(self):
        """Each word of the list above is explained to whoever is new."""
        page = (settings.ROOT / "docs" / "architecture.md").read_text()
        glossary = page.partition("## Words")[2].partition("\n## ")[0]
        for entry in GONE:
            for word in entry.split(", "):
                with self.subTest(word):
                    self.assertIn(word, glossary)
