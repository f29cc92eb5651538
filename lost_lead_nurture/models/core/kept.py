import hashlib
import json
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

#: From so many traces on what is counted is kept; and so long, if nobody counts it anew before.
MANY_TRACES = 20_000
KEPT = timedelta(minutes=15)


class NurtureKept(models.Model):
    """What was counted for somebody who looked, for who looks at the same soon after: to compare
    two hundred thousand participants takes a second, and nobody waits for that twice."""

    _name = "nurture.kept"
    _description = "Nurture: Kept Count"
    _log_access = False

    name = fields.Char(required=True, readonly=True, help="What was counted.")
    key = fields.Char(required=True, readonly=True, help="A digest of what it depends on.")
    date = fields.Datetime(required=True, readonly=True, index=True, help="When it was counted.")
    value = fields.Json(required=True, readonly=True)

    _key_unique = models.Constraint("UNIQUE (name, key)", "A count is kept once.")

    @api.model
    def _get(self, name, key, count):
        """What ``count`` returns, or what it returned last where that takes its time.

        :param name: what is counted
        :param key: all that it depends on beside the data, who may see what among it; for JSON
        :param count: function without parameters, of values for JSON
        :return: (the values, when they were counted; False, if that was now)
        """
        digest = hashlib.sha256(json.dumps(key).encode()).hexdigest()
        now = fields.Datetime.now()
        kept = self.sudo().search(
            [("name", "=", name), ("key", "=", digest), ("date", ">", now - KEPT)]
        )
        # a clock that was set back must not keep it for ever
        if kept and kept.date <= now:
            return kept.value, kept.date
        value = json.dumps(count())
        traces = self.env["nurture.trace"].sudo()
        # a replica keeps nothing
        is_kept = not self.env.cr.readonly
        if is_kept and traces.search_count([], limit=MANY_TRACES) >= MANY_TRACES:
            self._put(name, digest, now, value)
        # as JSON has it, whether it is kept or not
        return json.loads(value), False

    @api.model
    def _put(self, name, digest, now, value):
        self.env.execute_query(
            SQL(
                """
                INSERT INTO nurture_kept (name, key, date, value) VALUES (%s, %s, %s, %s)
                ON CONFLICT (name, key)
                  DO UPDATE SET date = EXCLUDED.date, value = EXCLUDED.value
                RETURNING id
                """,
                *(name, digest, now, value),
            )
        )
        self.invalidate_model(flush=False)

    @api.autovacuum
    def _gc_kept(self):
        """Nobody looks at what is older."""
        self.sudo().search([("date", "<", fields.Datetime.now() - KEPT)]).unlink()
