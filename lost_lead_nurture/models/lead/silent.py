from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import SQL

from ..sequence.sequence import MANY_LEADS
from .lead import MAX_DAYS
from .preset import CUSTOMER_FIELDS

#: What an order comes to, in the currency of its company.
AMOUNT = SQL("(sale_order.amount_total / COALESCE(NULLIF(sale_order.currency_rate, 0), 1))")


def _join(conditions):
    """Conditions as a list."""
    return SQL(", ").join(SQL("(%s)", condition) for condition in conditions)


class NurturePreset(models.Model):
    """Presets of customers who order no more. A customer is a company or a person with confirmed
    orders, its contacts' among them, and an address."""

    _inherit = "nurture.preset"

    silent_days = fields.Integer(
        string="Last Order at Least (days ago)",
        default=90,
        help="Confirmed orders count, of each company apart.",
    )
    order_count_min = fields.Integer(string="Orders from", default=1)
    order_count_max = fields.Integer(string="Orders up to", default=0, help="0: any number.")
    amount_average_min = fields.Float(
        string="Average Order from",
        help="With taxes, in the currency of the company that sold, at the rate of each order. "
        "0: any.",
    )
    amount_total_min = fields.Float(
        string="All Orders from", help="What they come to together. 0: any."
    )
    amount_total_max = fields.Float(
        string="All Orders up to", help="What they come to together. 0: any."
    )
    bought_product_ids = fields.Many2many(
        "product.product",
        "nurture_preset_bought_product_rel",
        string="Bought",
        help="One of these products at least, or one of these categories. Empty: whatever.",
    )
    bought_category_ids = fields.Many2many(
        "product.category",
        "nurture_preset_bought_category_rel",
        string="Bought of Category",
    )
    never_bought_product_ids = fields.Many2many(
        "product.product",
        "nurture_preset_never_bought_product_rel",
        string="Never Bought",
        help="None of these products, and nothing of these categories.",
    )
    never_bought_category_ids = fields.Many2many(
        "product.category",
        "nurture_preset_never_bought_category_rel",
        string="Never Bought of Category",
    )
    quiet_days = fields.Integer(
        string="No Mail of a Sequence for (days)",
        default=7,
        help="Whoever got a mail of any sequence since is not chosen yet. 0: does not matter.",
    )

    @api.constrains("kind", *CUSTOMER_FIELDS)
    def _check_customers(self):
        orders = self.env["sale.order"].with_user(self.env.user)
        for preset in self.filtered(lambda preset: preset.kind == "customers"):
            if not orders.has_access("read"):
                raise ValidationError(
                    self.env._("You may not see orders: you cannot choose customers by them.")
                )
            if not (1 <= preset.silent_days <= MAX_DAYS and 0 <= preset.quiet_days <= MAX_DAYS):
                raise ValidationError(
                    self.env._(
                        "Preset “%s”: a customer is silent after a day at least, and days are "
                        "not negative.",
                        preset.name,
                    )
                )
            for least, most in (
                (preset.order_count_min, preset.order_count_max),
                (preset.amount_total_min, preset.amount_total_max),
                (preset.amount_average_min, 0),
            ):
                if not (least >= 0 and (most == 0 or most >= least)):
                    raise ValidationError(
                        self.env._(
                            "Preset “%s”: no customer can be between these numbers. They are not "
                            "negative, and the second one is not smaller than the first.",
                            preset.name,
                        )
                    )

    def _get_customer_domain(self):
        """The leads that were made of the customers, as a list: who is one changes with each
        order."""
        return self.env["crm.lead"]._nurture_lost_domain() + [
            ("is_blacklisted", "=", False),
            ("nurture_silent_preset_ids", "in", self._origin.ids),
        ]

    def _open_customers(self):
        """Open the customers who are silent right now, as far as the user may see them and their
        orders."""
        self.check_access("read")
        rows = self.env.execute_query(self._select_seen(self.env.companies))
        return self.env["nurture.sequence"]._open_list(
            "res.partner", self.name, [("id", "in", sorted({row[0] for row in rows}))]
        )

    def _count_customers(self, companies=None):
        """How many customers are silent right now that the user may see; of very many, 10,000.

        :param companies: those whose orders count; without it those that the user has chosen
        """
        try:
            with self.env.cr.savepoint(flush=False):
                seen = self._select_seen(companies or self.env.companies)
                query = SQL("SELECT count(DISTINCT partner_id) FROM (%s) seen", seen)
                return self.env.execute_query(query)[0][0]
        except (AccessError, UserError):
            return 0

    def _select_seen(self, companies):
        """SQL that selects the customers whom the user may see, see :meth:`_select_customers`."""
        users = [] if self.env.su else [self.env.user]
        return SQL("%s LIMIT %s", self._select_customers(users, companies), MANY_LEADS)

    # ------------------------------------------------------------
    # WHO IS SILENT
    # ------------------------------------------------------------

    def _select_customers(self, users, companies):
        """SQL that selects the customers who are silent now.

        :param users: list of ``res.users`` of whom each has to be allowed to see the customers, and
            the orders by which they are chosen; empty: with all rights
        :param companies: the ``res.company`` whose orders count, each apart; those that are not the
            preset's do not
        :return: SQL of the columns ``partner_id``, ``company_id`` and ``since``, the date of the
            last order
        :raise LostRights: when one of ``users`` may not see orders or customers at all
        """
        self.ensure_one()
        own = self.sudo()
        orders, customers = own._find_orders(users, companies)
        conditions = own._get_conditions(orders, users)
        return SQL(
            """
            SELECT found.partner_id, found.company_id, found.since
              FROM (SELECT buyer.commercial_partner_id AS partner_id, sale_order.company_id,
                           MAX(sale_order.date_order) AS since
                      FROM %(orders)s
                      JOIN res_partner buyer ON buyer.id = sale_order.partner_id
                     WHERE %(confirmed)s
                  GROUP BY buyer.commercial_partner_id, sale_order.company_id
                    HAVING %(having)s) found
              JOIN res_partner customer ON customer.id = found.partner_id
             WHERE found.partner_id IN %(customers)s AND %(conditions)s
            """,
            orders=orders.from_clause,
            confirmed=orders.where_clause or SQL("true"),
            having=SQL(" AND ").join(one for _words, one in own._get_having()),
            customers=customers.subselect(),
            conditions=SQL(" AND ").join(one for _words, one in conditions),
        )

    def _find_orders(self, users, companies):
        """The orders that count and the customers who may be found, as queries."""
        companies = companies & self.company_id if self.company_id else companies
        self.env.flush_all()
        orders = self._find_as(
            "sale.order",
            [("state", "=", "sale"), ("company_id", "in", companies.ids)],
            users,
            companies,
        )
        customers = self._find_as("res.partner", [("active", "=", True)], users, companies)
        return orders, customers

    def _get_conditions(self, orders, users):
        """What a customer has to meet beside its orders as a whole: list of (words, condition)."""
        conditions = [*self._get_bought_conditions(orders), *self._get_contact_conditions()]
        if users:
            newer = self.env._("There is no newer order that not everybody concerned may see")
            conditions.append((newer, self._sql_nothing_newer()))
        return conditions

    def _explain_customer(self, partner, users, companies):
        """What of the preset does not hold for a customer.

        :param partner: the customer
        :return: texts, the fewest there are of one company; none where the preset finds it
        :raise LostRights: see :meth:`_select_customers`
        """
        self.ensure_one()
        own = self.sudo()
        orders, customers = own._find_orders(users, companies)
        having = own._get_having()
        conditions = own._get_conditions(orders, users)
        seen = SQL("found.partner_id IN %s", customers.subselect())
        conditions.append((self.env._("It is an active contact that may be seen"), seen))
        rows = self.env.execute_query(
            SQL(
                """
                SELECT %(results)s
                  FROM (SELECT buyer.commercial_partner_id AS partner_id, sale_order.company_id,
                               MAX(sale_order.date_order) AS since, ARRAY[%(having)s] AS meets
                          FROM %(orders)s
                          JOIN res_partner buyer ON buyer.id = sale_order.partner_id
                         WHERE %(confirmed)s AND buyer.commercial_partner_id = %(partner)s
                      GROUP BY buyer.commercial_partner_id, sale_order.company_id) found
                  JOIN res_partner customer ON customer.id = found.partner_id
                """,
                results=SQL("found.meets || ARRAY[%s]", _join([one for _words, one in conditions])),
                having=_join([one for _words, one in having]),
                orders=orders.from_clause,
                confirmed=orders.where_clause or SQL("true"),
                partner=partner.id,
            )
        )
        if not rows:
            return [self.env._("It has a confirmed order that counts")]
        words = [text for text, _condition in (*having, *conditions)]
        failing = [
            [text for text, ok in zip(words, results, strict=True) if not ok] for (results,) in rows
        ]
        return min(failing, key=len)

    @api.model
    def _find_as(self, model, domain, users, companies):
        """What each of ``users`` finds by a domain, as a query."""
        leads = self.env["crm.lead"]
        finders = [(user, leads._nurture_as(user, companies).env[model]) for user in users]
        if not finders:
            finders = [(None, self.env[model].sudo().with_context(active_test=False))]
        query = None
        for user, records in finders:
            try:
                found = records._search(domain)
            except AccessError as error:
                raise leads._nurture_not_for(user) from error
            if query is None:
                query = found
            else:
                query.add_where(
                    SQL("%s IN %s", SQL.identifier(query.table, "id"), found.subselect())
                )
        return query

    def _get_having(self):
        """What the orders of a customer have to be: list of (words, SQL condition on their
        group)."""
        translate = self.env._
        before = fields.Datetime.now() - timedelta(days=self.silent_days)
        having = [
            (
                translate("The last order is %s days old or more", self.silent_days),
                SQL("MAX(sale_order.date_order) <= %s", before),
            )
        ]
        for value, words, condition in (
            (
                self.order_count_min,
                translate("There are %s orders or more", self.order_count_min),
                SQL("COUNT(*) >= %s", self.order_count_min),
            ),
            (
                self.order_count_max,
                translate("There are no more than %s orders", self.order_count_max),
                SQL("COUNT(*) <= %s", self.order_count_max),
            ),
            (
                self.amount_average_min,
                translate("The average order is %s or more", self.amount_average_min),
                SQL("AVG(%s) >= %s", AMOUNT, self.amount_average_min),
            ),
            (
                self.amount_total_min,
                translate("All orders come to %s or more", self.amount_total_min),
                SQL("SUM(%s) >= %s", AMOUNT, self.amount_total_min),
            ),
            (
                self.amount_total_max,
                translate("All orders come to no more than %s", self.amount_total_max),
                SQL("SUM(%s) <= %s", AMOUNT, self.amount_total_max),
            ),
        ):
            if value:
                having.append((words, condition))
        return having

    def _get_contact_conditions(self):
        """Who can be written to, and was not just now: list of (words, SQL condition on the
        customer)."""
        has_address = self.env._("It has an email address")
        conditions = [(has_address, SQL("customer.email_normalized IS NOT NULL"))]
        if self.quiet_days:
            quiet = SQL(
                "NOT EXISTS (SELECT 1 FROM mailing_trace mail"
                " WHERE mail.email = customer.email_normalized"
                " AND mail.nurture_trace_id IS NOT NULL AND mail.trace_type = 'mail'"
                " AND (mail.sent_datetime >= %s OR mail.sent_datetime IS NULL"
                # what is in the queue is about to leave
                " AND EXISTS (SELECT 1 FROM mail_mail queued"
                " WHERE queued.id = mail.mail_mail_id AND queued.state = 'outgoing')))",
                fields.Datetime.now() - timedelta(days=self.quiet_days),
            )
            words = self.env._("It has got no mail of a sequence for %s days", self.quiet_days)
            conditions.append((words, quiet))
        return conditions

    def _get_bought_conditions(self, orders):
        """What has to have been bought and what not: list of (words, SQL condition on ``found``).

        :param orders: query of the orders that count
        """
        conditions = []
        for products, categories, negation, words in (
            (
                *(self.bought_product_ids, self.bought_category_ids, SQL()),
                self.env._("It has bought what the preset names"),
            ),
            (
                *(self.never_bought_product_ids, self.never_bought_category_ids, SQL("NOT")),
                self.env._("It has bought nothing of what the preset names as never bought"),
            ),
        ):
            if not products and not categories:
                continue
            any_product = self.env["product.product"].sudo().with_context(active_test=False)
            wanted = any_product._search(
                ["|", ("id", "in", products.ids), ("categ_id", "child_of", categories.ids)]
            )
            bought = SQL(
                "%(negation)s EXISTS (SELECT 1 FROM sale_order_line line"
                " JOIN sale_order bought ON bought.id = line.order_id"
                " JOIN res_partner buyer ON buyer.id = bought.partner_id"
                " WHERE buyer.commercial_partner_id = found.partner_id"
                " AND bought.company_id = found.company_id"
                " AND line.product_id IN %(products)s AND bought.id IN %(orders)s)",
                negation=negation,
                products=wanted.subselect(),
                orders=orders.subselect(),
            )
            conditions.append((words, bought))
        return conditions

    @api.model
    def _sql_nothing_newer(self):
        """That there is no newer order which not everybody may see: such a customer is not
        silent."""
        return SQL(
            "NOT EXISTS (SELECT 1 FROM sale_order newer"
            " JOIN res_partner buyer ON buyer.id = newer.partner_id"
            " WHERE buyer.commercial_partner_id = found.partner_id"
            " AND newer.company_id = found.company_id AND newer.state = 'sale'"
            " AND newer.date_order > found.since)"
        )
