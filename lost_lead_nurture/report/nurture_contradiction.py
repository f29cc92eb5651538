from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ..tools.arguments import check_records
from ..tools.dates import on_day

#: So many kinds of contradictions there may be, those of other add-ons included.
_MAX_KINDS = 16


class NurtureContradiction(models.Model):
    """Lost leads whose records contradict the lost reason: too expensive, it says, and nobody ever
    opened the quotation. It cites; a person decides. Made of the leads that the user may see.

    Another add-on adds a kind by a ``selection_add`` on ``kind``, a SELECT in :meth:`_sql_kinds`,
    its words in :meth:`_get_words` and what else they cite in :meth:`_get_cited`.
    """

    _name = "nurture.contradiction"
    _description = "Lost Reason Contradicted"
    _auto = False
    _order = "date_lost desc, lead_id desc, id"
    _rec_name = "lead_id"

    lead_id = fields.Many2one("crm.lead", readonly=True, context={"active_test": False})
    lost_reason_id = fields.Many2one("crm.lost.reason", readonly=True)
    kind = fields.Selection(
        [
            ("never_quoted", "No quotation was made"),
            ("never_sent", "No quotation was sent"),
            ("never_opened", "The quotation was not opened"),
            ("late", "Quoted after the deadline"),
        ],
        string="What Contradicts It",
        readonly=True,
    )
    description = fields.Char(compute="_compute_description", string="What the Records Say")
    order_id = fields.Many2one(
        "sale.order",
        string="Quotation",
        readonly=True,
        groups="sales_team.group_sale_salesman",
    )
    date = fields.Datetime(readonly=True, help="Of what contradicts it.")
    date_lost = fields.Datetime(string="Lost On", readonly=True)
    date_deadline = fields.Date(string="Expected Closing", readonly=True)
    user_id = fields.Many2one("res.users", string="Salesperson", readonly=True)
    team_id = fields.Many2one("crm.team", string="Sales Team", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)

    _depends = {
        "crm.lead": [
            *("active", "company_id", "date_closed", "date_deadline", "lost_reason_id"),
            *("team_id", "user_id", "won_status"),
        ],
        "crm.lost.reason": ["nurture_cure"],
        "mail.message": ["date", "model", "res_id", "subtype_id"],
        "nurture.reason.history": ["contradiction", "date", "event", "lead_id", "lost_reason_id"],
        "sale.order": ["date_order", "opportunity_id", "state"],
    }

    @property
    def _table_query(self):
        kinds = self._sql_kinds()
        return SQL(
            """
            SELECT %(kinds_of_a_lead)s * lead.id + found.place AS id, lead.id AS lead_id,
                   lead.lost_reason_id, found.kind, found.order_id, found.date,
                   lead.date_closed AS date_lost, lead.date_deadline, lead.user_id, lead.team_id,
                   lead.company_id
              FROM (%(lost)s) lead
              JOIN crm_lost_reason reason ON reason.id = lead.lost_reason_id
     CROSS JOIN LATERAL (%(kinds)s) found
             WHERE NOT EXISTS (
                   SELECT 1 FROM nurture_reason_history kept
                    WHERE kept.lead_id = lead.id AND kept.event = 'kept'
                      AND kept.contradiction = found.kind
                      AND kept.lost_reason_id = lead.lost_reason_id
                      AND kept.date >= COALESCE(lead.date_closed, '-infinity'))
            """,
            kinds_of_a_lead=_MAX_KINDS,
            lost=self._sql_lost(),
            kinds=SQL(" UNION ALL ").join(
                SQL(
                    "SELECT %s AS place, %s AS kind, one.order_id, one.date"
                    " FROM (%s) one (order_id, date)",
                    place,
                    kind,
                    select,
                )
                for place, (kind, select) in enumerate(kinds)
            ),
        )

    def _sql_lost(self):
        """SELECT of the lost leads that the user may see."""
        leads = self.env["crm.lead"].with_context(active_test=False)
        lost = Domain(leads._nurture_lost_domain()) & Domain("lost_reason_id", "!=", False)
        lost &= Domain("company_id", "in", [*self.env.companies.ids, False])
        query = leads._search(lost)
        names = ("id", "lost_reason_id", "date_closed", "date_deadline")
        return query.select(
            *(
                SQL.identifier(query.table, name)
                for name in (*names, "user_id", "team_id", "company_id")
            )
        )

    # ------------------------------------------------------------
    # WHAT CONTRADICTS A REASON
    # ------------------------------------------------------------

    @api.model
    def _sql_kinds(self):
        """What contradicts a lost reason: list of (kind, SELECT). The SELECT is of one row, id of
        the quotation that is cited and date, where it does, and of none where it does not. It may
        use the aliases ``lead`` and ``reason``; what a reason means says ``reason.nurture_cure``.
        """
        data = self.env["ir.model.data"]
        opened = data._xmlid_to_res_id("sale.mt_order_viewed")
        sent = data._xmlid_to_res_id("sale.mt_order_sent")
        return [
            (
                "never_quoted",
                SQL(
                    "SELECT NULL::int, NULL::timestamp WHERE reason.nurture_cure = 'price'"
                    " AND NOT EXISTS (SELECT 1 FROM sale_order so"
                    " WHERE so.opportunity_id = lead.id)"
                ),
            ),
            (
                "never_sent",
                SQL(
                    "(SELECT so.id, so.date_order FROM sale_order so"
                    " WHERE reason.nurture_cure = 'price' AND so.opportunity_id = lead.id"
                    " AND NOT EXISTS (SELECT 1 FROM sale_order other"
                    " WHERE other.opportunity_id = lead.id AND other.state != 'draft')"
                    " ORDER BY so.date_order DESC NULLS LAST, so.id DESC LIMIT 1)"
                ),
            ),
            (
                "never_opened",
                SQL(
                    # the last one; whoever opened one of them knows a price
                    "(SELECT so.id, so.date_order FROM sale_order so"
                    " WHERE reason.nurture_cure = 'price' AND so.opportunity_id = lead.id"
                    " AND so.state = 'sent' AND NOT EXISTS (SELECT 1 FROM sale_order other"
                    " JOIN mail_message opened ON opened.model = 'sale.order'"
                    " AND opened.res_id = other.id AND opened.subtype_id = %s"
                    " WHERE other.opportunity_id = lead.id)"
                    " ORDER BY so.date_order DESC NULLS LAST, so.id DESC LIMIT 1)",
                    opened or 0,
                ),
            ),
            (
                "late",
                SQL(
                    "(SELECT quoted.id, quoted.date FROM ("
                    "SELECT so.id, COALESCE((SELECT MIN(message.date) FROM mail_message message"
                    " WHERE message.model = 'sale.order' AND message.res_id = so.id"
                    " AND message.subtype_id = %s), so.date_order) AS date FROM sale_order so"
                    " WHERE so.opportunity_id = lead.id AND so.state != 'draft'"
                    " ORDER BY 2, 1 LIMIT 1) quoted"
                    " WHERE reason.nurture_cure IS DISTINCT FROM 'time'"
                    " AND (quoted.date AT TIME ZONE 'UTC' AT TIME ZONE %s)::date"
                    " > lead.date_deadline)",
                    sent or 0,
                    self.env.tz.zone,
                ),
            ),
        ]

    @api.model
    def _get_words(self):
        """``{kind: what the records say}``, with the placeholders ``order``, ``date`` and
        ``deadline``."""
        return {
            "never_quoted": self.env._("No quotation was ever made: nobody named a price."),
            "never_sent": self.env._("%(order)s of %(date)s was never sent."),
            "never_opened": self.env._(
                "%(order)s of %(date)s was sent, and nobody has opened it on its page."
            ),
            "late": self.env._(
                "%(order)s was sent on %(date)s, after the expected closing on %(deadline)s."
            ),
        }

    @api.depends("kind", "order_id", "date", "date_deadline")
    @api.depends_context("lang", "tz", "uid")
    def _compute_description(self):
        words = self._get_words()
        # marketers see leads, and no quotations
        orders = self.sudo().order_id.with_env(self.env(su=False))
        names = {order.id: order.name for order in orders._filtered_access("read")}
        cited = self._get_cited()
        for row in self:
            row.description = words[row.kind] % {
                "order": names.get(row.sudo().order_id.id, self.env._("A quotation")),
                "date": on_day(self.env, row.date),
                "deadline": on_day(self.env, row.date_deadline),
                **cited.get(row.id, {}),
            }

    def _get_cited(self):
        """What else the words of these rows name. For kinds of other add-ons.

        :return: ``{row id: {placeholder: text}}``
        """
        return {}

    # ------------------------------------------------------------
    # ACTIONS
    # ------------------------------------------------------------

    def action_keep(self):
        """Keep the lost reasons, with the rights of whoever may change the leads: what contradicts
        them is not shown again, until they are lost anew.

        :raise UserError: when nothing does
        :raise AccessError: for who may not change the leads
        """
        check_records(self)
        self.check_access("read")
        rows = self.exists()
        if not rows:
            # somebody was quicker, or it is about a lead that the user does not see
            raise UserError(self.env._("Nothing contradicts the lost reason any more."))
        leads = rows.lead_id
        leads.check_access("write")
        self.env["nurture.reason.history"]._note(
            [
                {
                    "lead_id": row.lead_id.id,
                    "event": "kept",
                    "lost_reason_id": row.lost_reason_id.id,
                    "contradiction": row.kind,
                }
                for row in rows
            ]
        )
        # they are behind no row any more
        self.invalidate_model()
        leads.invalidate_recordset(["nurture_contradictions"], flush=False)
        return True

    def action_view_lead(self):
        """Open the lead."""
        check_records(self, one=True)
        return {
            "type": "ir.actions.act_window",
            "res_model": "crm.lead",
            "res_id": self.lead_id.id,
            "views": [(False, "form")],
        }
