import re
from contextlib import contextmanager

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError, MissingError
from odoo.fields import Command, Domain

from ...tools.dates import on_day
from ...tools.inside import INSIDE, is_inside, without_defaults
from ...tools.wire import clean, is_blank

#: Who sees where leads stand in their sequences.
STATUS_GROUPS = "sales_team.group_sale_salesman,lost_lead_nurture.group_user"
#: Days that dates can be counted back by, whatever somebody writes into a filter.
MAX_DAYS = 365 * 1000
#: What a text for a lead names of it, such as ``object.partner_id.name``.
PATHS = re.compile(r"\bobject((?:\.\w+)+)")


class CrmLead(models.Model):
    """What is particular to lost leads, as targets of a sequence, is in the ``_nurture_*``
    methods: who they are, when they have to leave, how they are won back."""

    _inherit = "crm.lead"

    nurture_participant_ids = fields.One2many(
        "nurture.participant",
        "lead_id",
        string="Nurture Sequences",
        groups=STATUS_GROUPS,
    )
    days_since_lost = fields.Integer(
        string="Days since Lost",
        compute="_compute_days_since_lost",
        search="_search_days_since_lost",
        help="How many days ago the lead was lost; 0 is today. Says nothing of leads that are not "
        "lost.",
    )
    # no default, which would write all leads when it is installed: the column has one, see hooks.py
    nurture_score = fields.Integer(
        string="Score", help="Points given by the steps of nurture sequences."
    )

    @api.depends("date_closed", "won_status")
    def _compute_days_since_lost(self):
        today = fields.Date.context_today(self)
        for lead in self:
            if lead.won_status == "lost" and lead.date_closed:
                lost_on = fields.Datetime.context_timestamp(lead, lead.date_closed).date()
                lead.days_since_lost = (today - lost_on).days
            else:
                lead.days_since_lost = False

    def _search_days_since_lost(self, operator, value):
        if operator == "in":
            # core turns = into this; False is “not lost”
            days = [day for day in value if day is not False]
            domains = [
                Domain("days_since_lost", "<=", day) & Domain("days_since_lost", ">=", day)
                for day in days
            ]
            if len(days) < len(value):
                domains.append(Domain("won_status", "!=", "lost"))
            return Domain.OR(domains)
        if operator not in ("<", "<=", ">", ">="):
            return NotImplemented
        value = max(-MAX_DAYS, min(MAX_DAYS, int(value)))
        # days grow as dates shrink; the first moment of a day belongs to it
        first_day = value if operator in ("<=", ">") else value - 1
        return Domain("won_status", "=", "lost") & Domain(
            "date_closed", ">=" if operator in ("<=", "<") else "<", f"today {-first_day:+d}d"
        )

    # ------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        # since when a customer is silent the engine says alone
        leads = super(CrmLead, without_defaults(self, ["nurture_silent_since"])).create(vals_list)
        leads._nurture_note_reasons(dict.fromkeys(leads, self.env["crm.lost.reason"]))
        self.env["nurture.sequence"]._note_behaviour("welcome")
        return leads

    def write(self, vals):
        before = self._nurture_get_reasons_before(vals)
        if not {"active", "probability", "stage_id"} & vals.keys():
            result = super().write(vals)
        else:
            lost_reasons = self._nurture_get_lost_reasons()
            result = super().write(vals)
            self._nurture_check_won_back(lost_reasons)
        self._nurture_note_reasons(before)
        return result

    def unlink(self):
        participants = self._nurture_get_participants()
        participants._leave("deleted")
        result = super().unlink()
        # whoever is deleted is not kept here
        participants._forget()
        return result

    def action_set_won(self):
        # core restores first and wins then: only the result counts
        lost_reasons = self._nurture_get_lost_reasons()
        result = super(CrmLead, self.with_context(nurture_skip_check=INSIDE)).action_set_won()
        self._nurture_check_won_back(lost_reasons)
        return result

    # ------------------------------------------------------------
    # NURTURE
    # ------------------------------------------------------------

    @api.model
    def _nurture_lost_domain(self):
        """The leads that sequences are for. Both values of ``active`` are named, because a lost
        lead is archived and a search that does not mention it leaves archived leads out. It is
        written as core's domain editor does, which shows it as its switch."""
        return [("won_status", "=", "lost"), ("active", "in", [True, False])]

    def _nurture_filter_as_lost(self, domain, reason):
        """Those of the leads that ``domain`` would choose if they had just been lost for
        ``reason``."""
        lost = {
            "active": False,
            "probability": 0.0,
            "won_status": "lost",
            "date_closed": fields.Datetime.now(),
            "lost_reason_id": reason.id,
        }
        return self.filtered(lambda lead: lead.new(lost, origin=lead).filtered_domain(domain))

    def _nurture_render(self, template, html=False):
        """Fill the placeholders of ``template`` for each lead. Only core's harmless ones are known,
        because this runs with all rights, whoever wrote the template.

        :param html: whether it is HTML with ``<t t-out="object.name">``, not text with
            ``{{object.name}}``
        :return: ``{lead id: text}``
        :raise SyntaxError: when there is another placeholder in it
        """
        renderer = self.env["mail.render.mixin"]
        if not template:
            return dict.fromkeys(self.ids, "")
        with self._nurture_without_blanks(template):
            if html:
                return renderer._render_template_qweb_regex(template, "crm.lead", self.ids)
            texts = renderer._render_template_inline_template_regex(template, "crm.lead", self.ids)
        return {lead_id: clean(text) for lead_id, text in texts.items()}

    @contextmanager
    def _nurture_without_blanks(self, template):
        """While this lasts, texts that ``template`` names and that consist of blanks are missing:
        that decides whether a placeholder takes its fallback."""
        hidden = []
        try:
            for path in set(PATHS.findall(str(template))):
                hidden += self._nurture_hide_blanks(path[1:].split("."))
            yield
        finally:
            for field, record, value in hidden:
                field._update_cache(record, value)

    def _nurture_hide_blanks(self, path):
        """Forget blank texts at the end of ``path``, names of fields, in the cache alone.

        :return: list of (field, record, text)
        """
        records = self
        try:
            for name in path:
                field = records._fields.get(name)
                if not field or not field.relational:
                    break
                records = records[name]
            if not field or field.type not in ("char", "text") or field.translate:
                return []
            blank = records.filtered(lambda record: record[name] and is_blank(record[name]))
        except (AccessError, MissingError):
            # what renders the text says so
            return []
        blank.flush_recordset([name])
        hidden = [(field, record, record[name]) for record in blank]
        field._update_cache(blank, None)
        return hidden

    @api.model
    def _nurture_can_render(self, template, html=False):
        """Whether :meth:`_nurture_render` knows all placeholders of ``template``."""
        renderer = self.env["mail.render.mixin"]
        if html:
            return not renderer._has_unsafe_expression_template_qweb(template, "crm.lead")
        return not renderer._has_unsafe_expression_template_inline_template(template, "crm.lead")

    def _message_mail_after_hook(self, mails):
        # leads may have contacts whom not every marketer may read
        self.sudo()._nurture_note_on_contacts(mails)
        return super()._message_mail_after_hook(mails)

    def _nurture_note_on_contacts(self, mails):
        """Say on the contacts of the leads which mailings these got."""
        mails = mails.filtered(
            lambda mail: mail.mailing_id and mail.state == "outgoing" and mail.res_id
        )
        leads = self.filtered("partner_id").grouped("id") if mails else {}
        values_list = [
            {
                "author_id": mail.author_id.id,
                "body": self.env._(
                    "The mailing %(subject)s to %(lead)s",
                    subject=Markup("<b>%s</b>") % (mail.subject or ""),
                    lead=lead._get_html_link(),
                ),
                "email_add_signature": False,
                "email_from": mail.email_from,
                "is_internal": True,
                "message_type": "notification",
                "model": "res.partner",
                # by it what does not leave is taken back, see mail.mail
                "parent_id": mail.mail_message_id.id,
                "reply_to": mail.email_from,
                "res_id": lead.partner_id.id,
                "subtype_id": self.env["ir.model.data"]._xmlid_to_res_id("mail.mt_note"),
            }
            for mail in mails
            if (lead := leads.get(mail.res_id))
        ]
        if values_list:
            self.env["res.partner"]._message_create(values_list)

    def _nurture_get_participants(self):
        return self.env["nurture.participant"].sudo().search([("lead_id", "in", self.ids)])

    def _nurture_get_lost_reasons(self):
        """Why those of ``self`` were lost that are, as far as anybody asks: core forgets it when a
        lead is restored.

        :return: ``{lead: lost reason}``
        """
        if is_inside(self.env, "nurture_skip_check"):
            return {}
        return {lead: lead.lost_reason_id for lead in self if lead.won_status == "lost"}

    def _nurture_check_won_back(self, lost_reasons):
        """Somebody changed the state of leads: that some are no longer lost is an outcome, and
        they leave their sequences, as those do that entered while they were open and are lost now.

        :param lost_reasons: of those of ``self`` that were lost before
        """
        if is_inside(self.env, "nurture_skip_check") or not self:
            return
        back = self.filtered(lambda lead: lead.won_status != "lost")
        if back:
            self.env["nurture.outcome"]._note_restored(
                {lead: reason for lead, reason in lost_reasons.items() if lead in back}
            )
            self.env["nurture.participant"]._check_goals(back)
        self._nurture_check_lost(lost_reasons)

    def _nurture_check_lost(self, lost_reasons):
        """Leads that entered while they were open leave when they are lost.

        :param lost_reasons: of those of ``self`` that were lost before
        """
        lost = self.filtered(lambda lead: lead.won_status == "lost" and lead not in lost_reasons)
        inside = [("lead_id", "in", lost.ids), ("state", "=", "running")]
        participants = self.env["nurture.participant"].sudo()
        if lost and participants.search_count(
            [*inside, ("entry_status", "in", ("pending", "won"))], limit=1
        ):
            participants._check_goals(lost)

    def _nurture_win_back(self, participant, reason, step=None):
        """Put the lead back into the pipeline as its sequence says, with a note of what did it.

        :param participant: the lead's ``nurture.participant``
        :param reason: what happened, see :data:`EXIT_REASONS`
        :param step: the ``nurture.step`` that did it, where that is known
        """
        sequence = participant.sequence_id
        lead = self.with_context(nurture_skip_check=INSIDE)
        if sequence.goal_tag_ids:
            lead.tag_ids = [Command.link(tag.id) for tag in sequence.goal_tag_ids]
        if self.won_status != "lost":
            # whoever brought it back knows what to do
            return
        if sequence.goal_restore:
            lost_reasons = self._nurture_get_lost_reasons()
            lead.action_restore()
            self.env["nurture.outcome"]._note_restored(lost_reasons)
            # nothing more of other sequences; this one may have a branch for answers
            others = lead._nurture_get_participants() - participant
            others = others._may_be_won_back().filtered("sequence_id.exit_on_restored")
            others.filtered(lambda other: other.state == "running")._leave("restored")
            others.filtered(lambda other: other.state == "holdout")._note_return("restored")
            # a lost lead stays in the stage in which it was lost
            if sequence.goal_stage_id:
                lead.stage_id = sequence.goal_stage_id
        lead._nurture_hand_over(participant)
        lead.message_post(
            body=lead._nurture_win_back_note(participant, reason, step),
            author_id=self.env.ref("base.partner_root").id,
        )

    def _nurture_hand_over(self, participant):
        """Give the lead to whoever takes over, with something to do."""
        sequence = participant.sequence_id
        salesperson = participant._get_salesperson()
        if self.user_id != salesperson:
            values = {"user_id": salesperson.id}
            team = sequence.goal_team_id
            # a lead goes where its team belongs
            stays = not team.company_id or team.company_id in (
                self.company_id or sequence._get_companies()
            )
            if sequence.goal_assign == "team" and salesperson in team.member_ids and stays:
                values["team_id"] = team.id
            self.write(values)
        if salesperson:
            participant.write(
                {"handed_user_id": salesperson.id, "handed_date": fields.Datetime.now()}
            )
        if sequence.goal_activity_type_id:
            responsible = sequence.user_id._nurture_at_work(self.company_id)
            self.activity_schedule(
                activity_type_id=sequence.goal_activity_type_id.id,
                summary=sequence.goal_activity_summary or self.env._("Won back: %s", sequence.name),
                user_id=(salesperson or responsible).id,
            )

    def _merge_dependences(self, opportunities):
        """The journeys of the merged leads go on as those of the one that is left; a lead goes
        through a sequence only once at a time."""
        result = super()._merge_dependences(opportunities)
        journeys = (self | opportunities)._nurture_get_participants().sorted("id")
        journeys = journeys.filtered(lambda journey: journey.lead_id == self) | journeys
        running = set()
        for journey in journeys.filtered(lambda journey: journey.state == "running"):
            if journey.sequence_id in running:
                journey._leave("merged")
            running.add(journey.sequence_id)
        journeys.lead_id = self
        # the mails went to whom the lead is of that is left
        mailing_traces = self.env["mailing.trace"].sudo()
        mailing_traces.search(
            [("model", "=", "crm.lead"), ("res_id", "in", opportunities.ids)]
        ).res_id = self.id
        self.env["nurture.outcome"]._move(opportunities, self)
        # why the others were lost goes on being known
        history = self.env["nurture.reason.history"].sudo()
        history.search([("lead_id", "in", opportunities.ids)]).lead_id = self
        return result

    def _nurture_win_back_note(self, participant, reason, step=None):
        """What brought the lead back and why it was lost, in words; arguments as
        :meth:`_nurture_win_back`."""
        reasons = dict(participant._fields["exit_reason"]._description_selection(self.env))
        what = reasons[reason]
        if step:
            what = self.env._("%(what)s (%(step)s)", what=what, step=step.name)
        if participant.won_back_date:
            credit = self.env._("Won back by the sequence “%s”", participant.sequence_id.name)
        else:
            credit = self.env._(
                "Won back, but not thanks to the sequence “%s”", participant.sequence_id.name
            )
        return Markup("<p>%s</p>") % self.env._(
            "%(credit)s: %(what)s. It had been lost on %(date)s: %(reason)s.",
            credit=credit,
            what=what,
            date=on_day(self.env, participant.date_lost) or self.env._("an unknown day"),
            reason=participant.lost_reason_id.name or self.env._("no reason given"),
        )
