import logging
from collections import defaultdict
from datetime import timedelta

from markupsafe import Markup

from odoo import api, fields, models
from odoo.tools import SQL

from ...tools.reasons import WON_BACK
from ...tools.sandbox import is_past, is_sandbox
from ...tools.transaction import attempt

_logger = logging.getLogger(__name__)

#: Goals that are an event, and cannot be seen any more when the lead is looked at before its next
#: step.
NEVER_SEEN_AGAIN = ("replied", "clicked")


class NurtureParticipant(models.Model):
    """Goals: who was won back, thanks to which step, and who takes over."""

    _inherit = "nurture.participant"

    @api.model
    def _check_goals(self, leads, date=None):
        """Something happened around ``leads``, an order for instance: whoever has a reason to
        leave a sequence now does. Those who had completed one may still be won back.

        Nothing that goes wrong here may keep a customer from ordering, or somebody from booking a
        meeting: it is undone, and the responsible is notified. Before its next step the lead is
        looked at again.

        :param date: when it happened; now, if not given
        """
        states = ("running", "completed", "holdout")
        participants = self.sudo().search([("lead_id", "in", leads.ids), ("state", "in", states)])
        participants = participants._may_be_won_back()
        if not participants:
            return
        self.env.flush_all()

        def on_error(error):
            if is_past(self.env):
                raise error
            _logger.exception("Sequences could not handle what happened to %s", leads)
            participants._warn_unhandled(error)

        with attempt(self.env, on_error):
            for reason, leaving in participants._get_exit_conditions().items():
                held_out = leaving.filtered(lambda one: one.state == "holdout")
                held_out._note_return(reason, date)
                (leaving - held_out)._reach(reason, date=date)

    def _warn_unhandled(self, error):
        """What happened around these leads could not be handled: notify the responsible. That
        cannot keep a customer from ordering either.

        :param error: what stood against it
        """

        def on_error(_error):
            # the log, which has the error itself, is all that is left
            _logger.exception("The responsible of %s could not be notified", self.sequence_id)

        with attempt(self.env, on_error):
            for sequence in self.sequence_id:
                sequence._warn_once(
                    self.env._("An order or a meeting could not be taken in"),
                    Markup("<p>%s</p>") % error,
                )

    def _may_be_won_back(self):
        """Those who can reach a goal: who is in the sequence, or has completed it without being won
        back not too long ago; and who is held out, which is only noted."""
        return self.filtered(
            lambda one: (
                one.state == "running"
                or (
                    one.state == "completed"
                    and one.exit_reason not in WON_BACK
                    and one._is_in_window()
                )
                or (one.state == "holdout" and not one.return_date and one._is_in_window())
            )
        )

    def _note_return(self, reason, date=None):
        """Those held out returned without a mail. That is what the others are compared with:
        nobody is credited, and nothing becomes of the lead.

        :param date: when it happened; now, if not given
        """
        returning = self.filtered(lambda one: one._was_lost())
        if returning and reason in WON_BACK:
            returning.write({"return_date": date or fields.Datetime.now(), "return_reason": reason})

    @api.model
    def _is_idle(self):
        """Whether no lead has ever been in a sequence: then nobody need be looked for."""
        return not self.search_count([], limit=1)

    def _get_exit_conditions(self):
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
                reason=self._sql_exit_condition(),
                ids=tuple(self.ids),
            )
        )
        leaving = defaultdict(list)
        for participant_id, reason in rows:
            if reason:
                leaving[reason].append(participant_id)
        return {reason: self.browse(ids) for reason, ids in leaving.items()}

    @api.model
    def _sql_exit_condition(self):
        """The first reason to leave, or null, for the aliases ``lead``, ``participant`` and
        ``sequence``."""
        return SQL(
            "CASE %s END",
            SQL(" ").join(
                SQL("WHEN %s THEN %s", condition, reason)
                for reason, condition in self.env["crm.lead"]._nurture_exit_conditions()
            ),
        )

    def _reach(self, reason, step=None, date=None):
        """Let participants go for ``reason``. Where it is a goal the lead is won back into the
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
        fresh = self.filtered(lambda one: not one.won_back_date and one.exit_reason not in WON_BACK)
        touches = dict.fromkeys(fresh, step) if step else fresh._get_last_touch(date)
        for participant, last_step in touches.items():
            # the lead may have been won back by another sequence just now, which ended this one
            if participant.exit_reason not in WON_BACK:
                participant._credit(last_step, date)
                participant._bring_back(reason, step)

    def _bring_back(self, reason, step=None):
        """Bring the lead back into the pipeline. Whatever stands against it keeps nobody in the
        sequence who has answered: no more mails are sent, and somebody is notified."""
        self.ensure_one()
        if is_past(self.env):
            # what became of the lead is known
            return

        def on_error(error):
            if is_sandbox(self.env) or reason not in NEVER_SEEN_AGAIN:
                raise error
            _logger.warning("%s cannot be won back", self.lead_id, exc_info=True)
            self.sequence_id._warn(
                self.env._("%s was won back, but cannot be restored", self.lead_name),
                Markup("<p>%s</p>") % error,
            )

        with attempt(self.env, on_error):
            self.lead_id._nurture_win_back(self, reason, step)

    def _was_lost(self):
        """Whether the lead was lost when it entered, as nearly all are."""
        self.ensure_one()
        return self.entry_status in (False, "lost")

    def _is_in_window(self):
        """Whether a lead that is won back now still counts for the sequence."""
        self.ensure_one()
        now = fields.Datetime.now()
        window = timedelta(days=self.sequence_id.window_days)
        return now <= (self.exit_date or now) + window

    def _credit(self, step, date=None):
        """Note that the lead was won back thanks to ``step``. Where nobody clicked or replied no
        step earned it, after the attribution window it is too late, a lead that is won back is
        credited once, and one that was not lost when it entered is not won back.

        :param date: when it was won back; now, if not given
        """
        self.ensure_one()
        if not step or not self._was_lost() or not self._is_in_window():
            return
        elsewhere = [
            ("lead_id", "=", self.lead_id.id),
            ("id", "!=", self.id),
            ("won_back_date", ">=", self.entered_date),
        ]
        if not self.search_count(elsewhere, limit=1) and not self._is_credited_to_mailing():
            self.write(
                {"won_back_date": date or fields.Datetime.now(), "credited_step_id": step.id}
            )

    def _credit_late(self):
        """A click is believed a minute after it was made: who was won back meanwhile was won back
        by it."""
        for participant in self:
            if participant.exit_reason in WON_BACK and not participant.won_back_date:
                step = participant._get_last_touch(participant.exit_date)[participant]
                participant._credit(step, participant.exit_date)

    def _is_credited_to_mailing(self):
        """Whether a plain mailing has brought the lead back since it entered."""
        earned = [
            ("lead_id", "=", self.lead_id.id),
            *(("kind", "=", "restored"), ("model", "=", "last")),
            *(("sequence_id", "=", False), ("date", ">=", self.entered_date)),
        ]
        return bool(self.env["nurture.credit"].sudo().search_count(earned, limit=1))

    def _get_last_touch(self, date=None):
        """The step in whose mail people clicked, or to which they replied, last, where it is one of
        this journey.

        :param date: until when; now, if not given
        :return: ``{participant: step}``, those with one first
        """
        last = self.env["nurture.credit"]._get_last_touch(
            self.lead_id, date or fields.Datetime.now()
        )
        steps = self.env["nurture.step"]
        touches = {}
        for participant in self:
            touch = last.get(participant.lead_id, {})
            is_own = touch.get("participant_id") == participant.id
            touches[participant] = steps.browse(touch["step_id"] if is_own else ())
        return dict(sorted(touches.items(), key=lambda one: not one[1]))

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
        wanted = self.env["res.users"]
        if sequence.goal_assign == "user":
            wanted = sequence.goal_user_id
        elif sequence.goal_assign == "team":
            team = sequence.goal_team_id or lead.team_id or self.team_id
            wanted = self._get_next_in_turn(team, company)
        wanted |= lead.user_id | self.user_id | lead.team_id.user_id | self.team_id.user_id
        return wanted._nurture_at_work(company)[:1]

    def _get_next_in_turn(self, team, company):
        """The member of ``team`` who has waited longest for a lead that was won back. Whose
        assignment is paused is passed over."""
        members = team.crm_team_member_ids.filtered(
            lambda member: member.active and not member.assignment_optout
        ).user_id._nurture_at_work(company)
        handed = [("handed_user_id", "in", members.ids), ("handed_date", "!=", False)]
        last = dict(self._read_group(handed, ["handed_user_id"], ["handed_date:max"]))
        # several leads of one batch are won back in the same second
        just_now = dict(
            self._read_group(
                [*handed, ("handed_date", "=", fields.Datetime.now())],
                ["handed_user_id"],
                ["__count"],
            )
        )
        never = fields.Datetime.to_datetime("1970-01-01")
        return members.sorted(lambda user: (last.get(user, never), just_now.get(user, 0), user.id))[
            :1
        ]
