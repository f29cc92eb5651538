from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools.dates import on_clock, on_day
from ..core.results_mixin import GROUPS
from .lead import STATUS_GROUPS


class CrmLead(models.Model):
    """Where leads stand in their sequences: what salespeople see of it on form, cards and lists.

    Of several journeys the one that tells most counts: the one that won the lead back, else the one
    it is on now, else the latest. Whoever sees a lead sees this of it; the journeys themselves have
    rules of their own."""

    _name = "crm.lead"
    _inherit = ["crm.lead", "nurture.results.mixin"]
    _credited_by = "lead_id"

    nurture_lead_count = fields.Integer(groups=GROUPS)
    nurture_quotation_count = fields.Integer(groups=GROUPS)
    nurture_results_currency_id = fields.Many2one(groups=GROUPS)

    nurture_journey_id = fields.Many2one(
        "nurture.participant",
        string="Nurture Participant",
        compute="_compute_nurture",
        compute_sudo=True,
        groups=STATUS_GROUPS,
    )
    nurture_state = fields.Selection(
        [
            ("running", "In Nurture"),
            ("won_back", "Won Back"),
            ("completed", "Nurture Completed"),
            ("left", "Left Nurture"),
            ("holdout", "Held Out"),
        ],
        string="Nurture",
        compute="_compute_nurture",
        compute_sudo=True,
        search="_search_nurture_state",
        help="In Nurture: a sequence is at it now.\n"
        "Won Back: not lost any more, thanks to a sequence.\n"
        "Held Out: gets nothing, so that those who do can be compared.",
    )
    nurture_status = fields.Char(
        compute="_compute_nurture",
        compute_sudo=True,
        help="How its nurture sequence ended, or that it is running.",
    )
    nurture_label = fields.Char(
        compute="_compute_nurture", compute_sudo=True, help="Its nurture sequence, in words."
    )
    nurture_next_date = fields.Datetime(compute="_compute_nurture_detail", compute_sudo=True)
    nurture_detail = fields.Char(
        compute="_compute_nurture_detail",
        compute_sudo=True,
        help="What comes next and when, or what brought the lead back.",
    )
    nurture_possible = fields.Boolean(
        string="May Be Nurtured",
        compute="_compute_nurture_possible",
        compute_sudo=True,
        search="_search_nurture_possible",
        help="Lost, with an email address that is neither blacklisted nor forgotten nor has ended "
        "a sequence in silence, and in no sequence now.",
    )

    # ------------------------------------------------------------
    # COMPUTES
    # ------------------------------------------------------------

    @api.depends(
        "won_status",
        "nurture_participant_ids.state",
        "nurture_participant_ids.exit_reason",
        "nurture_participant_ids.won_back_date",
    )
    @api.depends_context("lang")
    def _compute_nurture(self):
        participants = self.env["nurture.participant"]
        states = dict(participants._fields["state"]._description_selection(self.env))
        reasons = dict(participants._fields["exit_reason"]._description_selection(self.env))
        journeys = self._nurture_get_journeys()
        prefetch = [journey_id for journey_id, _state in journeys.values()]
        for lead in self:
            journey_id, state = journeys.get(lead._origin.id, (False, False))
            journey = participants.browse(journey_id).with_prefetch(prefetch)
            lead.nurture_journey_id = journey
            lead.nurture_state = state
            lead.nurture_status = reasons.get(journey.exit_reason) or states.get(journey.state)
            if state == "running" and journey.sequence_id.state != "running":
                lead.nurture_status = self.env._("Sequence stopped")
            lead.nurture_label = self._nurture_get_label(state, journey.sequence_id.name)

    @api.depends("nurture_journey_id")
    @api.depends_context("lang", "tz")
    def _compute_nurture_detail(self):
        running = self.filtered(lambda lead: lead.nurture_state == "running")
        open_traces = running.nurture_journey_id._get_open_traces()
        for lead in self:
            lead.nurture_next_date = lead.nurture_detail = False
            journey = lead.nurture_journey_id
            if lead.nurture_state == "won_back":
                # what follows an answer may still be running
                event = lead.nurture_status if journey.exit_reason else self.env._("Won back")
                lead.nurture_detail = self.env._(
                    "%(event)s on %(date)s.",
                    event=event,
                    date=on_day(self.env, journey.won_back_date),
                )
            elif lead.nurture_state == "running":
                coming = open_traces.get(journey, self.env["nurture.trace"])
                scheduled = coming._filter_coming()
                if journey.sequence_id.state == "running":
                    lead.nurture_next_date = scheduled[:1].schedule_date
                lead.nurture_detail = lead._nurture_describe_next(coming)

    def _compute_nurture_possible(self):
        possible = self.with_context(active_test=False).search(
            [("id", "in", self._origin.ids), ("nurture_possible", "=", True)]
        )
        for lead in self:
            lead.nurture_possible = lead._origin in possible

    @api.model
    def _nurture_get_label(self, state, name):
        labels = {
            "running": self.env._("In nurture: %s", name),
            "won_back": self.env._("Won back by %s", name),
            "completed": self.env._("Went through %s", name),
            "left": self.env._("Left %s", name),
            "holdout": self.env._("Held out of %s", name),
        }
        return labels.get(state)

    def _nurture_describe_next(self, traces):
        """What comes next in the sequence that the lead is in, in words.

        :param traces: what is still open of its journey, in the order of dates
        """
        sequence = self.nurture_journey_id.sequence_id
        if sequence.state != "running":
            return self.env._("The sequence is stopped: nothing comes until it is started again.")
        scheduled = traces._filter_coming()[:1]
        if scheduled.schedule_date and scheduled.schedule_date > fields.Datetime.now():
            return self.env._(
                "Next: “%(step)s” on %(date)s.",
                step=scheduled.step_id.name,
                date=on_clock(self.env, scheduled.schedule_date),
            )
        if scheduled:
            return self.env._("Next: “%s”, in a moment.", scheduled.step_id.name)
        if failed := traces.filtered(lambda trace: trace.state == "error")[:1]:
            return self.env._("“%s” failed: a marketer has to look at it.", failed.step_id.name)
        if until := max(traces.filtered("expire_date").mapped("expire_date"), default=None):
            return self.env._(
                "Waits for a reaction, until %s at the latest.", on_day(self.env, until)
            )
        return self.env._("A mail is about to leave.")

    # ------------------------------------------------------------
    # SETS
    # ------------------------------------------------------------

    @api.model
    def _nurture_sql_journeys(self, condition=None):
        """SELECT of one journey per lead, the one that counts: ``lead_id``, ``id`` and ``state``,
        see :attr:`nurture_state`.

        :param condition: SQL on the participant ``journey``
        """
        self.flush_model(["won_status"])
        self.env["nurture.participant"].flush_model(["lead_id", "state", "won_back_date"])
        won_back = SQL(
            "(journey.won_back_date IS NOT NULL AND lead.won_status IS DISTINCT FROM 'lost')"
        )
        return SQL(
            """
            SELECT DISTINCT ON (journey.lead_id) journey.lead_id, journey.id,
                   CASE WHEN %(won_back)s THEN 'won_back'
                        WHEN journey.state IN ('exited', 'removed') THEN 'left'
                        ELSE journey.state END AS state
              FROM nurture_participant journey
              JOIN crm_lead lead ON lead.id = journey.lead_id
             WHERE %(condition)s
          ORDER BY journey.lead_id, %(won_back)s DESC, journey.state = 'running' DESC,
                   journey.id DESC
            """,
            won_back=won_back,
            condition=condition or SQL("true"),
        )

    def _nurture_get_journeys(self):
        """``{lead id: (id of the journey that counts, state)}``"""
        ids = tuple(self._origin.ids)
        if not ids:
            return {}
        journeys = self._nurture_sql_journeys(SQL("journey.lead_id IN %s", ids))
        return {
            lead_id: (journey_id, state)
            for lead_id, journey_id, state in self.env.execute_query(journeys)
        }

    def _search_nurture_state(self, operator, value):
        if operator != "in":
            return NotImplemented
        states = tuple(str(state) for state in value if state) or ("",)
        journeys = self._nurture_sql_journeys()
        found = SQL(
            "SELECT journeys.lead_id FROM (%s) journeys WHERE journeys.state IN %s",
            journeys,
            states,
        )
        domain = _in_query(found)
        if False in value:
            domain |= ~_in_query(SQL("SELECT journeys.lead_id FROM (%s) journeys", journeys))
        return domain

    def _search_nurture_possible(self, operator, value):
        if operator != "in":
            return NotImplemented
        self.flush_model(["won_status", "email_normalized"])
        self.env["nurture.participant"].flush_model(["lead_id", "state", "email", "exit_reason"])
        self.env["mail.blacklist"].flush_model(["active", "email"])
        possible = _in_query(
            SQL(
                """
                SELECT lead.id
                  FROM crm_lead lead
                 WHERE lead.won_status = 'lost'
                   AND lead.email_normalized IS NOT NULL
                   AND NOT %(blacklisted)s
                   AND NOT (%(forgotten)s)
                   AND NOT %(silent)s
                   AND NOT EXISTS (SELECT 1 FROM nurture_participant journey
                                    WHERE journey.lead_id = lead.id AND journey.state = 'running')
                   AND NOT EXISTS (SELECT 1 FROM nurture_participant journey
                                    WHERE journey.email = lead.email_normalized
                                      AND journey.state = 'running')
                """,
                blacklisted=self._nurture_sql_blacklisted(),
                forgotten=SQL(" OR ").join(self._nurture_sql_forgotten()),
                silent=self._nurture_sql_silent(),
            )
        )
        return possible if True in value else ~possible

    def _read_group_groupby(self, alias, groupby_spec, query):
        if groupby_spec != "nurture_state":
            return super()._read_group_groupby(alias, groupby_spec, query)
        self._check_field_access(self._fields["nurture_state"], "read")
        journeys = SQL("(%s)", self._nurture_sql_journeys())
        joined = query.left_join(alias, "id", journeys, "lead_id", "nurture_journey")
        return SQL.identifier(joined, "state")

    @api.model
    def _nurture_invalidate(self):
        """What leads show of their journeys is stale after SQL."""
        self.invalidate_model(
            [
                *(
                    "nurture_participant_ids",
                    "nurture_journey_id",
                    "nurture_state",
                    "nurture_status",
                ),
                *("nurture_label", "nurture_detail", "nurture_next_date", "nurture_possible"),
            ],
            flush=False,
        )

    # ------------------------------------------------------------
    # ACTIONS
    # ------------------------------------------------------------

    def action_view_nurture(self):
        """Open the lead's journey through its sequences.

        :raise UserError: when none of them is for the user's eyes
        """
        self.ensure_one()
        participants = self.env["nurture.participant"].search([("lead_id", "=", self.id)])
        if not participants:
            raise UserError(
                self.env._(
                    "Marketers and the salesperson of the lead see what it got. Assign the lead "
                    "first."
                )
            )
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "lost_lead_nurture.nurture_participant_action"
        )
        action["domain"] = [("lead_id", "=", self.id)]
        action["context"] = {"create": False}
        if len(participants) == 1:
            action.update(res_id=participants.id, views=[(False, "form")])
        return action

    def action_nurture_remove(self):
        """Take the lead out of the sequence that it is in."""
        self.ensure_one()
        running = self.nurture_journey_id.filtered(lambda journey: journey.state == "running")
        if not running:
            raise UserError(self.env._("The lead is in no sequence any more."))
        return running.action_remove()


def _in_query(query):
    """Domain of the leads whose ids an SQL query selects."""
    return Domain.custom(
        to_sql=lambda _model, alias, _query: SQL("%s IN (%s)", SQL.identifier(alias, "id"), query)
    )
