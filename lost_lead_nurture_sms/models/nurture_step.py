import re
from textwrap import shorten

from markupsafe import Markup

from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.lost_lead_nurture.tools import triggers
from odoo.addons.lost_lead_nurture.tools.triggers import Trigger

SMS_TRIGGERS = (
    Trigger("sms_click", "SMS clicked", "fa-mouse-pointer", "sms", frozenset({"click"})),
    Trigger(
        "sms_not_click",
        "SMS not clicked",
        "fa-hand-paper-o",
        "sms",
        frozenset({"click"}),
        absence=True,
    ),
    Trigger("sms_bounce", "SMS bounced", "fa-exclamation-triangle", "sms", frozenset({"bounce"})),
)
triggers.register(*SMS_TRIGGERS)

#: What the step shows of its mailing, by the mailing's field.
SMS_FIELDS = {
    "sms_template_id": "sms_template_id",
    "body_plaintext": "sms_text",
    "sms_allow_unsubscribe": "sms_allow_unsubscribe",
}


def _retire(steps):
    """The add-on is uninstalled: keep the history of its steps."""
    steps._retire_sms()


class NurtureStep(models.Model):
    """Steps of the type SMS. As with mails, the message is a mailing; its text can be written on
    the step itself."""

    _inherit = "nurture.step"

    step_type = fields.Selection(selection_add=[("sms", "SMS")], ondelete={"sms": _retire})
    trigger = fields.Selection(
        selection_add=[(trigger.value, trigger.label) for trigger in SMS_TRIGGERS],
        ondelete={trigger.value: _retire for trigger in SMS_TRIGGERS},
    )
    sms_template_id = fields.Many2one(
        related="mailing_id.sms_template_id",
        readonly=False,
        domain="[('model', '=', 'crm.lead')]",
        help="Its text is taken over, and can be changed for this step.",
    )
    sms_text = fields.Text(
        related="mailing_id.body_plaintext",
        string="Text",
        readonly=False,
        help="With placeholders such as {{object.contact_name}}. Links are shortened and tell who "
        "has clicked.",
    )
    sms_allow_unsubscribe = fields.Boolean(
        related="mailing_id.sms_allow_unsubscribe",
        string="Opt-out Link",
        readonly=False,
        help="Ends with a link by which the recipient blacklists the number.",
    )
    sms_model = fields.Char(compute="_compute_sms_model")

    # ------------------------------------------------------------
    # COMPUTES
    # ------------------------------------------------------------

    def _compute_sms_model(self):
        # where the text's placeholders are looked for
        self.sms_model = "crm.lead"

    @api.onchange("step_type")
    def _onchange_step_type(self):
        if self.mailing_id and self.mailing_id.mailing_type != self._get_mailing_type():
            self.mailing_id = False

    @api.onchange("sms_template_id")
    def _onchange_sms_template_id(self):
        if self.sms_template_id:
            self.sms_text = self.sms_template_id.body

    @api.onchange("step_type", "sms_text")
    def _onchange_sms_text(self):
        """Name the step after its first words, unless somebody has named it."""
        types = dict(self._fields["step_type"]._description_selection(self.env))
        if self.step_type == "sms" and self.name in (False, *types.values()):
            self.name = self._get_title(self.sms_text) or types["sms"]

    @api.model
    def _get_title(self, text):
        return shorten(re.sub(r"{{.*?}}", "…", text or ""), 60, placeholder="…")

    # ------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        return super().create([self._with_sms(vals) for vals in vals_list])

    def write(self, vals):
        if not vals.get("sms_text") or vals.get("mailing_id"):
            return super().write(vals)
        new = self.filtered(lambda step: "mailing_id" in vals or not step.mailing_id)
        for step in new:
            super(NurtureStep, step).write(step._with_sms(vals))
        if others := self - new:
            super(NurtureStep, others).write(vals)
        return True

    def _with_sms(self, vals):
        """``vals`` with a mailing for the text in it, so that the step is complete at once."""
        step_type = vals.get("step_type", self.step_type)
        if step_type != "sms" or vals.get("mailing_id") or not vals.get("sms_text"):
            return vals
        values = {field: vals[name] for field, name in SMS_FIELDS.items() if name in vals}
        mailing = self.env["mailing.mailing"].create(
            {
                "subject": vals.get("name") or self.name or self._get_title(vals["sms_text"]),
                "mailing_type": "sms",
                "mailing_model_id": self.env["ir.model"]._get_id("crm.lead"),
                "keep_archives": True,
                "nurture_only": True,
                **values,
            }
        )
        rest = {name: value for name, value in vals.items() if name not in SMS_FIELDS.values()}
        return {**rest, "mailing_id": mailing.id}

    def _retire_sms(self):
        """Archive SMS steps and all that follows them. They become empty actions: SMS is not known
        any more."""
        branches = self.with_context(active_test=False).search([("id", "child_of", self.ids)])
        self.env["mailing.trace"]._nurture_queued(
            [("step_id", "in", branches.ids)]
        )._nurture_cancel_queued()
        branches.active = False
        branches.flush_recordset()
        self.env.execute_query(
            SQL(
                "UPDATE nurture_step SET step_type = CASE step_type WHEN 'sms' THEN 'action'"
                " ELSE step_type END, trigger = CASE WHEN trigger IN %s THEN 'after'"
                " ELSE trigger END WHERE id IN %s RETURNING id",
                tuple(trigger.value for trigger in SMS_TRIGGERS),
                tuple(branches.ids) or (0,),
            )
        )
        branches.invalidate_recordset(["step_type", "trigger"])

    # ------------------------------------------------------------
    # BUSINESS
    # ------------------------------------------------------------

    @api.model
    def _get_message_types(self):
        return super()._get_message_types() + ("sms",)

    @api.model
    def _get_type_icons(self):
        return super()._get_type_icons() | {"sms": "fa-mobile"}

    def _render_message(self, mailing, lead):
        if mailing.mailing_type != "sms":
            return super()._render_message(mailing, lead)
        text = mailing._render_field("body_plaintext", lead.ids)[lead.id]
        return self._make_sms_page(text)

    @api.model
    def _make_sms_page(self, text):
        return Markup('<html><body style="white-space: pre-wrap">%s</body></html>') % text

    def _get_mailing_type(self):
        return "sms" if self.step_type == "sms" else super()._get_mailing_type()

    def _get_problems(self):
        problems = super()._get_problems()
        for step in self.filtered(lambda step: step.step_type == "sms"):
            mailings = step._get_mailings()
            if not step.mailing_id:
                problems.append(self.env._("Step “%s” has no SMS.", step.name))
            elif not all(mailings.mapped("active")):
                problems.append(self.env._("The SMS of step “%s” is archived.", step.name))
            elif not all((mailing.body_plaintext or "").strip() for mailing in mailings):
                problems.append(self.env._("The SMS of step “%s” is empty.", step.name))
        return problems

    def _get_batch_size(self):
        if self.step_type == "sms":
            return self.env["sms.sms"].sudo()._get_send_batch_size()
        return super()._get_batch_size()

    def _get_pretended(self):
        if self.step_type != "sms":
            return super()._get_pretended()
        number = self.env["crm.lead"]._nurture_sql_phone()
        return {"trace_type": SQL("'sms'"), "sms_number": number}

    def _do_sms(self, traces):
        """Queue the SMS for the leads of ``traces``; core's SMS queue sends it."""
        ((mailing, batch),) = self._get_batches(traces)
        mailing._nurture_queue({trace.participant_id.lead_id.id: trace.id for trace in batch})
