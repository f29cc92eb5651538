from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ..models.core.results_mixin import REVENUE_GROUPS
from ..models.credit.sale_order import NOT_ORDERED
from ..tools.arguments import check_records
from ..tools.domains import ERRORS

#: Between those that are counted: no address has one.
_BETWEEN = "\n"
#: Each number of records, with the column that says which ones. One may be behind several lines.
COUNTED = {
    "lead_count": "leads",
    "customer_count": "customers",
    "unaddressed_count": "unaddressed_leads",
    "unlocked_count": "orders",
}


class NurtureLocked(models.Model):
    """Locked value: what the leads are worth that are lost now, by lost reason and product, what
    sequences have unlocked of it, and what no running sequence is about.

    A customer counts once for each product, with the lead that was lost last: who asked five times
    for one desk wants one desk. Made of the leads that the user may see; quotations of these, and
    what came of them, are counted whosever they are.

    Amounts of lines add up. Leads, customers and orders may be behind several lines, and count once
    in whatever lines are grouped by.
    """

    _name = "nurture.locked"
    _description = "Locked Value"
    _auto = False
    _order = "value desc, id"
    _rec_name = "lost_reason_id"

    lost_reason_id = fields.Many2one("crm.lost.reason", readonly=True)
    product_id = fields.Many2one(
        "product.product",
        readonly=True,
        help="Of the quotations that were made for the lead and not ordered. Empty: the lead has "
        "none, and counts with its expected revenue.",
    )
    currency_id = fields.Many2one("res.currency", readonly=True)
    lead_count = fields.Integer(
        "Lost Leads",
        readonly=True,
        help="All that are lost. A lead is in the line of each product that was quoted to it, and "
        "counts once in a group of lines.",
    )
    customer_count = fields.Integer(
        "Customers",
        readonly=True,
        help="Those whose value counts here: in the line of each product, where they were lost "
        "last, and once in a group of lines. A lead without a customer is its address's.",
    )
    value = fields.Monetary(
        "Lost Value",
        readonly=True,
        help="Untaxed price of the product in the last quotation that each customer did not "
        "order, or the expected revenue of the lead, at today's rate.",
    )
    unaddressed_count = fields.Integer(
        "Leads in No Sequence",
        readonly=True,
        help="Lost leads that no running sequence chooses, and that are or were in none. A lead "
        "counts once in a group of lines.",
    )
    unaddressed_value = fields.Monetary(
        "Not Addressed",
        readonly=True,
        help="Lost value of those whom no running sequence is about.",
    )
    unlocked_count = fields.Integer(
        "Deals Unlocked",
        readonly=True,
        help="Orders that are credited to sequences. An order is in the line of each of its "
        "products, and counts once in a group of lines.",
    )
    unlocked_value = fields.Monetary(
        "Unlocked",
        readonly=True,
        groups=REVENUE_GROUPS,
        help="Untaxed total of the orders that are credited to sequences, by last touch, of leads "
        "that had been lost for this reason.",
    )

    _depends = {
        "crm.lead": [
            *("active", "company_id", "date_closed", "email_normalized", "expected_revenue"),
            *("lost_reason_id", "partner_id", "user_id", "won_status"),
        ],
        "nurture.credit": ["kind", "lost_reason_id", "model", "order_id", "sequence_id"],
        "nurture.participant": ["lead_id", "sequence_id"],
        "nurture.sequence": ["state", "domain"],
        "res.partner": ["commercial_partner_id"],
        "sale.order": ["company_id", "currency_rate", "opportunity_id", "state"],
        "sale.order.line": ["display_type", "order_id", "price_subtotal", "product_id"],
    }

    @property
    def _table_query(self):
        return SQL(
            """
            WITH item AS (%(items)s), locked AS (
                SELECT MIN(id) AS id, lost_reason_id, product_id,
                       COUNT(DISTINCT lead_id) AS lead_count,
                       COUNT(*) FILTER (WHERE counts) AS customer_count,
                       SUM(value) FILTER (WHERE counts) AS value,
                       COUNT(DISTINCT lead_id) FILTER (WHERE NOT addressed) AS unaddressed_count,
                       string_agg(lead_id::text, %(between)s) AS leads,
                       string_agg(customer, %(between)s) FILTER (WHERE counts) AS customers,
                       string_agg(lead_id::text, %(between)s)
                           FILTER (WHERE NOT addressed) AS unaddressed_leads,
                       SUM(value) FILTER (WHERE counts AND NOT addressed) AS unaddressed_value
                  FROM item
              GROUP BY lost_reason_id, product_id
            ), unlocked AS (%(unlocked)s)
            SELECT COALESCE(locked.id, unlocked.id) AS id,
                   COALESCE(locked.lost_reason_id, unlocked.lost_reason_id) AS lost_reason_id,
                   COALESCE(locked.product_id, unlocked.product_id) AS product_id,
                   %(currency)s AS currency_id,
                   COALESCE(lead_count, 0) AS lead_count,
                   COALESCE(customer_count, 0) AS customer_count,
                   COALESCE(locked.value, 0) AS value,
                   COALESCE(unaddressed_count, 0) AS unaddressed_count,
                   COALESCE(unaddressed_value, 0) AS unaddressed_value,
                   COALESCE(unlocked_count, 0) AS unlocked_count,
                   COALESCE(unlocked_value, 0) AS unlocked_value,
                   leads, customers, unaddressed_leads, orders
              FROM locked
         FULL JOIN unlocked
                ON COALESCE(unlocked.lost_reason_id, 0) = COALESCE(locked.lost_reason_id, 0)
               AND COALESCE(unlocked.product_id, 0) = COALESCE(locked.product_id, 0)
            """,
            items=self._sql_items(),
            unlocked=self._sql_unlocked(),
            currency=self.env.company.currency_id.id,
            between=_BETWEEN,
        )

    def _read_group_select(self, aggregate_spec, query):
        """What is behind several lines of a group counts once."""
        name, _colon, function = aggregate_spec.partition(":")
        if name not in COUNTED or function != "sum":
            return super()._read_group_select(aggregate_spec, query)
        return SQL(
            '(SELECT COUNT(DISTINCT one COLLATE "C")'
            " FROM unnest(string_to_array(string_agg(%s, %s), %s)) one)",
            SQL.identifier(self._table, COUNTED[name]),
            _BETWEEN,
            _BETWEEN,
        )

    # ------------------------------------------------------------
    # WHAT IS LOST
    # ------------------------------------------------------------

    def _sql_items(self):
        """SELECT of lost leads and what each is worth: a row for each product of its quotations
        that were not ordered, else one for the lead. ``counts`` is whether it is the last one of
        its customer for this product."""
        return SQL(
            """
            WITH lost AS MATERIALIZED (%(lost)s), line AS MATERIALIZED (
                SELECT lost.id AS lead_id, so.id AS order_id, sol.product_id,
                       MIN(sol.id) AS line_id,
                       SUM(sol.price_subtotal / COALESCE(NULLIF(so.currency_rate, 0), 1)
                           * %(order_rate)s) AS value
                  FROM lost
                  JOIN sale_order so ON so.opportunity_id = lost.id
                  JOIN sale_order_line sol ON sol.order_id = so.id
                 WHERE so.state IN %(not_ordered)s AND so.company_id IN %(companies)s
                   AND sol.display_type IS NULL AND sol.product_id IS NOT NULL
                   AND sol.price_subtotal > 0
              GROUP BY lost.id, so.id, sol.product_id
            )
            SELECT found.id, found.lead_id, found.product_id, found.lost_reason_id,
                   found.customer, found.addressed,
                   ROUND(found.value::numeric, %(digits)s) AS value,
                   ROW_NUMBER() OVER (
                       PARTITION BY customer, product_id
                           ORDER BY date_closed DESC NULLS LAST, lead_id DESC, order_id DESC
                   ) = 1 AS counts
              FROM (SELECT 3 * line.line_id AS id, line.lead_id, line.order_id, line.product_id,
                           line.value, lost.lost_reason_id, lost.customer, lost.date_closed,
                           lost.addressed
                      FROM line JOIN lost ON lost.id = line.lead_id
                 UNION ALL
                    SELECT 3 * lost.id + 1, lost.id, NULL, NULL, lost.value, lost.lost_reason_id,
                           lost.customer, lost.date_closed, lost.addressed
                      FROM lost
                     WHERE NOT EXISTS (SELECT 1 FROM line WHERE line.lead_id = lost.id)
                   ) found
            """,
            lost=self._sql_lost(),
            order_rate=self.env["res.company"]._nurture_sql_rate(SQL("so.company_id")),
            not_ordered=NOT_ORDERED,
            companies=tuple(self.env.companies.ids),
            digits=self.env.company.currency_id.decimal_places,
        )

    def _sql_lost(self):
        """SELECT of the lost leads that the user may see: who each is of, what was expected of it,
        and whether a running sequence is about it."""
        leads = self.env["crm.lead"].with_context(active_test=False)
        lost = Domain(leads._nurture_lost_domain())
        lost &= Domain("company_id", "in", [*self.env.companies.ids, False])
        # in one scan of the table: to look each lead up by its id would take as long again
        query = leads._search(lost)
        contact = query.left_join(query.table, "partner_id", "res_partner", "id", "contact")
        lead = {
            name: SQL.identifier(query.table, name)
            for name in ("id", "company_id", "email_normalized", "expected_revenue")
        }
        return query.select(
            SQL("%s AS id", lead["id"]),
            SQL("%s AS lost_reason_id", SQL.identifier(query.table, "lost_reason_id")),
            SQL("%s AS date_closed", SQL.identifier(query.table, "date_closed")),
            SQL(
                # compared letter by letter, not as people sort
                "COALESCE('c' || %s, 'a' || %s, 'l' || %s) COLLATE \"C\" AS customer",
                SQL.identifier(contact, "commercial_partner_id"),
                lead["email_normalized"],
                lead["id"],
            ),
            SQL(
                "COALESCE(%s, 0) * %s AS value",
                lead["expected_revenue"],
                self.env["res.company"]._nurture_sql_rate(lead["company_id"]),
            ),
            SQL("%s AS addressed", self._sql_addressed(lead["id"])),
        )

    def _sql_addressed(self, lead_id):
        """Whether a running sequence is about a lead: it chooses the lead, unless leads are added
        to it by hand only, or the lead is or was in it.

        :param lead_id: SQL of the lead's id
        """
        # also one that the user may not see: of that nothing is said but that there is one.
        # What a filter finds it finds with the rights of its author
        running = self.env["nurture.sequence"].sudo().search([("state", "=", "running")])
        leads = self.env["crm.lead"].sudo().with_context(active_test=False)
        choices = []
        for sequence in running.filtered(lambda one: one.entry != "manual"):
            try:
                choice = sequence._get_lead_domain()
                leads._search(choice)
            except (*ERRORS, UserError):
                # a choice that cannot be read any more chooses nobody
                continue
            choices.append(choice)
        # together, so that all leads are looked at once
        return SQL(
            "(%(id)s IN (SELECT lead_id FROM nurture_participant"
            " WHERE sequence_id IN %(running)s AND lead_id IS NOT NULL) OR %(id)s IN %(chosen)s)",
            id=lead_id,
            running=tuple(running.ids) or (0,),
            chosen=leads._search(Domain.OR(choices)).subselect(),
        )

    # ------------------------------------------------------------
    # WHAT IS UNLOCKED
    # ------------------------------------------------------------

    def _unlocked_domain(self):
        """The credits of orders that sequences have earned, as far as the user may see them."""
        return (
            Domain("model", "=", "last")
            & Domain("kind", "=", "order")
            & Domain("sequence_id", "!=", False)
            & Domain("company_id", "in", self.env.companies.ids)
        )

    def _sql_unlocked(self):
        """SELECT of what came of it, by lost reason and product. What takes something off the whole
        order is of no product, so that all adds up to the orders."""
        credits_ = self.env["nurture.credit"]._search(self._unlocked_domain())
        return SQL(
            """
            SELECT 3 * MIN(sol.id) + 2 AS id, credit.lost_reason_id,
                   CASE WHEN sol.price_subtotal >= 0 THEN sol.product_id END AS product_id,
                   COUNT(DISTINCT so.id) AS unlocked_count,
                   string_agg(so.id::text, %(between)s) AS orders,
                   SUM(ROUND((sol.price_subtotal / COALESCE(NULLIF(so.currency_rate, 0), 1)
                              * %(rate)s)::numeric, %(digits)s)) AS unlocked_value
              FROM nurture_credit credit
              JOIN sale_order so ON so.id = credit.order_id
              JOIN sale_order_line sol ON sol.order_id = so.id AND sol.display_type IS NULL
             WHERE credit.id IN %(credits)s
          GROUP BY 2, 3
            """,
            rate=self.env["res.company"]._nurture_sql_rate(SQL("so.company_id")),
            digits=self.env.company.currency_id.decimal_places,
            credits=credits_.subselect(),
            between=_BETWEEN,
        )

    # ------------------------------------------------------------
    # ACTIONS
    # ------------------------------------------------------------

    def _sql_leads(self, unaddressed):
        """SELECT of the ids of the leads of these rows.

        :param unaddressed: whether of those only whom no running sequence is about
        """
        keys = {(row.lost_reason_id.id or 0, row.product_id.id or 0) for row in self}
        return SQL(
            "SELECT lead_id FROM (%s) item"
            " WHERE (COALESCE(lost_reason_id, 0), COALESCE(product_id, 0)) IN %s AND %s",
            self._sql_items(),
            tuple(keys) or ((-1, -1),),
            SQL("NOT addressed") if unaddressed else SQL("true"),
        )

    def action_view_leads(self):
        """Open the lost leads of a line."""
        check_records(self, one=True)
        return self._open_leads(self.env._("Lost Leads"), "nurture_locked_id")

    def action_view_unaddressed(self):
        """Open those of a line whom no running sequence is about."""
        check_records(self, one=True)
        return self._open_leads(self.env._("Leads in No Sequence"), "nurture_unaddressed_id")

    def _open_leads(self, name, field):
        return self.env["nurture.sequence"]._open_list("crm.lead", name, [(field, "=", self.id)])

    def action_view_unlocked(self):
        """Open the orders that sequences have unlocked of a line, as far as they are the user's to
        see."""
        check_records(self, one=True)
        # it tells how many there are, which not everybody may know
        self.check_access("read")
        credits_ = self.env["nurture.credit"].search(
            self._unlocked_domain() & Domain("lost_reason_id", "=", self.lost_reason_id.id)
        )
        orders = credits_.sudo().order_id.filtered(
            lambda order: any(
                (line.product_id if line.price_subtotal >= 0 else line.product_id.browse())
                == self.product_id
                for line in order.order_line
                if not line.display_type
            )
        )
        return self.env["nurture.sequence"]._open_documents(self.env._("Deals Unlocked"), orders)

    def action_new_sequence(self):
        """Open the gallery of templates, for the leads of a line: those lost for its reason, and of
        them, where there is a product and the user may see quotations, who did not order it.

        :raise UserError: when it is the line of leads without a reason
        """
        check_records(self, one=True)
        self.env["nurture.sequence"].check_access("create")
        if not self.lost_reason_id:
            raise UserError(
                self.env._("These leads have no lost reason. Choose them by a preset of your own.")
            )
        names = filter(None, [self.lost_reason_id.name, self.product_id.display_name])
        context = {"default_name": ", ".join(names)}
        if self.product_id and self.env["sale.order.line"].has_access("read"):
            preset = self.env["nurture.preset"]._of_product(self.lost_reason_id, self.product_id)
            context["default_preset_id"] = preset.id
        else:
            context["default_lost_reason_ids"] = self.lost_reason_id.ids
        return self.env["nurture.sequence"]._open_gallery(context)
