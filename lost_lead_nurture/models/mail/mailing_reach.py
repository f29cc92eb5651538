from collections import defaultdict

from odoo import models
from odoo.exceptions import AccessError
from odoo.fields import Domain

from ...tools.addresses import canonical, spellings
from ...tools.domains import is_own


class MailingMailing(models.Model):
    """A mailing of its own to leads may reach the open pipeline, which its salespeople write to.
    Whoever sends it on the screen is asked once more; code and RPC know what they do."""

    _inherit = "mailing.mailing"

    def _nurture_ask(self, method, **values):
        """An action that asks whether open and won leads are meant, too, or None when there is
        nothing to ask. The buttons of the screen put ``nurture_ask`` into the context.

        :param method: what is done on Yes, see :attr:`nurture.reach.method`
        :param values: further ones of ``nurture.reach``
        """
        if not self.env.context.get("nurture_ask"):
            return None
        reached, is_partial = self._nurture_find_reached()
        if not (reached["pending"] or reached["won"] or is_partial):
            return None
        question = self.env["nurture.reach"].create(
            {
                "mailing_ids": self.ids,
                "method": method,
                "open_count": len(reached["pending"]),
                "won_count": len(reached["won"]),
                "lost_count": len(reached["lost"]),
                "is_partial": is_partial,
                **values,
            }
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Send to open and won leads, too?"),
            "res_model": question._name,
            "res_id": question.id,
            "views": [(False, "form")],
            "target": "new",
            "context": {"dialog_size": "medium"},
        }

    def _nurture_asked(self):
        """These mailings once somebody has been asked."""
        return self.with_context(nurture_ask=False)

    def _nurture_find_reached(self):
        """The leads that these would reach.

        :return: ``{won_status: leads}``, and whether there may be more of them
        """
        reached, is_partial = defaultdict(self.env["crm.lead"].browse), False
        for mailing in self.filtered(lambda mailing: mailing.mailing_model_real == "crm.lead"):
            try:
                found, is_guess = mailing._nurture_get_reached()
            except AccessError:
                # the scheduled action that sends may see what the user may not
                found, is_guess = {}, True
            is_partial = is_partial or is_guess
            for status, leads in found.items():
                reached[status] += leads
        return reached, is_partial

    def _nurture_get_reached(self):
        """As core mails them: by the scheduled action, which sees the leads of everybody, each
        address once, and none that is blacklisted or has had it.

        :return: as :meth:`_nurture_find_reached`; nothing where all of them are lost
        """
        self.ensure_one()
        domain = self._get_recipients_domain()
        leads = self.env["crm.lead"].with_context(active_test=True)
        # a number tells, too: what the domain looks at elsewhere is for the user's eyes only
        is_guess = not is_own(domain, leads)
        leads = leads if is_guess else leads.sudo()
        if not leads.search_count(domain & Domain("won_status", "!=", "lost"), limit=1):
            return {}, False
        leads = leads.search_fetch(domain, ["won_status"])
        addresses = {lead: one for lead, one in self._nurture_get_addresses(leads).items() if one}
        excluded = self._nurture_get_excluded(list(set(addresses.values())))
        first = {}
        for lead, address in addresses.items():
            if address not in excluded:
                first.setdefault(address, lead)
        return leads.browse(lead.id for lead in first.values()).grouped("won_status"), is_guess

    def _nurture_get_addresses(self, leads):
        """The address that this mailing uses of each lead, in the order of ``leads``."""
        # core writes to the contact, whoever may see it
        return {
            lead: canonical(lead.sudo().partner_id.email_normalized or lead.email_normalized)
            for lead in leads
        }

    def _nurture_get_excluded(self, addresses):
        """Those that core leaves out."""
        excluded = spellings({*self._get_seen_list(), *self._get_opt_out_list()})
        if self.use_exclusion_list:
            entries = self.env["mail.blacklist"].sudo().search([("email", "in", addresses)])
            excluded.update(entries.mapped("email"))
        return excluded
