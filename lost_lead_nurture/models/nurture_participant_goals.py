from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..tools.reasons import WON_BACK


class NurtureParticipant(models.Model):
    """Goals: who came back, thanks to which step, and who takes over."""

    _inherit = "nurture.participant"

    @api.model
    def _check_goals(self, leads, date=None):
        """Something happened around ``leads``, an order for instance: whoever has a reason to
        leave a sequence now does. Those who had completed one may still come back.

        :param date: when it happened; now, if not given
        """
        participants = (
            self.sudo()
            .search([("lead_id", "in", leads.ids), ("state", "in", ("running", "completed"))])
            .filtered(lambda one: one.state == "running" or one._is_in_window())
        )
        for reason, leaving in participants._get_ways_out().items():
            leaving._reach(reason, date=date)

    @api.model
    def _is_idle(self):
        """Whether no lead has ever been in a sequence: then nobody need be looked for."""
        return not self.search_count([], limit=1)

    @api.model
    def _get_leads_of(self, partners):
        """The leads in sequences of these partners, of their colleagues and of their addresses."""
        if not partners:
            return self.env["crm.lead"]
        return (
            self.env["crm.lead"]
            .sudo()
            .with_context(active_test=False)
            .search(
                Domain("nurture_participant_ids.state", "in", ("running", "completed"))
                & (
                    Domain(
                        "partner_id.commercial_partner_id", "in", partners.commercial_partner_id.ids
                    )
                    | Domain("email_normalized", "in", partners.mapped("email_normalized"))
                )
            )
        )

    def _get_ways_out(self):
        """Why participants have to leave.

        :return: ``{exit reason: participants}``
        """
        if not self:
            return {}
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT participant.id, %(reason)s
                  FROM nurture_participant participant
                  JOIN nurture_sequence sequence ON sequence.id = participant.sequence_id
             LEFT JOIN crm_lead lead ON lead.id = participant.lead_id
                 WHERE participant.id IN %(ids)s
              ORDER BY participant.id
                """,
                reason=self._sql_way_out(),
                ids=tuple(self.ids),
            )
        )
        leaving = {}
        for participant_id, reason in rows:
            if reason:
                leaving[reason] = leaving.get(reason, self.browse()) | self.browse(participant_id)
        return leaving

    @api.model
    def _sql_way_out(self):
        """The first reason to leave, or null, for the aliases ``lead``, ``participant`` and
        ``sequence``."""
        return SQL(
            "CASE %s END",
            SQL(" ").join(
                SQL("WHEN %s THEN %s", condition, reason)
                for reason, condition in self.env["crm.lead"]._nurture_ways_out()
            ),
        )

    def _reach(self, reason, step=None, date=None):
        """Let participants go for ``reason``. Where it is a goal the lead comes back into the
        pipeline as the sequence says, and the sequence is credited.

        :param step: the step that did it, where that is known
        :param date: when it happened; now, if not given
        """
        if reason in WON_BACK:
            self._win_back(reason, step, date)
        self._leave(reason)

    def _win_back(self, reason, step=None, date=None):
        """Bring leads back into the pipeline. Only the first time does: who was lost again since
        is not restored by an old mail."""
        for participant in self:
            if participant.won_back_date or participant.exit_reason in WON_BACK:
                continue
            if participant._is_in_window():
                participant._credit(step, date)
            participant.lead_id._nurture_win_back(participant, reason, step)

    def _is_in_window(self):
        """Whether a lead that comes back now still counts for the sequence."""
        self.ensure_one()
        now = fields.Datetime.now()
        window = timedelta(days=self.sequence_id.window_days)
        return now <= (self.exit_date or now) + window

    def _credit(self, step=None, date=None):
        """Note that the leads came back, and thanks to which step: ``step``, or the one whose
        mail was replied to, clicked, opened or sent last. Without any mail sent nobody earned it.
        """
        fresh = self.filtered(lambda participant: not participant.won_back_date)
        date = date or fields.Datetime.now()
        if step:
            fresh.write({"won_back_date": date, "credited_step_id": step.id})
            return
        for participant, last_step in fresh._get_last_touch().items():
            participant.write({"won_back_date": date, "credited_step_id": last_step.id})

    def _get_last_touch(self):
        """The step that touched each participant last, by the strongest sign of life.

        :return: ``{participant: step}`` for those who got a mail
        """
        if not self:
            return {}
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT ON (trace.participant_id) trace.participant_id, trace.step_id
                  FROM nurture_trace trace
                  JOIN mailing_trace mail ON mail.nurture_trace_id = trace.id
                 WHERE trace.participant_id IN %s AND mail.sent_datetime IS NOT NULL
              ORDER BY trace.participant_id, mail.reply_datetime DESC NULLS LAST,
                       mail.links_click_datetime DESC NULLS LAST,
                       mail.open_datetime DESC NULLS LAST, mail.sent_datetime DESC, trace.id DESC
                """,
                tuple(self.ids),
            )
        )
        steps = self.env["nurture.step"]
        return {self.browse(id_): steps.browse(step_id) for id_, step_id in rows}

    # ------------------------------------------------------------
    # WHO TAKES OVER
    # ------------------------------------------------------------

    def _get_salesperson(self):
        """Who takes the lead over, as the sequence says; whoever it would be has to be there and
        work for the lead's company."""
        self.ensure_one()
        sequence = self.sequence_id
        lead = self.lead_id
        company = lead.company_id or self.company_id
        keep = lead.user_id | self.user_id | lead.team_id.user_id | self.team_id.user_id
        wanted = {
            "keep": keep,
            "user": sequence.goal_user_id | keep,
            "team": self._get_next_in_turn(sequence.goal_team_id or lead.team_id, company) | keep,
        }[sequence.goal_assign]
        return wanted._nurture_at_work(company)[:1]

    def _get_next_in_turn(self, team, company):
        """The member of ``team`` who has waited longest for a lead that came back."""
        members = team.crm_team_member_ids.filtered("active").user_id._nurture_at_work(company)
        last = dict(
            self._read_group(
                [("handed_user_id", "in", members.ids), ("handed_date", "!=", False)],
                ["handed_user_id"],
                ["handed_date:max"],
            )
        )
        never = fields.Datetime.to_datetime("1970-01-01")
        return members.sorted(lambda user: (last.get(user, never), user.id))[:1]
