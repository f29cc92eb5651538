from odoo import api, models
from odoo.tools import SQL

#: Reasons for which a trace has its date from a person, and those for which it has waited for
#: something else than its delay.
FORCED, WAITED = ("run_now", "retried"), ("resumed", "recalled")


class NurtureTrace(models.Model):
    """Which version of the message of its step a lead gets, where there is an A/B test."""

    _inherit = "nurture.trace"

    @api.model
    def _sql_variant(self, participant):
        """The version for which a participant is drawn, see :meth:`_sql_draw`.

        :param participant: SQL of the participant's id
        """
        return self._sql_draw(
            SQL("(SELECT dedup_key, lead_id FROM nurture_participant WHERE id = %s)", participant)
        )

    @api.model
    def _sql_draw(self, drawn):
        """The version for which somebody is drawn, for the alias ``step``; null without an A/B
        test. It is a hash that draws, the same for one address whenever it is asked, as for the
        holdout: the first four bytes of an MD5 against shares of 2^32. Leads who get the message in
        another language are not drawn, as there is one version in it.

        :param drawn: SQL of a subquery with the columns ``dedup_key`` and ``lead_id``
        """
        return SQL(
            """
            CASE WHEN step.ab_split IS NOT NULL THEN (
                SELECT arm.letter
                  FROM %s drawn
            CROSS JOIN jsonb_to_recordset(step.ab_split) arm (letter text, upto float8)
                 WHERE ('x' || substr(md5('step ' || step.id || ':' || drawn.dedup_key), 1, 8)
                       )::bit(32)::bigint < arm.upto * 4294967296
                   AND NOT EXISTS (SELECT 1 FROM nurture_step_translation translation
                                     JOIN crm_lead lead ON lead.lang_id = translation.lang_id
                                    WHERE translation.step_id = step.id
                                      AND lead.id = drawn.lead_id)
              ORDER BY arm.upto
                 LIMIT 1
            ) END
            """,
            drawn,
        )

    @api.model
    def _sql_version_delay(self, variant):
        """The delay of the alias ``step`` for who is drawn for a version: that of the version,
        where it has one. Without an A/B test no version is looked for.

        :param variant: SQL of its letter
        """
        steps = self.env["nurture.step"]
        return SQL(
            "CASE WHEN step.ab_split IS NULL THEN %(own)s ELSE COALESCE("
            "(SELECT %(version)s FROM nurture_variant version WHERE version.step_id = step.id"
            " AND version.has_delay AND version.letter = %(variant)s), %(own)s) END",
            own=steps._sql_delay("step"),
            version=steps._sql_delay("version"),
            variant=variant,
        )

    @api.model
    def _flush_versions(self):
        """Have in the database what :meth:`_sql_draw` and :meth:`_sql_version_delay` look at."""
        self.env["nurture.step"].flush_model(["ab_split"])
        self.env["nurture.variant"].flush_model(["has_delay", "delay", "delay_unit"])

    @api.model
    def _draw_for(self, steps, reason):
        """Draw the version anew for whoever has yet to get the messages of ``steps``.

        :param reason: why, for the log
        """
        coming = SQL(
            "nurture_trace.step_id IN %s AND nurture_trace.state IN ('waiting', 'scheduled')",
            tuple(steps.ids),
        )
        self._update_variant(coming, reason)

    def _draw_again(self, reason):
        """Draw the version of these traces anew.

        :param reason: why, for the log
        :return: those that are in another version now
        """
        return self._update_variant(SQL("nurture_trace.id IN %s", tuple(self.ids)), reason)

    @api.model
    def _update_variant(self, condition, reason):
        """Draw anew for whom ``condition`` is about, but for those who have a message already: who
        is tried again stays in its version. Who gets another version gets it after its delay.

        :return: the traces that are in another version now
        """
        self._flush_versions()
        variant = self._sql_variant(SQL("nurture_trace.participant_id"))
        return self._update(
            SQL(
                "%s AND step.id = nurture_trace.step_id"
                " AND nurture_trace.variant IS DISTINCT FROM (%s)"
                " AND NOT EXISTS (SELECT 1 FROM mailing_trace"
                " WHERE mailing_trace.nurture_trace_id = nurture_trace.id)",
                condition,
                variant,
            ),
            source=SQL("FROM nurture_step step"),
            logged=reason,
            variant=variant,
            schedule_date=self._sql_due_again(variant),
        )

    def _sql_due_again(self, variant):
        """When a trace is due that has got another version, of the alias ``step``.

        :param variant: SQL of the version's letter
        """
        return SQL(
            "CASE WHEN nurture_trace.state = 'scheduled' AND nurture_trace.base_date IS NOT NULL"
            " AND COALESCE(nurture_trace.reason, '') NOT IN %(forced)s"
            " AND EXISTS (SELECT 1 FROM nurture_variant version"
            " WHERE version.step_id = step.id AND version.has_delay)"
            " THEN GREATEST(nurture_trace.base_date + %(delay)s,"
            " CASE WHEN nurture_trace.reason IN %(waited)s THEN nurture_trace.schedule_date END)"
            " ELSE nurture_trace.schedule_date END",
            forced=FORCED,
            waited=WAITED,
            delay=self._sql_version_delay(variant),
        )
