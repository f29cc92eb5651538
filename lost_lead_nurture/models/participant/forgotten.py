import secrets

from odoo import api, fields, models
from odoo.tools import SQL

#: System parameter with what is mixed into each fingerprint, so that nobody can try addresses.
SALT = "lost_lead_nurture.forgotten_salt"


class NurtureForgotten(models.Model):
    """Somebody asked to be forgotten. Of the address only a fingerprint is kept: nobody can read it
    there, but who it is of is recognised when another lead has the same address."""

    _name = "nurture.forgotten"
    _description = "Forgotten Address"
    _order = "forgotten_date desc, id desc"
    _rec_name = "forgotten_date"

    fingerprint = fields.Char(required=True, readonly=True, groups=fields.NO_ACCESS)
    forgotten_date = fields.Datetime(string="Forgotten On", required=True, readonly=True)
    forgotten_user_id = fields.Many2one(
        "res.users", string="Forgotten By", readonly=True, ondelete="set null"
    )
    let_in_date = fields.Datetime(
        string="Let In Again On",
        readonly=True,
        help="Since then sequences may write to the address again. Empty: none of them does.",
    )
    let_in_user_id = fields.Many2one(
        "res.users", string="Let In Again By", readonly=True, ondelete="set null"
    )

    _fingerprint_unique = models.Constraint("UNIQUE (fingerprint)", "It is forgotten already.")

    @api.model
    def _remember(self, addresses):
        """Keep ``addresses`` out of all sequences from now on."""
        if not addresses:
            return
        self._make_salt()
        self.env.execute_query(
            SQL(
                """
                INSERT INTO nurture_forgotten (fingerprint, forgotten_date, forgotten_user_id,
                            create_uid, create_date, write_uid, write_date)
                SELECT DISTINCT %(fingerprint)s, %(now)s, %(uid)s, %(uid)s, %(now)s, %(uid)s,
                       %(now)s
                  FROM unnest(%(addresses)s) address
           ON CONFLICT (fingerprint) DO UPDATE
                   SET forgotten_date = EXCLUDED.forgotten_date,
                       forgotten_user_id = EXCLUDED.forgotten_user_id,
                       let_in_date = NULL, let_in_user_id = NULL
             RETURNING id
                """,
                fingerprint=self._sql_fingerprint(SQL("address")),
                now=fields.Datetime.now(),
                uid=self.env.uid,
                addresses=list(addresses),
            )
        )
        self.invalidate_model(flush=False)

    @api.model
    def _let_in(self, addresses):
        """Let ``addresses`` enter sequences again.

        :return: how many of them had been forgotten
        """
        rows = self.env.execute_query(
            SQL(
                "UPDATE nurture_forgotten SET let_in_date = %s, let_in_user_id = %s"
                " WHERE let_in_date IS NULL AND fingerprint IN"
                " (SELECT %s FROM unnest(%s::text[]) address) RETURNING id",
                fields.Datetime.now(),
                self.env.uid,
                self._sql_fingerprint(SQL("address")),
                list(addresses),
            )
        )
        self.invalidate_model(flush=False)
        return len(rows)

    @api.model
    def _find_forgotten(self, addresses):
        """Those of ``addresses`` that are excluded."""
        if not addresses or not self._is_any():
            return set()
        rows = self.env.execute_query(
            SQL(
                "SELECT address FROM unnest(%s::text[]) address WHERE %s",
                list(addresses),
                self._sql_is_forgotten(SQL("address")),
            )
        )
        return {address for (address,) in rows}

    @api.model
    def _forget_address(self, addresses):
        """Somebody asked to be forgotten: nobody writes to these addresses any more, and who it was
        is erased from all that the user may change."""
        participants = self.env["nurture.participant"]
        consents = self.env["nurture.consent"]
        journeys = participants.search([("email", "in", addresses)])
        journeys = journeys.filtered(lambda one: one.sequence_id.has_access("write"))
        proofs = consents.search([("email", "in", addresses)])
        self.sudo()._remember(addresses)
        # whoever steers the others: nobody may write to that address
        participants.sudo()._find_running(addresses)._leave("forgotten")
        journeys.sudo()._erase()
        proofs.sudo()._forget()
        # whoever asked, of whatever company
        pending = [("email", "in", addresses), ("is_pending", "=", True)]
        consents.sudo().search(pending)._end_requests()
        self.env["nurture.preference"].sudo()._forget(addresses)

    @api.model
    def _is_any(self):
        """Whether any address is excluded: as long as none is, no fingerprint has to be taken."""
        return bool(self.sudo().search_count([("let_in_date", "=", False)], limit=1))

    @api.model
    def _sql_is_forgotten(self, address):
        """Whether the SQL ``address`` is excluded, as a bare EXISTS."""
        return SQL(
            "EXISTS (SELECT 1 FROM nurture_forgotten forgotten"
            " WHERE forgotten.let_in_date IS NULL AND forgotten.fingerprint = %s)",
            self._sql_fingerprint(address),
        )

    @api.model
    def _sql_fingerprint(self, address):
        """The salt is looked up by PostgreSQL: it gets into no log of queries."""
        return SQL(
            "encode(sha256(convert_to("
            "(SELECT value FROM ir_config_parameter WHERE key = %s) || %s, 'UTF8')), 'hex')",
            SALT,
            address,
        )

    @api.model
    def _make_salt(self):
        # the database's own secret will not do: a copy of the database gets another one
        parameters = self.env["ir.config_parameter"].sudo()
        if not parameters.get_param(SALT):
            parameters.set_param(SALT, secrets.token_hex(32))
            parameters.flush_model()
