"""Replays, and what the engine decided in one: to compare with what it decided in reality."""

from odoo import sql_db
from odoo.fields import Command
from odoo.tests import test_cursor
from odoo.tools import SQL

from ..models.replay.play import playing


class ReplayMixin:
    def setUp(self):
        super().setUp()
        # when something was made is a moment of the test, too
        self.patch(sql_db.Cursor, "now", lambda _cursor: self.clock)
        self.patch(test_cursor.TestCursor, "now", lambda _cursor: self.clock)

    def make_hours(self):
        return self.env["resource.calendar"].create(
            {
                "name": "Office hours",
                "tz": "UTC",
                "attendance_ids": [
                    Command.clear(),
                    *(
                        Command.create(
                            {
                                "name": "Open",
                                "dayofweek": str(day),
                                "hour_from": 9,
                                "hour_to": 17,
                                "day_period": "morning",
                            }
                        )
                        for day in range(5)
                    ),
                ],
            }
        )

    def read_database(self):
        """What is in all tables and sequences, as numbers."""
        self.env.flush_all()
        tables = self.env.execute_query(
            SQL(
                "SELECT relname, relkind FROM pg_class WHERE relnamespace = 'public'::regnamespace"
                " AND relkind IN ('r', 'S') ORDER BY relname"
            )
        )
        found = {}
        for name, kind in tables:
            what = SQL("count(*), COALESCE(sum(hashtext(row::text)::bigint), 0)")
            if kind == "S":
                what = SQL("last_value, is_called")
            found[name] = self.env.execute_query(
                SQL("SELECT %s FROM %s row", what, SQL.identifier(name))
            )
        return found

    def play(self, sequence=None, since=None, assumed=(), parts=1):
        """What the engine decides in a replay, as :meth:`read_decisions`."""
        since = since or sequence.start_date
        moment, kept = since, None
        self.env.flush_all()
        for part in range(1, parts + 1):
            until = since + (self.clock - since) * part / parts
            until = self.clock if part == parts else until.replace(microsecond=0)
            with playing(self.env, sequence.id, assumed, since, until, moment, kept) as play:
                self.assertTrue(play.run(float("inf")))
                found = self.read_decisions(play.env, sequence)
                kept = play.past._keep(play.sequence)
                moment = play.moment
        return found

    def read_decisions(self, env, sequence):
        """``{(what, lead, number or step): decision}``"""
        env.flush_all()
        journeys = env.execute_query(
            SQL(
                "SELECT lead_id, enrolment_number, entered_date, state, exit_reason, exit_date"
                " FROM nurture_participant WHERE sequence_id = %s",
                sequence.id,
            )
        )
        steps = env.execute_query(
            SQL(
                "SELECT participant.lead_id, participant.enrolment_number, trace.step_id,"
                " trace.state, trace.reason, trace.processed_date"
                " FROM nurture_trace trace"
                " JOIN nurture_participant participant ON participant.id = trace.participant_id"
                " WHERE trace.sequence_id = %s",
                sequence.id,
            )
        )
        decisions = {}
        for lead, number, entered, state, reason, left in journeys:
            decisions["entry", lead, number] = entered.date()
            decisions["exit", lead, number] = (state, reason, left and left.date())
        for lead, number, step, state, reason, done in steps:
            # who waits for its hours, or not yet, is a matter of minutes
            reason = reason if state != "scheduled" else None
            decisions["step", lead, number, step] = (state, reason, done and done.date())
        return decisions

    def compare(self, really, played):
        """Which share of the decisions is the same, and which are not."""
        keys = really.keys() | played.keys()
        other = {
            key: (really.get(key), played.get(key))
            for key in keys
            if really.get(key) != played.get(key)
        }
        return 1 - len(other) / len(keys), other
