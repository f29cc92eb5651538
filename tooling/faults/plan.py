"""What is going to happen: drawn from a seed, so that it can happen again."""

import random


class Plan:
    """The faults of one run. The same seed and length make the same plan; what a fault hits then
    depends on the computer, too, as workers run at the same time."""

    def __init__(self, seed, long=False):
        self.seed = seed
        self.dice = random.Random(seed)
        self.commit_rounds = 4 if long else 1
        self.leads_per_commit_round = 8
        self.random_kills = [self._draw_kill() for _number in range(200 if long else 25)]
        self.random_numbers = [self.dice.randrange(1000) for _number in range(10)]
        self.template_leads = 3000 if long else 400
        self.conflict_seconds = 30 if long else 5
        self.restarts = [
            (mode, round(self.dice.uniform(0.3, 1.5), 2))
            for _number in range(5 if long else 1)
            for mode in ("immediate", "fast")
        ]

    def _draw_kill(self):
        """Draw a moment: at a statement, at a commit, or whenever."""
        kind = self.dice.choice(("statement", "statement", "commit", "time"))
        if kind == "time":
            return {"seconds": round(self.dice.uniform(0.02, 0.6), 3)}
        return {
            "point": kind,
            "number": self.dice.randint(1, 250 if kind == "statement" else 40),
            "when": self.dice.choice(("before", "after")),
        }
