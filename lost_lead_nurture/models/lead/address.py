from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, email_normalize, formataddr

from ...tools.addresses import (
    by_spelling,
    canonical,
    first_address,
    is_plain,
    name_in,
    on_wire,
)
from ...tools.arguments import check_records
from ...tools.send_batch import get_composed


class CrmLead(models.Model):
    """The address of a lead: whatever is decided about it, and whatever is sent to it, it is one
    address in one spelling, however many are written into the field."""

    _inherit = "crm.lead"

    email_normalized = fields.Char(compute="_compute_nurture_email_normalized")

    @api.depends("email_from")
    def _compute_nurture_email_normalized(self):
        """Core's own is that of all models: where there are several addresses it takes none."""
        for lead in self:
            text = lead.email_from
            # almost all are plain and the only one
            address = email_normalize(text, strict=False) if is_plain(text) else first_address(text)
            lead.email_normalized = address

    @api.model
    def _search(self, domain, *args, **kwargs):
        """Whoever looks for an address finds it, however it is written."""
        return super()._search(by_spelling(domain, "email_normalized"), *args, **kwargs)

    def action_nurture_let_in(self):
        """Let the addresses of these leads into sequences again, which had asked to be forgotten.
        The leads keep who did it.

        :raise AccessError: for who is no marketer, or may not read the leads
        :raise UserError: when none of the addresses had been forgotten
        """
        check_records(self)
        # who may see what is forgotten may let it in
        self.env["nurture.forgotten"].check_access("read")
        self.check_access("read")
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                "SELECT lead.id, ARRAY[%s]::text[] FROM crm_lead lead WHERE lead.id IN %s AND (%s)",
                SQL(", ").join(self._nurture_sql_addresses()),
                tuple(self.ids) or (0,),
                SQL(" OR ").join(self._nurture_sql_forgotten()),
            )
        )
        if not rows:
            raise UserError(self.env._("None of these leads has a forgotten address."))
        addresses = {address for _id, found in rows for address in found if address}
        self.env["nurture.forgotten"]._let_in(addresses)
        # marketers may not write on leads, but what they decided is noted there
        for lead in self.browse(id_ for id_, _addresses in rows).sudo():
            lead.message_post(
                body=self.env._(
                    "Let in again: this address had been forgotten, and sequences may write to it "
                    "from now on."
                )
            )
        return True

    def _message_get_default_recipients(self, with_cc=False, all_tos=False):
        """A mail of a sequence goes to the address that was decided about. Core takes the contact's
        instead, and all that are written there."""
        if not get_composed(self.env):
            return super()._message_get_default_recipients(with_cc=with_cc, all_tos=all_tos)
        addresses = [address for address in self.mapped("email_normalized") if address]
        # like core: nothing that the database would send to itself
        own = {
            self.env.ref("base.partner_root").email_normalized,
            *self.env["mail.alias.domain"].sudo()._find_aliases(addresses),
        }
        return {
            lead.id: {
                "email_cc": "",
                "email_to": "" if lead.email_normalized in own else lead._nurture_get_recipient(),
                "partner_ids": [],
            }
            for lead in self
        }

    def _nurture_get_recipient(self):
        """The lead's address as it is written on the envelope, with the name that is known; "" when
        it has none."""
        self.ensure_one()
        address = self.email_normalized
        if not address:
            return ""
        name = name_in(self.email_from, address)
        partner = self.partner_id
        if not name and partner.name and canonical(partner.email_normalized) == address:
            name = name_in(formataddr((partner.name, address)), address)
        return formataddr((name, on_wire(address)))
