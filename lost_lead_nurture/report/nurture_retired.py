from odoo import fields, models
from odoo.fields import Domain
from odoo.tools import SQL

#: Why an address gets no mails of sequences, in the order in which it is shown.
RETIRED_REASONS = [
    ("complained", "Called a mail spam"),
    ("blacklisted", "Unsubscribed or blacklisted"),
    ("bounced", "Mails to the address bounce"),
    ("silent", "Showed no engagement in a sequence"),
    ("left", "The contact is archived"),
    ("opted_out", "Does not want mails of a sequence, or on a topic"),
    ("role", "Address of a role, not of a person"),
    ("no_address", "No address that can be written to"),
]


class NurtureRetired(models.Model):
    """List hygiene: which lost leads are not written to any more, and why. A lead with several
    reasons has a line for each; lines are of the leads that the user may see."""

    _name = "nurture.retired"
    _description = "Retired Addresses"
    _auto = False
    _order = "date desc, id desc"
    _rec_name = "email"

    lead_id = fields.Many2one("crm.lead", readonly=True, context={"active_test": False})
    email = fields.Char(
        string="Address", readonly=True, help="Of a lead without one: what is written there."
    )
    reason = fields.Selection(RETIRED_REASONS, readonly=True)
    date = fields.Datetime(
        string="Since", readonly=True, help="When it happened, as far as that is known."
    )
    lost_reason_id = fields.Many2one("crm.lost.reason", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Contact", readonly=True)
    user_id = fields.Many2one("res.users", string="Salesperson", readonly=True)
    team_id = fields.Many2one("crm.team", string="Sales Team", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)

    _depends = {
        "crm.lead": [
            *("active", "company_id", "email_from", "email_normalized", "lost_reason_id"),
            *("message_bounce", "partner_id", "team_id", "user_id", "won_status"),
        ],
        "mail.blacklist": ["active", "email"],
        "mailing.trace": ["email", "trace_status", "trace_type", "write_date"],
        "nurture.participant": ["email", "exit_date", "exit_reason"],
        "nurture.preference": ["email", "ended_date", "kind"],
        "res.partner": ["active", "email_normalized", "message_bounce", "write_date"],
    }

    @property
    def _table_query(self):
        reasons = [
            SQL(
                "SELECT lead.id * %s + %s AS id, lead.id AS lead_id,"
                " COALESCE(lead.email_normalized, lead.email_from) AS email, %s AS reason,"
                " (%s)::timestamp AS date, lead.lost_reason_id, lead.partner_id, lead.user_id,"
                " lead.team_id, lead.company_id FROM lost lead WHERE %s",
                len(RETIRED_REASONS),
                number,
                reason,
                date,
                condition,
            )
            for number, (reason, condition, date) in enumerate(self._get_reasons())
        ]
        return SQL("WITH lost AS (%s) %s", self._sql_lost(), SQL(" UNION ALL ").join(reasons))

    def _sql_lost(self):
        """SELECT of the lost leads that the user may see."""
        leads = self.env["crm.lead"].with_context(active_test=False)
        lost = Domain(leads._nurture_lost_domain())
        lost &= Domain("company_id", "in", [*self.env.companies.ids, False])
        query = leads._search(lost)
        names = ("id", "email_from", "email_normalized", "lost_reason_id", "partner_id")
        names += ("user_id", "team_id", "company_id")
        return query.select(*(SQL.identifier(query.table, name) for name in names))

    def _get_reasons(self):
        """Each reason in the order of :data:`RETIRED_REASONS`, with SQL of whether the lead (alias
        ``lead``) has it, and since when."""
        leads = self.env["crm.lead"]
        email = SQL("lead.email_normalized")
        preference = SQL(
            "SELECT max(chosen.date) FROM nurture_preference chosen"
            " WHERE chosen.email = %s AND chosen.ended_date IS NULL",
            email,
        )
        opted_out = SQL(
            "EXISTS (SELECT 1 FROM nurture_preference chosen WHERE chosen.email = %s"
            " AND chosen.ended_date IS NULL AND chosen.kind IN ('sequence', 'topic'))",
            email,
        )
        found = {
            "complained": (
                self.env["nurture.preference"]._sql_complained(email),
                SQL("%s AND chosen.kind = 'complaint'", preference),
            ),
            "blacklisted": (
                leads._nurture_sql_blacklisted(),
                SQL(
                    "SELECT COALESCE(max(chosen.date), max(blacklist.write_date))"
                    " FROM mail_blacklist blacklist LEFT JOIN nurture_preference chosen"
                    " ON chosen.email = blacklist.email AND chosen.ended_date IS NULL"
                    " AND chosen.kind = 'everything' WHERE blacklist.email = %s",
                    email,
                ),
            ),
            "bounced": (
                SQL("(%s)", SQL(" OR ").join(leads._nurture_sql_bounced())),
                SQL(
                    "SELECT max(trace.write_date) FROM mailing_trace trace"
                    " WHERE trace.email = %s AND trace.trace_status = 'bounce'",
                    email,
                ),
            ),
            "silent": (
                leads._nurture_sql_silent(),
                SQL(
                    "SELECT max(gone.exit_date) FROM nurture_participant gone"
                    " WHERE gone.email = %s AND gone.exit_reason = 'silent'",
                    email,
                ),
            ),
            "left": (
                leads._nurture_sql_left(),
                SQL(
                    "SELECT contact.write_date FROM res_partner contact"
                    " WHERE contact.id = lead.partner_id"
                ),
            ),
            "opted_out": (opted_out, SQL("%s AND chosen.kind != 'complaint'", preference)),
            "role": (leads._nurture_sql_role(), SQL("NULL")),
            "no_address": (SQL("lead.email_normalized IS NULL"), SQL("NULL")),
        }
        return [(reason, *found[reason]) for reason, _label in RETIRED_REASONS]
