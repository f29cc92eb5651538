from odoo import api, fields, models
from odoo.tools import SQL

from ...tools.providers import keep_provider

#: How many journeys one transaction erases.
BATCH = 1000


class NurtureParticipant(models.Model):
    """Journeys that ended long ago keep what is counted and lose who it was."""

    _inherit = "nurture.participant"

    anonymised_date = fields.Datetime(
        string="Anonymised On",
        readonly=True,
        help="When name and address were erased, as the company keeps them no longer.",
    )

    _anonymised = models.Index("(anonymised_date) WHERE anonymised_date IS NOT NULL")
    _retained = models.Index(
        "(exit_date) WHERE anonymised_date IS NULL AND exit_date IS NOT NULL AND email IS NOT NULL"
    )

    @api.model
    def _cron_anonymise(self):
        """The scheduled action: erase who it was of journeys that ended longer ago than their
        company keeps them, batch by batch."""
        companies = self.env["res.company"].search([("nurture_retention_months", ">", 0)])
        for company in companies:
            while found := self._claim_outdated(company):
                found._anonymise()
                if not self.env["ir.cron"]._commit_progress(len(found)):
                    return

    @api.model
    def _claim_outdated(self, company):
        """Lock some journeys that the company does not keep any longer. Those of all companies are
        of the company of who is responsible."""
        until = fields.Datetime.subtract(
            fields.Datetime.now(), months=company.nurture_retention_months
        )
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                "SELECT participant.id FROM nurture_participant participant"
                " JOIN nurture_sequence sequence ON sequence.id = participant.sequence_id"
                " WHERE participant.anonymised_date IS NULL AND participant.email IS NOT NULL"
                " AND participant.exit_date < %s AND COALESCE(participant.company_id, %s) = %s"
                " ORDER BY participant.exit_date LIMIT %s FOR UPDATE OF participant SKIP LOCKED",
                until,
                self.env["nurture.sequence"]._sql_home(),
                company.id,
                BATCH,
            )
        )
        return self.browse(id_ for (id_,) in rows)

    def _anonymise(self):
        """Erase who it was. That the address was in the sequence stays known by its fingerprint,
        so that nobody enters again who may not; and to which address mails bounced, so that none
        is sent there."""
        self.env["nurture.forgotten"]._make_salt()
        mailing_traces = self.trace_ids.mailing_trace_ids
        mailing_traces.filtered(lambda one: one.trace_status != "bounce")._nurture_forget()
        self.trace_ids._forget()
        keep_provider(self, "provider")
        self.env.flush_all()
        now = fields.Datetime.now()
        self.env.execute_query(
            SQL(
                "UPDATE nurture_participant SET lead_name = %s, email = NULL, event_name = NULL,"
                " anonymised_date = %s,"
                " dedup_key = CASE WHEN position('@' in dedup_key) > 0 THEN %s"
                " ELSE dedup_key END WHERE id IN %s RETURNING id",
                self.env._("Anonymised lead"),
                now,
                self._sql_kept_key(SQL("dedup_key")),
                tuple(self.ids),
            )
        )
        self.invalidate_recordset(flush=False)

    @api.model
    def _sql_kept_key(self, dedup_key):
        """What stays of the SQL ``dedup_key`` of a journey that was anonymised."""
        fingerprint = self.env["nurture.forgotten"]._sql_fingerprint(dedup_key)
        return SQL("'kept ' || %s", fingerprint)

    @api.model
    def _sql_known_keys(self, dedup_key):
        """The keys by which journeys of the SQL ``dedup_key`` are known."""
        if not self.sudo().search_count([("anonymised_date", "!=", False)], limit=1):
            return SQL("(%s)", dedup_key)
        return SQL("(%s, %s)", dedup_key, self._sql_kept_key(dedup_key))
