from odoo import api, fields, models

from ...tools.arguments import check_records
from .lead import STATUS_GROUPS


class NurtureReasonHistory(models.Model):
    """Why a lead was lost, each time: core forgets the reason when a lead is restored. Rows are
    only added, by what changes leads."""

    _name = "nurture.reason.history"
    _description = "History of Lost Reasons"
    _order = "date desc, id desc"
    _rec_name = "lost_reason_id"

    lead_id = fields.Many2one(
        "crm.lead",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
        context={"active_test": False},
    )
    event = fields.Selection(
        [
            ("set", "Lost for"),
            ("restored", "Restored, had been lost for"),
            ("cleared", "Taken back"),
            ("kept", "Looked at and kept"),
        ],
        string="What",
        required=True,
        readonly=True,
    )
    lost_reason_id = fields.Many2one(
        "crm.lost.reason", required=True, readonly=True, index=True, ondelete="restrict"
    )
    previous_reason_id = fields.Many2one(
        "crm.lost.reason", string="Before", readonly=True, ondelete="restrict"
    )
    contradiction = fields.Char(
        readonly=True, help="Of a reason that was kept: what contradicted it."
    )
    date = fields.Datetime(required=True, readonly=True)
    user_id = fields.Many2one("res.users", string="By", readonly=True, ondelete="set null")

    _kept = models.Index("(lead_id) WHERE event = 'kept'")

    @api.model
    def _note(self, rows):
        """Add rows to the history.

        :param rows: values without date and user, which are now and who does it
        """
        if not rows:
            return
        now = {"date": fields.Datetime.now(), "user_id": self.env.uid}
        # nobody writes it but what changes leads
        self.sudo().create([{**row, **now} for row in rows])


class CrmLead(models.Model):
    """Lost reasons: their history, and what contradicts them."""

    _inherit = "crm.lead"

    nurture_reason_history_ids = fields.One2many(
        "nurture.reason.history",
        "lead_id",
        string="History of Lost Reasons",
        groups=STATUS_GROUPS,
        help="What it was lost for, each time. It survives restoring.",
    )
    nurture_contradictions = fields.Text(
        string="Contradicts the Lost Reason",
        compute="_compute_nurture_contradictions",
        groups=STATUS_GROUPS,
        help="Records that contradict the lost reason, and that nobody has looked at yet.",
    )

    @api.depends("won_status", "lost_reason_id", "date_deadline", "nurture_reason_history_ids")
    @api.depends_context("lang", "tz", "uid", "allowed_company_ids")
    def _compute_nurture_contradictions(self):
        found = self.env["nurture.contradiction"].search([("lead_id", "in", self._origin.ids)])
        texts = found.grouped("lead_id")
        for lead in self:
            contradictions = texts.get(lead._origin, found.browse())
            lead.nurture_contradictions = "\n".join(contradictions.mapped("description"))

    # ------------------------------------------------------------
    # HISTORY
    # ------------------------------------------------------------

    def _nurture_get_reasons_before(self, vals):
        """``{lead: its lost reason}`` where writing ``vals`` may change it."""
        if "lost_reason_id" not in vals:
            return {}
        return {lead: lead.lost_reason_id for lead in self.sudo()}

    def _nurture_note_reasons(self, before):
        """Note which reasons are others by now.

        :param before: ``{lead: lost reason}``
        """
        rows = []
        for lead, previous in before.items():
            reason = lead.sudo().lost_reason_id
            if reason == previous:
                continue
            # core takes the reason off a lead once it is active again
            event = "set" if reason else "restored" if lead.sudo().active else "cleared"
            rows.append(
                {
                    "lead_id": lead.id,
                    "event": event,
                    "lost_reason_id": (reason or previous).id,
                    "previous_reason_id": reason and previous.id,
                }
            )
        self.env["nurture.reason.history"]._note(rows)

    # ------------------------------------------------------------
    # ACTIONS
    # ------------------------------------------------------------

    def action_nurture_keep_reason(self):
        """Keep the lost reason: what contradicts it now is not shown again."""
        check_records(self)
        self.check_access("write")
        found = self.env["nurture.contradiction"].search([("lead_id", "in", self.ids)])
        return found.action_keep()
