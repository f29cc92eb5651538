import logging

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import email_normalize, email_split

from odoo.addons.base.models.ir_mail_server import MailDeliveryException

from ..tools.addresses import canonical, on_wire
from ..tools.arguments import check_records, read_choice, read_id
from ..tools.replay import REACTIONS
from ..tools.sandbox import sandbox
from .nurture_test_replay import Replay

_logger = logging.getLogger(__name__)


class NurtureTest(models.TransientModel):
    """Walk one lead through a sequence, step by step, with nothing of it lasting.

    What was done so far is a list of events. With each new one all of them are played again from
    the beginning, by the engine itself, in a transaction that is rolled back. All that stays is the
    list, what is shown, and a copy of the last mail in the mailbox of whoever tests.
    """

    _name = "nurture.test"
    _inherit = ["nurture.choice.mixin"]
    _description = "Test of a Nurture Sequence"
    _transient_max_hours = 10.0

    sequence_id = fields.Many2one(
        "nurture.sequence", required=True, readonly=True, ondelete="cascade"
    )
    lead_id = fields.Many2one(
        "crm.lead",
        required=True,
        ondelete="cascade",
        context={"active_test": False},
        help="Any lead, lost or not. Nothing is written on it, and it gets no mail.",
    )
    email_to = fields.Char(
        string="Mails to",
        required=True,
        default=lambda self: self.env.user.email_normalized,
        help="Who gets the mails of the test instead of the lead.",
    )
    start_date = fields.Datetime(default=fields.Datetime.now, readonly=True)
    exclusion_reason = fields.Char(
        compute="_compute_exclusion_reason",
        help="Why the lead would not enter the sequence automatically.",
    )
    problems = fields.Text(compute="_compute_problems")
    events = fields.Json(readonly=True, help="What was done so far: a list of events.")
    timeline = fields.Json(readonly=True, help="What became of it, and what comes next.")

    # ------------------------------------------------------------
    # COMPUTES, CONSTRAINTS
    # ------------------------------------------------------------

    @api.depends("sequence_id", "lead_id")
    @api.depends_context("lang")
    def _compute_exclusion_reason(self):
        for test in self:
            test.exclusion_reason = ", ".join(test._get_exclusion_reasons()) or False

    def _get_exclusion_reasons(self):
        """Why the lead would not enter automatically, in words."""
        lead = self.lead_id.with_context(active_test=False)
        sequence = self.sequence_id
        if not (lead and sequence):
            return []
        lead.check_access("read")
        sequence.check_access("write")
        labels = sequence._get_exclusion_labels()
        exclusions = [
            labels[condition["reason"]]
            for condition in sequence._explain_entry(lead)
            if not condition["ok"] and condition["reason"] in labels
        ]
        if not exclusions and sequence._get_held_out(lead.ids):
            exclusions.append(self.env._("Held out for comparison"))
        return exclusions

    @api.depends("sequence_id")
    @api.depends_context("lang")
    def _compute_problems(self):
        for test in self:
            sequence = test.sequence_id
            sequence.check_access("write")
            problems = sequence.sudo()._get_problems() if sequence else []
            test.problems = "\n".join(problems) or False

    @api.constrains("email_to", "lead_id")
    def _check_email_to(self):
        for test in self:
            address = email_normalize(test.email_to)
            if not address:
                raise ValidationError(
                    self.env._("“%s” is not an email address.", test.email_to or "")
                )
            if canonical(address) == test.lead_id.email_normalized:
                raise ValidationError(
                    self.env._("A test never writes to the lead. Have its mails sent to yourself.")
                )

    # ------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        tests = super().create(vals_list)
        tests._restart()
        return tests

    def write(self, vals):
        changed = self.browse()
        if "lead_id" in vals:
            changed = self.filtered(lambda test: test.lead_id.id != vals["lead_id"])
        result = super().write(vals)
        changed._restart()
        return result

    @api.onchange("lead_id")
    def _onchange_lead_id(self):
        if self.lead_id and self.sequence_id:
            self.events = []
            self.timeline = self._replay([])[0]

    # ------------------------------------------------------------
    # ACTIONS
    # ------------------------------------------------------------

    def action_play(self, what, step_id=None, link=None):
        """Go on.

        :param what: ``run`` a step, ``wait`` until nothing is waited for any more, or what happens
            to a step that is done: ``open``, ``click``, ``reply``, ``bounce``, ``done``
        :param step_id: id of the step; for ``run`` the next one, if not given
        :param link: the address that is clicked
        """
        check_records(self, one=True)
        read_choice(self.env, what, ("run", "wait", *REACTIONS))
        if step_id:
            read_id(self.env, step_id)
        # the lead's address may be another one by now
        self._check_email_to()
        if what == "run" and not step_id:
            step_id = (self.timeline or {}).get("next")
        event = {"do": what, "step": step_id, "link": link}
        events = [*(self.events or []), event]
        timeline, mail = self._replay(events)
        if mail and what == "run":
            event |= self._send_copy(mail)
        self.write({"events": events, "timeline": self._add_copies(timeline, events)})
        return True

    def action_restart(self):
        """Begin again. Of the test before nothing is left."""
        self._restart()
        return True

    def _restart(self):
        for test in self:
            test.write(
                {
                    "start_date": fields.Datetime.now(),
                    "events": [],
                    "timeline": test._replay([], fields.Datetime.now())[0],
                }
            )

    # ------------------------------------------------------------
    # BUSINESS
    # ------------------------------------------------------------

    @api.model
    def _find_lead(self, sequence):
        """A lead to begin with: one that would enter, else one that matches, else a lost one."""
        leads = self.env["crm.lead"].with_context(active_test=False)
        for domain in (sequence._get_lead_domain(), sequence._get_lead_domain(own=False), []):
            found = leads.search(domain, order="date_closed desc, id desc", limit=20)
            if found:
                free = sequence.sudo()._group_by_exclusion(found).get(None)
                return leads.browse(free[0]) if free else found[0]
        return leads

    def _replay(self, events, start=None):
        """Play ``events`` from the beginning, and forget it.

        :return: the timeline, and the mail that the last event composed (or None)
        """
        self.sequence_id.check_access("write")
        self.lead_id.check_access("read")
        visible = self.env["crm.lead"].fields_get(attributes=["string"])
        labels = {name: description["string"] for name, description in visible.items()}
        viewer = {"lang": self.env.lang, "tz": self.env.user.tz or self.env.context.get("tz")}
        self.env.flush_all()
        with sandbox(self.env) as env:
            replay = Replay(
                env,
                self.sequence_id.id,
                self.lead_id.id,
                start or self.start_date or fields.Datetime.now(),
                viewer,
                labels,
            )
            for event in events:
                replay.play(event)
            last = events[-1]["step"] if events else None
            return replay.get_timeline(), replay.mails.get(last)

    def _send_copy(self, mail):
        """Send what the lead would have got to whoever tests. Nothing is kept of it: no statistics,
        no message on the lead.

        :return: what to remember of it in the event
        """
        server = self.env["ir.mail_server"].sudo()
        try:
            message = server._build_email__(
                email_from=mail["email_from"],
                email_to=[on_wire(email_normalize(self.email_to))],
                subject=self.env._("[Test] %s", mail["subject"]),
                body=mail["body"],
                subtype="html",
                reply_to=mail["reply_to"],
                attachments=mail["attachments"],
            )
            server.send_email(message, mail_server_id=mail["mail_server_id"])
        except (AssertionError, MailDeliveryException, OSError, UserError, ValueError) as error:
            _logger.info("The copy of a test could not be sent", exc_info=True)
            return {"subject": mail["subject"], "failed": str(error)}
        return {"subject": mail["subject"], "sent_to": email_split(self.email_to)[0]}

    def _add_copies(self, timeline, events):
        """Put into the timeline what became of the copies."""
        sent = {event["step"]: event for event in events if "subject" in event}
        for line in timeline["lines"]:
            event = sent.get(line["step"])
            if not event:
                continue
            if "failed" in event:
                line["failed"] = self.env._(
                    "The mail “%(subject)s” could not be sent to you: %(error)s",
                    subject=event["subject"],
                    error=event["failed"],
                )
            else:
                line["texts"].insert(
                    0,
                    self.env._(
                        "Mail “%(subject)s” sent to %(address)s",
                        subject=event["subject"],
                        address=event["sent_to"],
                    ),
                )
        return timeline
