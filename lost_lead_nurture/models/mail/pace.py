from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ...tools.pace import DAY, REASONS, RECOVERING, SLICE, Pacer, Slots, per_hour


class NurturePace(models.Model):
    """How many mails have a place in which slice of an hour or a day, for each limit there is.

    The engine alone writes it. Two workers that take places of one limit at the same time are in
    conflict, and one of them does its batch again.
    """

    _name = "nurture.pace"
    _description = "Places under a Limit"
    _order = "date, key"
    _log_access = False

    key = fields.Char(required=True, readonly=True, help="Of which limit.")
    date = fields.Datetime(required=True, readonly=True, help="When the slice begins.")
    number = fields.Integer(required=True, readonly=True, help="How many places are taken.")

    _key_date_unique = models.UniqueIndex("(key, date)")

    # ------------------------------------------------------------
    # LIMITS
    # ------------------------------------------------------------

    @api.model
    def _make_pacer(self, sequence, mailing, known=None):
        """All limits that mails of a step have to keep just now. Without any it takes one query.

        :param mailing: the mail of the step
        :param known: ``{key: Slots}`` that other steps have, too; those of this one are added
        :return: :class:`Pacer`, which is false when there are none
        """
        now = fields.Datetime.now()
        limit = sequence.hourly_limit
        self.env["nurture.provider"].flush_model()
        self.env["ir.mail_server"].flush_model()
        ((providers, servers),) = self.env.execute_query(
            SQL(
                "SELECT EXISTS (SELECT FROM nurture_provider WHERE hourly_limit > 0"
                " OR held_date > %(now)s OR slow_date > %(slow)s),"
                " EXISTS (SELECT FROM ir_mail_server WHERE active AND (owner_user_id IS NOT NULL"
                " OR nurture_hourly_limit > 0 OR nurture_daily_limit > 0"
                " OR nurture_warm_up_date IS NOT NULL))",
                now=now,
                slow=now - RECOVERING,
            )
        )
        if not (limit or providers or servers):
            return Pacer()
        # limits are the same whoever looks
        server = mailing.sudo()._nurture_get_server() if servers else ()
        active = self.env["nurture.provider"].sudo()
        if providers:
            active = active.search(
                [
                    *("|", "|", ("hourly_limit", ">", 0)),
                    *(("held_date", ">", now), ("slow_date", ">", now - RECOVERING)),
                ]
            )
        capacities = {
            f"provider:{provider.code}": (SLICE, capacity)
            for provider in active
            if (capacity := provider._get_capacity(now))
        }
        if server:
            capacities |= server._nurture_get_capacities()
        if limit:
            capacities[f"sequence:{sequence.id}"] = (SLICE, per_hour(limit))
        known = {} if known is None else known
        new = {key: one for key, one in capacities.items() if key not in known}
        known |= self._load(new, now) if new else {}
        return Pacer(
            holds={one.code: one.held_date for one in active if one.held_date},
            slots={key: known[key] for key in capacities},
        )

    @api.model
    def _load(self, capacities, now):
        """What is taken of these limits from now on.

        :param capacities: ``{key: (length of a slice, capacity)}``
        :return: ``{key: Slots}``
        """
        rows = self.env.execute_query(
            SQL(
                "SELECT key, date, number FROM nurture_pace WHERE key IN %s AND date > %s",
                tuple(capacities) or ("",),
                now - DAY,
            )
        )
        taken = {key: {} for key in capacities}
        for key, date, number in rows:
            taken[key][date] = number
        return {
            key: Slots(length, capacity, taken[key])
            for key, (length, capacity) in capacities.items()
        }

    @api.model
    def _keep(self, keys):
        """Write down which places were taken.

        :param keys: ``{key: Slots}``
        """
        rows = [
            SQL("(%s, %s::timestamp, %s)", key, date, number)
            for key, slots in sorted(keys.items())
            for date, number in sorted(slots.new.items())
        ]
        if rows:
            self.env.execute_query(
                SQL(
                    "INSERT INTO nurture_pace (key, date, number) VALUES %s ON CONFLICT (key, date)"
                    " DO UPDATE SET number = nurture_pace.number + EXCLUDED.number"
                    " RETURNING nurture_pace.id",
                    SQL(", ").join(rows),
                )
            )

    @api.model
    def _give_anew(self, key):
        """A limit has changed: whoever has a place under it gives back all places, and is looked at
        again with the next run. What has left already stays counted.

        :param key: of the limit
        """
        waiting = SQL(
            "nurture_trace.state = 'scheduled'"
            " AND %s = ANY(string_to_array(nurture_trace.limits, ','))",
            key,
        )
        self.env["nurture.sequence"].flush_model(["state"])
        self._look_again(
            SQL(
                "nurture_trace.id IN %s OR nurture_trace.state = 'scheduled'"
                # who found no place may find one now
                " AND nurture_trace.reason IN %s AND nurture_trace.limits IS NULL"
                " AND sequence_id IN (SELECT id FROM nurture_sequence WHERE state = 'running')",
                self._give_back(waiting) or (0,),
                tuple(REASONS.values()),
            )
        )

    @api.model
    def _give_back(self, condition):
        """Whoever of these has a place gives it back: it leaves at another moment, or not at all.
        Where a trace is decided about otherwise :meth:`nurture.trace._update` sees to it.

        :param condition: SQL about ``nurture_trace``
        :return: ids of those who had one
        """
        self.env["nurture.trace"].flush_model()
        rows = self.env.execute_query(
            SQL(
                "SELECT id FROM nurture_trace WHERE nurture_trace.limits IS NOT NULL AND %s"
                # workers lock traces first, too
                " ORDER BY id FOR UPDATE",
                condition,
            )
        )
        if not rows:
            return ()
        ids = tuple(id_ for (id_,) in rows)
        self.env.execute_query(
            SQL(
                """
                UPDATE nurture_pace SET number = nurture_pace.number - given.number
                  FROM (SELECT one.key, slice.date, count(*) AS number
                          FROM nurture_trace
                    CROSS JOIN unnest(string_to_array(nurture_trace.limits, ',')) one(key)
                    CROSS JOIN LATERAL (
                               SELECT CASE WHEN one.key LIKE 'server-day:%%'
                                           THEN date_trunc('day', place_date)
                                           ELSE date_trunc('hour', place_date)
                                              + date_part('minute', place_date)::int / %(slice)s
                                              * %(slice)s * interval '1 minute'
                                      END AS date
                               ) slice
                         WHERE nurture_trace.id IN %(ids)s
                      GROUP BY one.key, slice.date) given
                 WHERE nurture_pace.key = given.key AND nurture_pace.date = given.date
             RETURNING nurture_pace.id
                """,
                slice=SLICE // timedelta(minutes=1),
                ids=ids,
            )
        )
        traces = self.env["nurture.trace"]
        self.env.execute_query(
            SQL(
                "UPDATE nurture_trace SET limits = NULL, place_date = NULL WHERE id IN %s"
                " RETURNING id",
                ids,
            )
        )
        traces.browse(ids).invalidate_recordset(["limits", "place_date"], flush=False)
        return ids

    @api.model
    def _end_holds(self):
        """Look again at what waits for mail providers that are held."""
        self._look_again(
            SQL("nurture_trace.state = 'scheduled' AND nurture_trace.reason = 'provider_held'")
        )

    @api.model
    def _look_again(self, condition):
        released = (
            self.env["nurture.trace"]
            .sudo()
            ._update(
                condition,
                state="scheduled",
                schedule_date=fields.Datetime.now(),
                reason=None,
                detail=None,
            )
        )
        if released:
            self.env["nurture.sequence"]._wake_cron()

    @api.autovacuum
    def _gc_past(self):
        """Forget the slices of the past."""
        self.env.execute_query(
            SQL(
                "DELETE FROM nurture_pace WHERE date < %s RETURNING id",
                fields.Datetime.now() - 40 * DAY,
            )
        )
        return 0, 0
