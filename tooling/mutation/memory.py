"""What earlier runs found, so that a run goes on where another one was ended."""

import json

from .report import Result


class Memory:
    """Results in a file, one a line, written as they come.

    A kill is known as long as the mutated file and the file of the test that killed are the same,
    a survival as long as all tests are.

    :param file: where they are kept
    :param contents: checksums of the files of tests, by the names that tests have in results
    """

    def __init__(self, file, contents):
        self.file = file
        self._contents = contents
        self._all = "".join(sorted(contents.values()))
        self._known = {}
        if file.exists():
            for line in file.read_text().splitlines():
                entry = json.loads(line)
                self._known[entry["mutant"]] = entry

    def forget(self):
        """Know nothing any more."""
        self._known = {}
        self.file.unlink(missing_ok=True)

    def recall(self, mutant):
        """What is known of a mutant, or None."""
        entry = self._known.get(mutant.digest)
        if not entry or entry["tests"] != self._fingerprint(entry["killed"], entry["by"]):
            return None
        return Result(mutant, entry["killed"], entry["by"])

    def note(self, result):
        """Keep a result."""
        entry = {
            "mutant": result.mutant.digest,
            "killed": result.killed,
            "by": result.by,
            "tests": self._fingerprint(result.killed, result.by),
        }
        self._known[entry["mutant"]] = entry
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.open("a") as out:
            out.write(json.dumps(entry) + "\n")

    def _fingerprint(self, killed, by):
        if killed:
            names = [name for name in self._contents if by.startswith(f"{name}.")]
            if names:
                return self._contents[max(names, key=len)]
        return self._all
