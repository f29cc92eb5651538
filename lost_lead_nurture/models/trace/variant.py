from odoo import api, models
from odoo.tools import SQL


class NurtureTrace(models.Model):
    """Which version of the message of its step a lead gets, where there is an A/B test."""

    _inherit = "nurture.trace"

    @api.model
    def _sql_variant(self, participant):
        """The version for which a participant is drawn, for the alias ``step``; null without an A/B
        test. It is a hash that draws, the same for one address whenever it is asked, as for the
        holdout: the first four bytes of an MD5 against shares of 2^32. Leads who get the message in
        another language are not drawn, as there is one version in it.

        :param participant: SQL of the participant's id
        """
        return SQL(
            """
            CASE WHEN step.ab_split IS NOT NULL THEN (
                SELECT arm.letter
                  FROM nurture_participant drawn
            CROSS JOIN jsonb_to_recordset(step.ab_split) arm (letter text, upto float8)
                 WHERE drawn.id = %s
                   AND ('x' || substr(md5('step ' || step.id || ':' || drawn.dedup_key), 1, 8)
                       )::bit(32)::bigint < arm.upto * 4294967296
                   AND NOT EXISTS (SELECT 1 FROM nurture_step_translation translation
                                     JOIN crm_lead lead ON lead.lang_id = translation.lang_id
                                    WHERE translation.step_id = step.id
                                      AND lead.id = drawn.lead_id)
              ORDER BY arm.upto
                 LIMIT 1
            ) END
            """,
            participant,
        )

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
        """
        self._update_variant(SQL("nurture_trace.id IN %s", tuple(self.ids)), reason)

    @api.model
    def _update_variant(self, condition, reason):
        """Draw anew for whom ``condition`` is about, but for those who have a message already: who
        is tried again stays in its version."""
        self.env["nurture.step"].flush_model(["ab_split"])
        variant = self._sql_variant(SQL("nurture_trace.participant_id"))
        self._update(
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
        )
