from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..sequence.sequence import WINDOW_DAYS

#: A lead counts for a plain mailing when it is won back so long after a reply or a click, and a
#: quotation when it is made so long after that.
WINDOW = timedelta(days=WINDOW_DAYS)


class NurtureCredit(models.Model):
    """A lost lead that was won back after it had replied to a plain mailing, or clicked in it: what
    participants are for the mails of sequences. A lead that is won back is credited once."""

    _name = "nurture.credit"
    _description = "Lead Won Back by a Mailing"
    _order = "date desc, id desc"
    _log_access = False

    lead_id = fields.Many2one(
        "crm.lead", required=True, readonly=True, index=True, ondelete="cascade"
    )
    mailing_id = fields.Many2one(
        "mailing.mailing", required=True, readonly=True, index=True, ondelete="cascade"
    )
    date = fields.Datetime(required=True, readonly=True, help="When the lead was won back.")

    @api.model
    def _note(self, leads, date=None):
        """Credit lost leads that are won back now to the mailings that woke them: those whose mail
        they replied to, or clicked in, last. Where that was the mail of a sequence, the sequence
        sees to it; what was only opened earns nothing. Constant queries, however many leads.

        :param date: when they were won back; now, if not given
        """
        if not leads:
            return
        date = date or fields.Datetime.now()
        woken = self.env["mailing.trace"]._nurture_last_woken(leads, since=date - WINDOW)
        self.sudo().create(
            [
                {"lead_id": lead_id, "mailing_id": mailing_id, "date": date}
                for lead_id, mailing_id in woken
            ]
        )

    @api.model
    def _is_idle(self):
        """Whether no plain mailing has ever won a lead back."""
        return not self.sudo().search_count([], limit=1)

    @api.model
    def _is_nothing_to_credit(self):
        """Whether no lead was ever in a sequence or won back by a mailing: asked by one query."""
        ((nothing,),) = self.env.execute_query(
            SQL(
                "SELECT NOT EXISTS (SELECT 1 FROM nurture_participant)"
                " AND NOT EXISTS (SELECT 1 FROM nurture_credit)"
            )
        )
        return nothing

    @api.model
    def _since(self, lead, date):
        """Whether a plain mailing has been credited with ``lead`` since ``date``."""
        earned = Domain("lead_id", "=", lead.id) & Domain("date", ">=", date)
        return bool(self.sudo().search_count(earned, limit=1))

    @api.model
    def _last_of(self, leads, company):
        """The last time that one of ``leads``, of ``company`` or of none, was won back by a plain
        mailing."""
        own = Domain("lead_id.company_id", "in", [company.id, False])
        return self.sudo().search(own & Domain("lead_id", "in", leads.ids), limit=1)

    def _is_in_window(self, date):
        """Whether what is made at ``date`` came of it."""
        return bool(self and date and self.date <= date <= self.date + WINDOW)
