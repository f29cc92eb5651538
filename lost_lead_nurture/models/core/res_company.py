from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, email_normalize

from ...tools.attribution import WINDOW_DAYS
from ...tools.consent import ALLOWING
from ...tools.prices import PRICE_DIGITS
from ..step.step import MAX_DELAY


class ResCompany(models.Model):
    _inherit = "res.company"

    nurture_cap_number = fields.Integer(
        string="Marketing Messages per Address",
        default=2,
        help="Sequences send an address no more marketing mails and SMS than this in the days "
        "beside it, those of other mailings included. 0: no limit.",
    )
    nurture_cap_days = fields.Integer(string="Days of the Frequency Cap", default=7)
    nurture_window_days = fields.Integer(
        string="Attribution Window of Mailings",
        default=WINDOW_DAYS,
        help="For so many days after a click or a reply, what comes of the lead is credited to the "
        "mailing. Sequences have a window of their own.",
    )
    nurture_mail_cost = fields.Float(
        string="Cost per Marketing Mail",
        digits=PRICE_DIGITS,
        help="What new sequences count for each mail that leaves, in the currency of the company.",
    )
    nurture_holdout_percent = fields.Float(
        string="Global Holdout (%)",
        help="Share of the addresses that no sequence writes to, to compare with: what all "
        "sequences together cause. Who is held out is drawn by a hash of the address, once and for "
        "all. 0: nobody.",
    )

    nurture_feedback_address = fields.Char(
        string="Address for Complaints",
        help="Mails of sequences ask mail providers to report complaints there (CFBL-Address, "
        "RFC 9477). It has to be of the sender's domain, and to arrive at Odoo. Empty: they are "
        "not asked.",
    )

    nurture_basis_consent = fields.Boolean(
        string="Consent, not confirmed",
        help="Sequences write to whoever has agreed, and has not confirmed it.",
    )
    nurture_basis_confirmed = fields.Boolean(
        string="Consent, confirmed",
        help="Sequences write to whoever has confirmed a consent (double opt-in).",
    )
    nurture_basis_customer = fields.Boolean(
        string="Existing customer",
        help="Sequences write to customers about products like those they have bought.",
    )
    nurture_basis_interest = fields.Boolean(
        string="Legitimate interest",
        help="Sequences write to whom you have a legitimate interest to write to.",
    )
    nurture_retention_months = fields.Integer(
        string="Months That Ended Journeys Are Kept",
        help="So long after the end of a journey name and address are erased from it and from the "
        "statistics of its mails. 0: never.",
    )

    def write(self, vals):
        result = super().write(vals)
        if self._nurture_get_basis_fields() & vals.keys():
            self.env.registry.clear_cache()
        return result

    @api.model_create_multi
    def create(self, vals_list):
        companies = super().create(vals_list)
        if any(self._nurture_get_basis_fields() & vals.keys() for vals in vals_list):
            self.env.registry.clear_cache()
        return companies

    @api.model
    def _nurture_get_basis_fields(self):
        return {f"nurture_basis_{basis}" for basis in ALLOWING}

    def _nurture_get_bases(self):
        """On which lawful bases the company writes, as a tuple; empty: to everybody."""
        self.ensure_one()
        return tuple(basis for basis in ALLOWING if self[f"nurture_basis_{basis}"])

    @api.constrains("nurture_retention_months")
    def _check_nurture_retention(self):
        for company in self:
            if not 0 <= company.nurture_retention_months <= MAX_DELAY["months"]:
                raise ValidationError(
                    self.env._("Journeys are kept for ten years at most, or 0: for ever.")
                )

    @api.constrains("nurture_feedback_address")
    def _check_nurture_feedback_address(self):
        for company in self:
            address = company.nurture_feedback_address
            if address and (email_normalize(address) != address.lower() or not address.isascii()):
                raise ValidationError(
                    self.env._("“%s” is no email address to which complaints can go.", address)
                )

    @api.constrains("nurture_mail_cost")
    def _check_nurture_mail_cost(self):
        for company in self:
            if company.nurture_mail_cost < 0:
                raise ValidationError(self.env._("The cost per mail is an amount, 0 or more."))

    @api.constrains("nurture_holdout_percent")
    def _check_nurture_holdout(self):
        for company in self:
            if not 0 <= company.nurture_holdout_percent < 100:
                raise ValidationError(
                    self.env._("The holdout is a percentage from 0 to under 100.")
                )

    @api.constrains("nurture_window_days")
    def _check_nurture_window(self):
        for company in self:
            if not 1 <= company.nurture_window_days <= MAX_DELAY["days"]:
                raise ValidationError(
                    self.env._("The attribution window is one day at least, and ten years at most.")
                )

    @api.constrains("nurture_cap_number", "nurture_cap_days")
    def _check_nurture_cap(self):
        for company in self:
            days = company.nurture_cap_days
            if company.nurture_cap_number < 0 or not 1 <= days <= MAX_DELAY["days"]:
                raise ValidationError(
                    self.env._(
                        "A frequency cap is a number of messages, not negative, in one day or more."
                    )
                )

    @api.model
    def _nurture_sql_rate(self, company):
        """What one unit of a company's currency is today in that of the user's company.

        :param company: SQL of the company's id; without one it is the user's
        """
        mine, today = self.env.company, fields.Date.context_today(self)
        companies = self.search(Domain.TRUE) if self.env.su else self.env.companies
        rates = [
            SQL(
                "WHEN %s THEN %s",
                one.id,
                one.currency_id._convert(1.0, mine.currency_id, one, today, round=False),
            )
            for one in companies
        ]
        return SQL("(CASE %s %s ELSE 1.0 END)", company, SQL(" ").join(rates))
