from odoo import api, fields, models
from odoo.tools import SQL

from ...tools.pace import DAY, SLICE, Pacer, Slots, per_hour


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
                " OR held_date > %(now)s OR slow_date > %(now)s),"
                " EXISTS (SELECT FROM ir_mail_server WHERE active AND (owner_user_id IS NOT NULL"
                " OR nurture_hourly_limit > 0 OR nurture_daily_limit > 0"
                " OR nurture_warm_up_date IS NOT NULL))",
                now=now,
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
                    *(("held_date", ">", now), ("slow_date", ">", now)),
                ]
            )
        capacities = {
            f"provider:{provider.code}": (SLICE, per_hour(number))
            for provider in active
            if (number := provider._get_limit(now))
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
    def _forget(self, key, reason):
        """A limit has changed: the places under it are given anew.

        :param reason: of the traces that wait for one
        """
        self.env.execute_query(SQL("DELETE FROM nurture_pace WHERE key = %s RETURNING id", key))
        self._release(reason, key)

    @api.model
    def _release(self, reason, key=""):
        """Look again at what waits for this reason.

        :param key: of one limit; of a sequence its own traces are looked at
        """
        kind, _colon, id_ = key.partition(":")
        own = SQL("AND sequence_id = %s", int(id_)) if kind == "sequence" else SQL()
        released = (
            self.env["nurture.trace"]
            .sudo()
            ._update(
                SQL("nurture_trace.state = 'scheduled' AND reason = %s %s", reason, own),
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
