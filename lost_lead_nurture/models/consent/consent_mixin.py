from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools.addresses import canonical
from ...tools.arguments import check_records, read_choice
from ...tools.consent import BASES

#: Who sees the consent of leads and contacts that he sees.
GROUPS = "sales_team.group_sale_salesman,lost_lead_nurture.group_user"


class NurtureConsentMixin(models.AbstractModel):
    """Leads and contacts: on which basis their address may be written to. It is the address that
    has it, so that of a lead and of its contact are one."""

    _name = "nurture.consent.mixin"
    _description = "Consent of Leads and Contacts"

    nurture_address_user_id = fields.Many2one(
        "res.users",
        string="Address Written By",
        compute="_compute_nurture_address_user_id",
        store=True,
        groups=fields.NO_ACCESS,
        ondelete="set null",
        help="Who wrote the address that it has. Empty: nobody knows.",
    )
    nurture_consent_id = fields.Many2one(
        "nurture.consent",
        compute="_compute_nurture_consent",
        groups=GROUPS,
        help="What the basis is today, of the address and the company.",
    )
    nurture_basis = fields.Selection(
        BASES,
        string="Lawful Basis",
        compute="_compute_nurture_consent",
        search="_search_nurture_basis",
        groups=GROUPS,
        help="On which basis the company may write to the address.",
    )
    nurture_basis_source = fields.Char(
        string="Source of the Basis", compute="_compute_nurture_consent", groups=GROUPS
    )
    nurture_basis_date = fields.Datetime(
        string="Basis Since", compute="_compute_nurture_consent", groups=GROUPS
    )
    nurture_basis_wording = fields.Text(
        string="Wording of the Consent", compute="_compute_nurture_consent", groups=GROUPS
    )

    @api.depends("email_normalized")
    def _compute_nurture_address_user_id(self):
        for record in self:
            # with all rights, and still of who writes
            record.nurture_address_user_id = record.email_normalized and self.env.uid

    @api.depends("email_normalized", "company_id")
    @api.depends_context("company", "uid")
    def _compute_nurture_consent(self):
        # who may read the record may know its basis, and what was said of it as far as he sees that
        consents = self.env["nurture.consent"].sudo()
        addresses = [address for one in self if (address := one._nurture_get_address())]
        rows = consents.search([("email", "in", addresses), ("is_current", "=", True)])
        current = {(row.email, row.company_id): row for row in rows}
        for record in self:
            key = (record._nurture_get_address(), record.company_id or self.env.company)
            row = current.get(key, consents)
            record.nurture_consent_id = row.with_env(self.env)
            record.nurture_basis = row.basis
            record.nurture_basis_date = row.date
            seen = record._nurture_filter_seen(row)
            record.nurture_basis_source = seen.source
            record.nurture_basis_wording = seen.wording

    def _search_nurture_basis(self, operator, value):
        if operator != "in":
            return NotImplemented
        self.env["nurture.consent"].flush_model()
        company = self.env.company.id

        def is_basis(bases):
            def to_sql(model, alias, query):
                return SQL(
                    "EXISTS (SELECT 1 FROM nurture_consent consent WHERE consent.is_current"
                    " AND consent.email = %s AND consent.company_id = COALESCE(%s, %s)"
                    " AND consent.basis IN %s)",
                    model._field_to_sql(alias, "email_normalized", query),
                    model._field_to_sql(alias, "company_id", query),
                    company,
                    bases,
                )

            return Domain.custom(to_sql=to_sql)

        known = tuple(label for label, _name in BASES)
        domain = is_basis(tuple(one for one in value if one) or ("",))
        return domain | ~is_basis(known) if False in value else domain

    # ------------------------------------------------------------
    # NOTE
    # ------------------------------------------------------------

    def nurture_note_basis(self, basis, source, wording=False):
        """Note the lawful basis on which the addresses of these records may be written to. Whoever
        withdraws is blacklisted, too.

        :param basis: see :data:`BASES`
        :param source: where it comes from, in words
        :param wording: what they agreed to, if it is known
        :return: True
        :raise AccessError: for who may neither change the records nor is a marketer who may read
            them
        :raise UserError: when the basis is not one of these, or one of the records has no address
        """
        check_records(self)
        self._nurture_check_may_note()
        basis = read_choice(self.env, basis, [value for value, _label in BASES])
        if not (isinstance(source, str) and source.strip()):
            raise UserError(self.env._("Say where the lawful basis comes from."))
        if wording and not isinstance(wording, str):
            raise UserError(self.env._("The wording is a text."))
        if elsewhere := self.company_id - self.env.companies:
            raise UserError(
                self.env._(
                    "You do not work in %s now: choose the company first.",
                    ", ".join(elsewhere.sudo().mapped("name")),
                )
            )
        if without := self.filtered(lambda one: not one._nurture_get_address()):
            names = ", ".join(one.display_name for one in without[:5])
            raise UserError(self.env._("There is no email address: %s", names))
        if basis == "withdrawn":
            self._nurture_check_address()
        # the history is written by nobody else
        self.env["nurture.consent"].sudo()._note(
            [
                {
                    **record._nurture_get_consent_values(),
                    "event": "noted",
                    "basis": basis,
                    "source": source.strip(),
                    "wording": wording,
                    "user_id": self.env.uid,
                }
                for record in self
            ]
        )
        if basis == "withdrawn":
            self._nurture_blacklist()
        self.invalidate_model(["nurture_consent_id", "nurture_basis"], flush=False)
        return True

    def _nurture_check_may_note(self):
        if not self.env.user.has_group("lost_lead_nurture.group_user"):
            self.check_access("write")
            if not self.env.user.has_group("sales_team.group_sale_salesman"):
                raise AccessError(self.env._("Only salespeople and marketers note a basis."))
        self.check_access("read")

    def _nurture_check_address(self):
        """Whoever may not blacklist addresses in Odoo notes what the people of these records have
        said, and not what those of any address that one may write into a record.

        :raise UserError: where nothing but the user says that it is their address
        """
        if self.env["mail.blacklist"].has_access("write"):
            return
        written = self.sudo().filtered(lambda one: one.nurture_address_user_id == self.env.user)
        mailing_traces = (
            self.env["mailing.trace"]
            .sudo()
            .search(
                [
                    ("model", "=", self._name),
                    ("res_id", "in", written.ids),
                    ("sent_datetime", "!=", False),
                ]
            )
        )
        known = {(one.res_id, one.email) for one in mailing_traces}
        for record in written:
            if (record.id, record._nurture_get_address()) not in known:
                raise UserError(
                    self.env._(
                        "“%s”: you wrote this address yourself, and no mail has gone to it. "
                        "Whoever may blacklist addresses, or a colleague, can note it.",
                        record.display_name,
                    )
                )

    def _nurture_blacklist(self):
        """Whoever objects gets nothing any more, whatever a company has chosen. Everybody may
        note that."""
        blacklist = self.env["mail.blacklist"].sudo()
        # companies share the list, and not what is said in one of them
        message = self.env._("Withdrew the consent")
        for address in {record._nurture_get_address() for record in self}:
            blacklist._add(address, message=message)

    def _nurture_get_consent_values(self):
        """Of whom a row of the history is."""
        self.ensure_one()
        return {
            "email": self._nurture_get_address(),
            "company_id": (self.company_id or self.env.company).id,
            "partner_id": self._nurture_get_contact().id,
        }

    def _nurture_filter_seen(self, rows):
        """Of rows of the history those that the user may see: those of this record, and what he
        sees anyway. That an address is the same says nothing, anybody can write it."""
        if self.env.su:
            return rows
        own = rows.sudo().filtered(lambda row: row[self._nurture_get_own_column()] == self._origin)
        return own | rows.sudo(False)._filtered_access("read").sudo()

    def _nurture_get_own_column(self):
        """The field of the history that says that a row is of this record."""
        return "lead_id" if self._name == "crm.lead" else "partner_id"

    def _nurture_get_address(self):
        """The address as it is compared; False when there is none."""
        self.ensure_one()
        return canonical(self.email_normalized) if self.email_normalized else False

    def _nurture_get_contact(self):
        """The contact that it is about."""
        raise NotImplementedError
