"""Where the faults happen: a database, its workers, a mail server, a marketer at a screen; and the
judge, who looks at what became of everybody once the fault is gone."""

import collections
import contextlib
from dataclasses import dataclass, field

from .. import cluster, shell
from ..story.rpc import User

SUBJECTS = ("First", "Second")
#: How often a person looks at what failed before it has to be all right.
ROUNDS = 6


@dataclass
class Outcome:
    """What a scenario provoked, and how it went."""

    name: str
    leads: int = 0
    mails: int = 0
    kills: int = 0
    #: mails of which it was not known whether they had left, and how many of those had
    in_doubt: int = 0
    in_doubt_arrived: int = 0
    #: failures that were on the screen, by reason, those in doubt included
    shown: collections.Counter = field(default_factory=collections.Counter)
    note: str = ""


class World:
    """One database with all that belongs to it."""

    def __init__(self, workers, post, user, port=None):
        self.workers = workers
        self.post = post
        self.user: User = user
        self._port = port

    def connect(self):
        """Connect to the database (psycopg2)."""
        return cluster.connect(self.workers.database, self._port)

    def query(self, statement, *values):
        """Return the rows of a query."""
        with contextlib.closing(self.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall()

    def campaign(self, name, leads, **options):
        """Start a campaign (see `inside.py`)."""
        sequence_id = self.workers.do("campaign", name=name, leads=leads, **options)
        subjects = SUBJECTS if options.get("second", True) else SUBJECTS[:1]
        return Campaign(self, name, sequence_id, leads, subjects)


class Campaign:
    """A sequence and its leads, in one scenario."""

    def __init__(self, world, name, sequence_id, leads, subjects):
        self.world = world
        self.name = name
        self.id = sequence_id
        self.leads = leads
        self._subjects = subjects
        self.outcome = Outcome(name)
        self._killed = world.workers.killed

    def more_leads(self, number):
        """Lose more leads, who enter next."""
        self.world.workers.do("more_leads", name=self.name, leads=number)
        self.leads += number

    def settle(self, clock=None):
        """Let everything run until it comes to rest, with a person who looks after what failed."""
        for _round in range(ROUNDS):
            self.world.workers.do("settle", sequence_id=self.id, clock=clock)
            if not self.look_after_failures():
                return
        raise AssertionError(f"{self.name}: it still fails after {ROUNDS} retries by hand")

    def failures(self):
        """Return what is on the marketer's screen as failed."""
        return self.world.user.find(
            "nurture.trace",
            [("sequence_id", "=", self.id), ("state", "=", "error")],
            ["email", "reason", "detail", "step_id"],
        )

    def look_after_failures(self):
        """Do what a person does on the screen about what failed; return how many there were.

        Whoever asks learns whether a mail in doubt has arrived. All else is retried.
        """
        failures = self.failures()
        retried, arrived = [], []
        for trace in failures:
            assert trace["reason"] and trace["detail"], f"a failure that does not say why: {trace}"
            self.outcome.shown[trace["reason"]] += 1
            if trace["reason"] == "mail_in_doubt":
                self.outcome.in_doubt += 1
                if self._has_arrived(trace):
                    arrived.append(trace["id"])
                    continue
            retried.append(trace["id"])
        self.outcome.in_doubt_arrived += len(arrived)
        if arrived:
            self.world.user.call("nurture.trace", "action_mark_sent", arrived)
        if retried:
            self.world.user.call("nurture.trace", "action_retry", retried)
        return len(failures)

    def _has_arrived(self, trace):
        ((subject,),) = self.world.query(
            "SELECT mailing.subject FROM nurture_trace trace"
            " JOIN nurture_step step ON step.id = trace.step_id"
            " JOIN mailing_mailing mailing ON mailing.id = step.mailing_id"
            " WHERE trace.id = %s",
            trace["id"],
        )
        return any(
            (mail.address, mail.subject) == (trace["email"], subject)
            for mail in self.world.post.mails
        )

    def judge(self, times=1):
        """Nobody got a step twice, nobody was forgotten, nothing is stuck.

        :param times: how often the counting action is done for each lead
        :return: the outcome
        """
        self._judge_mails()
        self._judge_database(times)
        outcome = self.outcome
        outcome.leads = self.leads
        outcome.kills += self.world.workers.killed - self._killed
        return outcome

    def _judge_mails(self):
        got = collections.Counter(
            (mail.address, mail.subject)
            for mail in self.world.post.mails
            if mail.address.endswith(f"@{self.name}.example.com")
        )
        expected = {
            (f"lead{number}@{self.name}.example.com", subject)
            for number in range(self.leads)
            for subject in self._subjects
        }
        twice = {key: count for key, count in got.items() if count > 1}
        assert not twice, f"{self.name}: mails that arrived twice: {list(twice.items())[:5]}"
        missing = expected - got.keys()
        assert not missing, f"{self.name}: {len(missing)} mails missing, as {sorted(missing)[:5]}"
        assert got.keys() == expected, f"{self.name}: mails nobody asked for"
        self.outcome.mails = sum(got.values())

    def _judge_database(self, times):
        journeys = dict(
            self.world.query(
                "SELECT state || ' ' || COALESCE(exit_reason, ''), count(*)"
                " FROM nurture_participant WHERE sequence_id = %s GROUP BY 1",
                self.id,
            )
        )
        assert journeys == {"completed finished": self.leads}, f"{self.name}: {journeys}"
        states = dict(
            self.world.query(
                "SELECT state, count(*) FROM nurture_trace WHERE sequence_id = %s GROUP BY 1",
                self.id,
            )
        )
        assert states.keys() == {"processed"}, f"{self.name}: traces {states}"
        scores = self.world.query(
            "SELECT DISTINCT lead.nurture_score FROM crm_lead lead JOIN nurture_participant journey"
            " ON journey.lead_id = lead.id WHERE journey.sequence_id = %s",
            self.id,
        )
        assert scores == [(times,)], f"{self.name}: the action was done {scores} times"
        ((mails, sending, unsent, batches),) = self.world.query(
            """
            SELECT (SELECT count(*) FROM mail_mail WHERE mailing_id IS NOT NULL
                      AND state IN ('outgoing', 'exception')),
                   count(*) FILTER (WHERE mailing_trace.nurture_sending_date IS NOT NULL),
                   count(*) FILTER (WHERE mailing_trace.sent_datetime IS NULL),
                   (SELECT count(*) FROM nurture_batch)
              FROM mailing_trace
              JOIN nurture_trace trace ON trace.id = mailing_trace.nurture_trace_id
             WHERE trace.sequence_id = %s
            """,
            self.id,
        )
        stuck = {"mails": mails, "sending": sending, "unsent": unsent, "batches": batches}
        assert not any(stuck.values()), f"{self.name}: stuck: {stuck}"


def show(outcome):
    """Print what a scenario came to."""
    parts = [f"{outcome.leads} leads", f"{outcome.mails} mails"]
    if outcome.kills:
        parts.append(f"{outcome.kills} kills")
    if outcome.in_doubt:
        parts.append(f"{outcome.in_doubt} in doubt ({outcome.in_doubt_arrived} had arrived)")
    others = {reason: count for reason, count in outcome.shown.items() if reason != "mail_in_doubt"}
    parts += [f"{count} × {reason}" for reason, count in others.items()]
    if outcome.note:
        parts.append(outcome.note)
    shell.say(f"   {outcome.name}: {', '.join(parts)}")
