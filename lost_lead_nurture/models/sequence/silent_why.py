from collections import defaultdict

from odoo import models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ...tools.arguments import check_records, read_id
from .entry import OF_CHOICE


class NurtureSequence(models.Model):
    """Why a customer who is no lead yet would enter a sequence, or would not."""

    _inherit = "nurture.sequence"

    def explain_customer(self, partner_id):
        """Why a customer who is no lead yet would become one and enter this sequence, or would not.

        :param partner_id: id of a ``res.partner`` that the user may read; of a contact it is the
            company that is the customer
        :return: ``{"enters", "conditions", "lead_ids"}``: as :meth:`explain`, and the leads that
            the customer has become since its last order, about which :meth:`explain` tells
        :raise UserError: when there is no such contact, or the sequence is for no customers
        :raise AccessError: for who may not read the sequence, the contact, or orders
        """
        check_records(self, one=True)
        self.check_access("read")
        partner = self.env["res.partner"].browse(read_id(self.env, partner_id)).exists()
        if not partner:
            raise UserError(self.env._("There is no such contact."))
        partner.check_access("read")
        self.env["sale.order"].check_access("read")
        if not self._get_customer_presets():
            raise UserError(
                self.env._("“%s” is for no silent customers: ask about a lead.", self.name)
            )
        customer = partner.commercial_partner_id
        leads = self._find_leads_of(customer)
        conditions = [
            *self._explain_silence(customer, leads),
            *self._explain_entry_of(customer),
        ]
        return {
            "enters": all(condition["ok"] for condition in conditions),
            "conditions": conditions,
            "lead_ids": leads.ids,
        }

    def _find_leads_of(self, customer):
        """The leads that a customer has become since its last order, as far as the user may see
        them."""
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                "SELECT found.lead_id FROM (SELECT silence.lead_id, silence.partner_id,"
                " silence.company_id, silence.since FROM nurture_silence silence"
                " WHERE silence.partner_id = %s AND silence.company_id IN %s"
                " AND silence.lead_id IS NOT NULL) found WHERE %s ORDER BY found.since",
                customer.id,
                tuple(self._get_companies().ids) or (0,),
                self.env["nurture.preset"]._sql_nothing_newer(),
            )
        )
        leads = self.env["crm.lead"].with_context(active_test=False)
        return leads.browse(id_ for (id_,) in rows).exists()._filtered_access("read")

    def _explain_silence(self, customer, leads):
        """The conditions on which a customer becomes a lead, as :meth:`_explain_entry` has them.

        :param leads: those that it has become already
        """
        labels = self._get_condition_labels()
        companies = self._get_companies()
        users = self.env["crm.lead"]._nurture_get_finders(
            [self.sudo().domain_author_id], companies, self._get_viewer()
        )
        failing = {
            preset: preset._explain_customer(customer, users, companies)
            for preset in self._get_customer_presets()
        }
        is_found = not all(failing.values())
        rules = [
            self.env._("Not in “%(preset)s”: %(rule)s", preset=preset.name, rule=rule)
            for preset, texts in failing.items()
            for rule in texts
        ]
        names = [
            self.env._("It is the lead “%s”: ask about that.", lead.display_name) for lead in leads
        ]
        conditions = [
            ("running", labels["running"], self.state == "running", []),
            ("automatic", labels["automatic"], self.entry != "manual", []),
            (
                "silent_customer",
                self.env._("A preset of the sequence finds this customer"),
                is_found,
                [] if is_found else rules,
            ),
            (
                "noticed",
                self.env._("It has not become a lead since its last order"),
                not leads,
                names,
            ),
        ]
        return [
            {
                "reason": reason,
                "label": label,
                "ok": ok,
                "parts": [{"domain": False, "text": text} for text in texts],
            }
            for reason, label, ok, texts in conditions
        ]

    def _explain_entry_of(self, customer):
        """The conditions of entry for the lead that a customer would be."""
        labels = self._get_condition_labels()
        exclusions = defaultdict(list)
        for reason, condition in self.env["crm.lead"].sudo()._nurture_exclusions(self):
            if reason not in OF_CHOICE:
                exclusions[reason].append(condition)
        company = self._get_companies()[:1]
        row = self.env.execute_query(
            SQL(
                "SELECT %s FROM %s",
                SQL(", ").join(
                    SQL("NOT (%s)", SQL(" OR ").join(SQL("(%s)", one) for one in exclusion))
                    for exclusion in exclusions.values()
                ),
                self._sql_leads_of(
                    SQL("SELECT %s AS partner_id, %s AS company_id", customer.id, company.id)
                ),
            )
        )[0]
        return [
            {"reason": reason, "label": labels[reason], "ok": ok, "parts": []}
            for reason, ok in zip(exclusions, row, strict=True)
        ]
