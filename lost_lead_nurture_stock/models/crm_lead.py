import json
from collections import defaultdict

from markupsafe import Markup

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL, formatLang

from odoo.addons.lost_lead_nurture.models.credit.sale_order import NOT_ORDERED
from odoo.addons.lost_lead_nurture.models.lead.lead import STATUS_GROUPS

from ..tools.allocation import is_there

#: By these a lead is lost.
LOSING = {"active", "probability", "stage_id"}


class CrmLead(models.Model):
    """What a lost lead waits for, what was missing when it was lost, and what there is now."""

    _inherit = "crm.lead"

    nurture_product_ids = fields.Many2many(
        "product.product",
        "crm_lead_nurture_product_rel",
        "lead_id",
        "product_id",
        string="Waits For",
        domain="[('is_storable', '=', True)]",
        context={"active_test": False},
        groups=STATUS_GROUPS,
        help="Products that the lead would buy, one of each, where no quotation says what it "
        "wanted, and how many.",
    )
    nurture_missing = fields.Json(
        readonly=True,
        copy=False,
        groups=STATUS_GROUPS,
        help="What the lead wanted when it was lost, and what there was of it.",
    )
    nurture_stock = fields.Html(
        compute="_compute_nurture_stock",
        string="Stock",
        groups=STATUS_GROUPS,
        help="What the lead waits for, how much there was when it was lost, and how much there is.",
    )

    nurture_waits_for = fields.Char(
        compute="_compute_nurture_waits_for",
        groups=STATUS_GROUPS,
        help="The names of the products that the lead waits for, for mails.",
    )

    def write(self, vals):
        if not LOSING & vals.keys():
            return super().write(vals)
        before = self.filtered(lambda lead: lead.won_status == "lost")
        result = super().write(vals)
        (self - before).filtered(lambda lead: lead.won_status == "lost")._nurture_note_missing()
        return result

    def _has_field_access(self, field, operation):
        # it is noted, not written
        if operation == "write" and field.name == "nurture_missing" and not self.env.su:
            return False
        return super()._has_field_access(field, operation)

    # ------------------------------------------------------------
    # WHAT IT WAITS FOR
    # ------------------------------------------------------------

    def _nurture_get_wanted(self, sequence=None):
        """What these leads wait for: what can be too few of on their last quotation that was not
        ordered, else the products named on them, else those of the sequence's preset.

        :return: ``{lead id: {(product id, warehouse id): quantity}}``, in the product's own unit;
            leads of which nobody knows are not in it
        """
        # whoever asks need not see the quotations: the engine decides by them
        leads = self.sudo().with_context(active_test=False)
        wanted = leads._nurture_get_quoted()
        others = leads.filtered(lambda lead: lead.id not in wanted)
        preset = sequence.sudo().preset_id if sequence else self.env["nurture.preset"]
        named = {lead: lead.nurture_product_ids or preset.product_ids for lead in others}
        named = {lead: products for lead, products in named.items() if products}
        if named:
            home = sequence._get_home() if sequence else self.env.company
            companies = {lead: lead.company_id or home for lead in named}
            warehouses = self._nurture_get_warehouses({one.id for one in companies.values()})
            for lead, products in named.items():
                # a company without a warehouse delivers nothing
                warehouse_id = warehouses.get(companies[lead].id, 0)
                wanted[lead.id] = dict.fromkeys([(one, warehouse_id) for one in products.ids], 1.0)
        return wanted

    def _nurture_get_quoted(self):
        """What the last quotation of each lead asks for, see :meth:`_nurture_get_wanted`."""
        if not self:
            return {}
        products = self._nurture_get_products()
        asked = self._nurture_sql_asked(products._nurture_get_kept_in_stock())
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT quotation.lead_id, line.product_id, quotation.warehouse_id,
                       line.product_uom_id, sum(line.product_uom_qty)
                  FROM (%(quotation)s) quotation
                  JOIN sale_order_line line ON line.order_id = quotation.id AND %(asked)s
              GROUP BY quotation.lead_id, line.product_id, quotation.warehouse_id,
                       line.product_uom_id
                """,
                quotation=self._nurture_sql_last_quotation(
                    SQL("so.opportunity_id = ANY(%s)", self.ids)
                ),
                asked=asked,
            )
        )
        units = self.env["uom.uom"].sudo()
        wanted = defaultdict(lambda: defaultdict(float))
        for lead_id, product_id, warehouse_id, unit_id, quantity in rows:
            own = products.browse(product_id).uom_id
            if unit_id and unit_id != own.id:
                quantity = units.browse(unit_id)._compute_quantity(quantity, own)
            wanted[lead_id][product_id, warehouse_id] += quantity
        return {lead_id: dict(quantities) for lead_id, quantities in wanted.items()}

    @api.model
    def _nurture_get_products(self):
        """No products, in an environment in which all companies that deliver have theirs: each has
        kits of its own."""
        warehouses = self.env["stock.warehouse"].sudo()
        companies = warehouses.search([("active", "=", True)]).company_id
        products = self.env["product.product"].sudo()
        return products.with_context(active_test=False, allowed_company_ids=companies.ids)

    @api.model
    def _nurture_sql_asked(self, domain):
        """Whether a quotation asks for a product in ``domain`` by the alias ``line``."""
        return SQL(
            "line.display_type IS NULL AND line.product_uom_qty > 0 AND line.product_id IN %s",
            self._nurture_get_products()._search(domain).subselect(),
        )

    @api.model
    def _nurture_sql_last_quotation(self, condition):
        """SELECT of the last quotation of each lead that was not ordered and asks for something of
        which there can be too few: ``lead_id``, ``id``, ``warehouse_id``.

        :param condition: SQL of whose quotations, on the alias ``so``
        """
        kept_in_stock = self.env["product.product"]._nurture_get_kept_in_stock()
        return SQL(
            """
            SELECT DISTINCT ON (so.opportunity_id)
                   so.opportunity_id AS lead_id, so.id, so.warehouse_id
              FROM sale_order so
             WHERE %(condition)s
               AND so.state IN %(not_ordered)s
               AND so.warehouse_id IS NOT NULL
               AND EXISTS (SELECT 1 FROM sale_order_line line
                            WHERE line.order_id = so.id AND %(asked)s)
          ORDER BY so.opportunity_id, so.date_order DESC, so.id DESC
            """,
            condition=condition,
            not_ordered=NOT_ORDERED,
            asked=self._nurture_sql_asked(kept_in_stock),
        )

    @api.depends("nurture_product_ids")
    @api.depends_context("lang")
    def _compute_nurture_waits_for(self):
        wanted = self._nurture_get_wanted()
        # the recipient knows them: they were on the quotation
        products = self.env["product.product"].sudo()
        for lead in self:
            ids = dict.fromkeys(key[0] for key in wanted.get(lead._origin.id, {}))
            names = products.browse(ids).mapped("name")
            lead.nurture_waits_for = ", ".join(names) or False

    @api.model
    def mail_allowed_qweb_expressions(self):
        return (*super().mail_allowed_qweb_expressions(), "object.nurture_waits_for")

    @api.model
    def _nurture_get_warehouses(self, company_ids):
        """``{company id: id of its first warehouse}``"""
        warehouses = self.env["stock.warehouse"].sudo()
        found = warehouses.search([("company_id", "in", list(company_ids))])
        return {warehouse.company_id.id: warehouse.id for warehouse in reversed(found)}

    # ------------------------------------------------------------
    # WHAT WAS MISSING
    # ------------------------------------------------------------

    def _nurture_note_missing(self):
        """Note what these leads, which have just been lost, wanted, and what there was of it."""
        if not self:
            return
        wanted = self._nurture_get_wanted()
        keys = {key for quantities in wanted.values() for key in quantities}
        stock = self.env["product.product"]._nurture_read_stock(keys)
        noted = {
            lead.id: [
                {
                    "product": product_id,
                    "warehouse": warehouse_id,
                    "wanted": quantity,
                    **stock.get((product_id, warehouse_id), {"free": 0.0, "forecast": 0.0}),
                }
                for (product_id, warehouse_id), quantity in wanted[lead.id].items()
            ]
            if lead.id in wanted
            else None
            for lead in self
        }
        # in one go, and without all that core does when somebody writes a lead
        self.env.cr.execute(
            SQL(
                "UPDATE crm_lead SET nurture_missing = noted.value"
                " FROM (VALUES %s) noted (id, value) WHERE crm_lead.id = noted.id"
                " AND crm_lead.nurture_missing IS DISTINCT FROM noted.value",
                SQL(", ").join(
                    SQL("(%s, %s::jsonb)", id_, value and json.dumps(value))
                    for id_, value in noted.items()
                ),
            )
        )
        self.invalidate_recordset(["nurture_missing"], flush=False)

    # ------------------------------------------------------------
    # WHAT THERE WAS
    # ------------------------------------------------------------

    @api.model
    def _nurture_sql_is_kit(self):
        """Whether a quotation asks for a kit by the alias ``line``."""
        if "is_kits" not in self.env["product.product"]._fields:
            return SQL("false")
        return self._nurture_sql_asked(Domain("is_kits", "=", True))

    @api.model
    def _nurture_sql_wanted(self, condition):
        """SELECT of what quotations ask for of what is kept in stock, and of what was moved of it
        until then: ``product_id`` and ``quantity``, in the product's own unit.

        :param condition: SQL of which lines, on the alias ``line``
        """
        return SQL(
            """
            SELECT line.product_id,
                   sum(line.product_uom_qty * asked.factor / own.factor) AS quantity
              FROM sale_order_line line
              JOIN product_product product ON product.id = line.product_id
              JOIN product_template template ON template.id = product.product_tmpl_id
              JOIN uom_uom own ON own.id = template.uom_id
              JOIN uom_uom asked ON asked.id = COALESCE(line.product_uom_id, template.uom_id)
             WHERE %s AND %s
          GROUP BY line.product_id
            """,
            condition,
            self._nurture_sql_asked(Domain("is_storable", "=", True)),
        )

    @api.model
    def _nurture_sql_stock_at(self, product, warehouse, date):
        """How many of a product were in a warehouse at a moment, in the product's own unit: what
        had come into it until then, less what had left it.

        :param product: SQL of its id, as that of the warehouse
        :param date: SQL of the moment
        """
        return SQL(
            """
            (SELECT COALESCE(sum(CASE WHEN goal.is_inside THEN 1 ELSE -1 END
                                 * move.quantity * unit.factor / own.factor), 0)
               FROM stock_warehouse warehouse
               JOIN stock_location home ON home.id = warehouse.view_location_id
               JOIN stock_move move ON move.product_id = %(product)s
                AND move.state = 'done' AND move.date <= %(date)s
               JOIN uom_uom unit ON unit.id = move.product_uom
               JOIN product_product product ON product.id = move.product_id
               JOIN product_template template ON template.id = product.product_tmpl_id
               JOIN uom_uom own ON own.id = template.uom_id
               JOIN stock_location source ON source.id = move.location_id
               JOIN stock_location target ON target.id = move.location_dest_id
         CROSS JOIN LATERAL (SELECT target.parent_path LIKE home.parent_path || '%%' AS is_inside,
                                    source.parent_path LIKE home.parent_path || '%%' AS was_inside
                            ) goal
              WHERE warehouse.id = %(warehouse)s AND goal.is_inside != goal.was_inside)
            """,
            product=product,
            warehouse=warehouse,
            date=date,
        )

    def _nurture_get_stock_when_lost(self):
        """What these leads wanted when they were lost, and how much there was of it: what was free,
        where that was noted, else what was in the warehouse.

        :return: ``{lead id: list of (product id, how many there were, how many were wanted)}``
        """
        found = {
            lead.id: [(line["product"], line["free"], line["wanted"]) for line in missing]
            for lead in self
            if (missing := lead.nurture_missing)
        }
        others = [lead.id for lead in self if lead.id not in found]
        if not others:
            return found
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                "SELECT lead.id, wanted.product_id, %s, wanted.quantity FROM crm_lead lead"
                " CROSS JOIN LATERAL (%s) quotation CROSS JOIN LATERAL (%s) wanted"
                " WHERE lead.id IN %s ORDER BY 1, 2",
                self._nurture_sql_stock_at(
                    SQL("wanted.product_id"), SQL("quotation.warehouse_id"), SQL("lead.date_closed")
                ),
                self._nurture_sql_last_quotation(SQL("so.opportunity_id = lead.id")),
                self._nurture_sql_wanted(SQL("line.order_id = quotation.id")),
                tuple(others),
            )
        )
        for lead_id, product_id, had, wanted in rows:
            found.setdefault(lead_id, []).append((product_id, float(had), float(wanted)))
        return found

    @api.depends("won_status", "nurture_missing", "nurture_product_ids")
    @api.depends_context("lang", "allowed_company_ids", "uid")
    def _compute_nurture_stock(self):
        lost = self.filtered(lambda lead: lead.won_status == "lost")
        (self - lost).nurture_stock = False
        wanted = lost._nurture_get_wanted()
        keys = {key for quantities in wanted.values() for key in quantities}
        stock = self.env["product.product"]._nurture_read_stock(keys)
        for lead in lost:
            lead.nurture_stock = lead._nurture_render_stock(wanted.get(lead._origin.id), stock)

    def _nurture_render_stock(self, wanted, stock):
        """A line for each product of the lead that the user may see.

        :param wanted: ``{key: quantity}``, or None
        :param stock: see :meth:`product.product._nurture_read_stock`
        """
        before = {
            (line["product"], line["warehouse"]): line for line in self.sudo().nurture_missing or []
        }
        lines = [
            self._nurture_render_product(key, quantity, before.get(key), stock.get(key))
            for key, quantity in (wanted or {}).items()
        ]
        lines = [line for line in lines if line]
        if not lines:
            return False
        free = {key: amounts["free"] for key, amounts in stock.items()}
        if is_there(free, wanted):
            summary = self.env._("All of it can be delivered now.")
        else:
            summary = self.env._("It cannot be delivered yet.")
        heads = (
            self.env._("Product"),
            self.env._("Wanted"),
            self.env._("Free When Lost"),
            self.env._("Free Now"),
            self.env._("Forecast"),
        )
        head = Markup().join(Markup("<th>%s</th>") % text for text in heads)
        return Markup(
            "<p>%s</p><table class='table table-sm'><thead><tr>%s</tr></thead>"
            "<tbody>%s</tbody></table>"
        ) % (summary, head, Markup().join(lines))

    def _nurture_render_product(self, key, quantity, before, now):
        product = self.env["product.product"].browse(key[0]).exists()
        if not (product and product.has_access("read")):
            return ""
        now = now or {"free": 0.0, "forecast": 0.0}
        name = product.display_name
        if not product.active:
            name = self.env._("%s (archived: it cannot be sold)", name)
        is_short = now["free"] < quantity
        cells = (
            name,
            self._nurture_say_quantity(quantity, product),
            self._nurture_say_quantity(before["free"], product) if before else "",
            Markup("<span class='%s'>%s</span>")
            % (
                "text-danger" if is_short else "text-success",
                self._nurture_say_quantity(now["free"], product),
            ),
            self._nurture_say_quantity(now["forecast"], product),
        )
        return Markup("<tr>%s</tr>") % Markup().join(Markup("<td>%s</td>") % one for one in cells)

    @api.model
    def _nurture_say_quantity(self, quantity, product):
        """A quantity with its unit, in the user's language."""
        digits = 0 if float(quantity).is_integer() else 2
        number = formatLang(self.env, quantity, digits=digits)
        return f"{number} {product.sudo().uom_id.name}"
