from odoo import api, fields, models
from odoo.tools import SQL

from ...tools.arguments import check_records
from ...tools.dates import on_day
from ...tools.providers import PROVIDERS, keep_provider
from ...tools.reasons import EXIT_REASONS, WON_BACK


class NurtureParticipant(models.Model):
    """One lead's journey through one sequence, with what the lead was when it entered."""

    _name = "nurture.participant"
    _description = "Nurture Participant"
    _order = "id desc"
    _rec_name = "lead_name"

    sequence_id = fields.Many2one(
        "nurture.sequence", required=True, readonly=True, ondelete="restrict"
    )
    company_id = fields.Many2one("res.company", readonly=True)
    lead_id = fields.Many2one(
        "crm.lead",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        context={"active_test": False},
    )
    enrolment_number = fields.Integer(
        default=1, readonly=True, help="How many times this address has entered the sequence."
    )
    state = fields.Selection(
        [
            ("running", "Running"),
            ("completed", "Completed"),
            ("exited", "Exited"),
            ("removed", "Removed"),
            ("holdout", "Held Out"),
        ],
        required=True,
        readonly=True,
        default="running",
    )
    exit_reason = fields.Selection(
        EXIT_REASONS, string="Reason", readonly=True, help="Why the lead is not in it any more."
    )
    entered_date = fields.Datetime(string="Entered On", readonly=True, required=True)
    entered_by_hand = fields.Boolean(
        readonly=True, help="Somebody added the lead; it did not enter automatically."
    )
    cure_id = fields.Many2one(
        "nurture.cure",
        string="Possible Again",
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
        help="What was missing when the lead was lost, and is possible again: by it the lead "
        "entered.",
    )
    profile_id = fields.Many2one(
        "nurture.preset",
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
        help="The preset by which the lead entered, of a sequence for several.",
    )
    entry_status = fields.Selection(
        [("lost", "Lost"), ("pending", "Open"), ("won", "Won")],
        string="Entered As",
        readonly=True,
        help="What the lead was when it entered. Empty: lost.",
    )
    event_kind = fields.Char(
        readonly=True, help="What somebody did and so let the lead in, as a kind of entry."
    )
    event_date = fields.Datetime(
        string="Let In By", readonly=True, help="When that was, where the lead enters by it."
    )
    event_name = fields.Char(readonly=True, help="Of what: a link, an order or a page.")
    exit_date = fields.Datetime(string="Ended On", readonly=True)
    trace_ids = fields.One2many("nurture.trace", "participant_id", string="Traces")

    # snapshot: restoring a lead erases the first of these on it
    lead_name = fields.Char(readonly=True)
    lost_reason_id = fields.Many2one(
        "crm.lost.reason", readonly=True, index="btree_not_null", ondelete="restrict"
    )
    date_lost = fields.Datetime(string="Lost On", readonly=True)
    dedup_key = fields.Char(
        readonly=True,
        required=True,
        help="What enters only once per enrolment: the address, or the lead where the sequence is "
        "gone through per lead.",
    )
    email = fields.Char(readonly=True, index="btree_not_null", help="Normalized address at entry.")
    provider = fields.Selection(
        PROVIDERS,
        string="Mail Provider",
        readonly=True,
        help="Of an address that is not known any more, for the statistics.",
    )
    user_id = fields.Many2one("res.users", string="Salesperson", readonly=True)
    team_id = fields.Many2one("crm.team", string="Sales Team", readonly=True)
    country_id = fields.Many2one("res.country", readonly=True, help="Country of the lead at entry.")
    expected_revenue = fields.Float(
        readonly=True, help="Expected revenue of the lead at entry, in the company's currency."
    )

    # results
    won_back_date = fields.Datetime(
        readonly=True, help="When the lead was won back after a mail of this sequence."
    )
    return_date = fields.Datetime(
        string="Returned without Mails",
        readonly=True,
        help="When a lead that was held out returned: nobody is credited.",
    )
    return_reason = fields.Selection(
        # the same as those why others leave, see WON_BACK
        EXIT_REASONS,
        readonly=True,
        help="How a lead that was held out returned.",
    )
    credited_step_id = fields.Many2one(
        "nurture.step",
        string="Won Back By",
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
        help="The step in whose mail somebody clicked, or to which somebody replied, last.",
    )
    handed_user_id = fields.Many2one(
        "res.users",
        string="Handed To",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        help="Who got the lead when it was won back.",
    )
    handed_date = fields.Datetime(string="Handed On", readonly=True)
    credit_ids = fields.One2many(
        "nurture.credit", "participant_id", help="What came of it, by each model of attribution."
    )
    order_ids = fields.Many2many(
        "sale.order",
        compute="_compute_order_ids",
        string="Quotations",
        groups="sales_team.group_sale_salesman",
        help="Quotations and orders that are credited to this journey.",
    )
    decisions = fields.Html(
        compute="_compute_decisions",
        help="Everything that was decided about the lead in this sequence, with date and reason.",
    )

    _enrolment_unique = models.Constraint(
        "UNIQUE (sequence_id, dedup_key, enrolment_number)",
        "An address enters a sequence only once per enrolment.",
    )
    # who was won back in a week, and who answered
    _won_back = models.Index("(won_back_date) WHERE won_back_date IS NOT NULL")
    _answered = models.Index("(lead_id) WHERE exit_reason = 'replied'")
    # the silent ones that may not enter again
    _silent = models.Index("(email) WHERE exit_reason = 'silent'")
    _one_journey_at_a_time = models.UniqueIndex(
        "(sequence_id, lead_id) WHERE state = 'running'",
        "A lead goes through a sequence only once at a time.",
    )

    def _compute_order_ids(self):
        self.env["nurture.outcome"]._catch_up()
        credits_ = self.env["nurture.credit"].sudo()
        domain = credits_._get_domain("quotations", [("participant_id", "in", self.ids)])
        rows = credits_._read_group(domain, ["participant_id"], ["order_id:recordset"])
        orders = {participant.id: found for participant, found in rows}
        for participant in self:
            found = orders.get(participant._origin.id, credits_.order_id)
            participant.order_ids = found.with_env(self.env)._filtered_access("read")

    @api.depends("lead_name")
    @api.depends_context("uid", "allowed_company_ids")
    def _compute_display_name(self):  # pylint: disable=missing-return
        """Links to it stand on records that more people see, such as the statistics of mails, and
        core tells the name of whatever is linked. It is the lead's: for who may read it."""
        super()._compute_display_name()
        for participant in self - self.sudo(False)._filtered_access("read").with_env(self.env):
            participant.display_name = self.env._("Participant")

    @api.depends("entered_date", "exit_date", "exit_reason", "trace_ids.decision_log")
    @api.depends_context("lang", "tz")
    def _compute_decisions(self):
        for participant in self:
            lines = participant._get_decisions()
            participant.decisions = self.env["nurture.trace"]._render_decisions(lines)

    def _get_decisions(self):
        """All that was decided, its entry and end included.

        :return: list of (date, step, what, detail), as :meth:`nurture.trace._get_decisions`
        """
        self.ensure_one()
        labels = dict(self._fields["exit_reason"]._description_selection(self.env))
        entry = self.env._("Entered the sequence")
        lines = [(self.entered_date, "", entry, "; ".join(self._describe_what_let_in()) or None)]
        for trace in self.trace_ids:
            lines += trace._get_decisions()
        if self.exit_date:
            reason = labels.get(self.exit_reason)
            lines.append((self.exit_date, "", self.env._("Ended: %s", reason), None))
        if self.return_date:
            reason = labels.get(self.return_reason)
            back = self.env._("Returned without mails: %s", reason)
            lines.append((self.return_date, "", back, None))
        return lines

    def _describe_what_let_in(self):
        """What the lead had waited for, had done or was let in as, in words.

        :return: list of texts
        """
        said = (
            self._describe_cure(),
            self._describe_price(),
            self._describe_event(),
            self._describe_profile(),
        )
        return list(filter(None, said))

    def _describe_cure(self):
        """What is possible again and let the lead enter, in words; False when nothing did."""
        # the name of a product, say, for who may read the journey
        cure = self.sudo().cure_id
        return cure and self.env._("possible again: %s", cure._describe())

    def _describe_profile(self):
        """By which profile the lead entered, in words; False when by none."""
        # salespeople do not see presets, and read what they are called
        profile = self.sudo().profile_id
        return profile and self.env._("matched the profile “%s”", profile.name)

    def _describe_event(self):
        """What somebody did that let the lead in, in words; False when nothing did."""
        if not self.event_date:
            return False
        words = self._get_event_words().get(self.event_kind)
        if not words:
            # the add-on that knew it is gone
            return False
        if self.event_name:
            words = self.env._("%(what)s (%(name)s)", what=words, name=self.event_name)
        return self.env._(
            "%(what)s on %(date)s", what=words, date=on_day(self.env, self.event_date)
        )

    def _get_event_words(self):
        """What somebody did, by kind of entry."""
        return {
            "click": self.env._("clicked in a mail"),
            "reply": self.env._("answered a mail"),
            "complaint": self.env._("called a mail spam"),
            "order": self.env._("ordered"),
            "welcome": self.env._("was made"),
        }

    def _explain(self):
        """The journey of the lead in plain values, see :meth:`nurture.sequence.explain`."""
        self.ensure_one()
        return {
            "enrolment_number": self.enrolment_number,
            "state": self.state,
            "exit_reason": self.exit_reason,
            "profile": self.sudo().profile_id.name,
            "entered_date": fields.Datetime.to_string(self.entered_date),
            "exit_date": fields.Datetime.to_string(self.exit_date),
            "return_date": fields.Datetime.to_string(self.return_date),
            "return_reason": self.return_reason,
            "steps": [
                {
                    "step": trace.step_id.name,
                    "state": trace.state,
                    "reason": trace.reason,
                    "schedule_date": fields.Datetime.to_string(trace.schedule_date),
                    "decisions": [
                        {
                            "date": fields.Datetime.to_string(date),
                            "what": what,
                            "detail": detail or False,
                        }
                        for date, _step, what, detail in trace._get_decisions()
                    ],
                }
                for trace in self.trace_ids.sorted("id")
            ],
        }

    # ------------------------------------------------------------
    # ACTIONS
    # ------------------------------------------------------------

    def action_remove(self):
        """Take leads out of their sequence by hand."""
        check_records(self)
        self.sequence_id.check_access("write")
        self.sudo()._leave("removed")
        return True

    def action_run_now(self):
        """Do the next steps of these leads now, see :meth:`nurture.trace.action_run_now`."""
        check_records(self)
        return self.trace_ids.filtered(lambda trace: trace.state == "scheduled").action_run_now()

    def button_run_now(self):
        """:meth:`action_run_now`, for people."""
        check_records(self)
        return self.trace_ids.filtered(lambda trace: trace.state == "scheduled").button_run_now()

    def action_retry(self):
        """Give the failed steps of these leads another try."""
        check_records(self)
        return self.trace_ids.filtered(lambda trace: trace.state == "error").action_retry()

    def button_retry(self):
        """:meth:`action_retry`, for people."""
        check_records(self)
        return self.trace_ids.filtered(lambda trace: trace.state == "error").button_retry()

    def action_forget(self):
        """Erase who it was, for somebody who asks to be forgotten: name and address. What became
        of it goes on counting. Whoever is still in a sequence leaves it, other sequences included,
        and no sequence takes the address any more, see ``nurture.forgotten``."""
        check_records(self)
        self.sequence_id.check_access("write")
        participants = self.sudo()
        addresses = participants._get_addresses()
        participants._leave("removed")
        self.env["nurture.forgotten"]._forget_address(addresses)
        participants._erase()
        return True

    def _erase(self):
        """Erase who it was, here and in the statistics of the mails."""
        self.trace_ids.mailing_trace_ids._nurture_forget()
        self._forget()

    def _get_addresses(self):
        """The addresses at which they were written to, and would be now."""
        self.env["crm.lead"].flush_model()
        rows = self.env.execute_query(
            SQL(
                "SELECT known.address FROM crm_lead lead, unnest(ARRAY[%s]::text[]) known (address)"
                " WHERE lead.id IN %s",
                SQL(", ").join(self.env["crm.lead"]._nurture_sql_addresses()),
                tuple(self.lead_id.ids) or (0,),
            )
        )
        addresses = {address for (address,) in rows}
        addresses.update(self.mapped("email"), self.trace_ids.mailing_trace_ids.mapped("email"))
        return [address for address in addresses if address]

    @api.model
    def _find_running(self, addresses):
        """Who is in a sequence with one of these addresses."""
        return self.search(
            [
                ("state", "=", "running"),
                "|",
                ("email", "in", addresses),
                ("lead_id.email_normalized", "in", addresses),
            ]
        )

    def _forget(self):
        """Erase name and address, and what the system said, which may tell them."""
        self.trace_ids._forget()
        keep_provider(self, "provider")
        for participant in self:
            participant.write(
                {
                    "lead_name": self.env._("Forgotten lead"),
                    "email": False,
                    "event_name": False,
                    "dedup_key": f"forgotten {participant.id}",
                }
            )

    def _is_forgotten(self):
        return bool(self.anonymised_date) or self.dedup_key == f"forgotten {self.id}"

    def action_view_lead(self):
        """Open the lead."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "crm.lead",
            "res_id": self.lead_id.id,
            "view_mode": "form",
        }

    # ------------------------------------------------------------
    # ENROL
    # ------------------------------------------------------------

    @api.model
    def _enrol(self, sequence, leads_query, by_hand=False, draws=True):
        """Let the leads of ``leads_query`` enter: participants and their first traces. Of several
        leads with one address the one lost last is taken.

        :param leads_query: SQL that selects ids of ``crm_lead``
        :param by_hand: whether somebody chose these leads
        :param draws: whether some of them are held out
        :return: ids of the leads that entered, held-out ones included
        """
        self.env.flush_all()
        now = fields.Datetime.now()
        dedup_key = self._sql_dedup_key(sequence)
        # two arrays: a row for each of a hundred thousand leads would take far more memory
        ((participant_ids, lead_ids),) = self.env.execute_query(
            SQL(
                """
                WITH entering AS (
                    INSERT INTO nurture_participant (
                           sequence_id, company_id, lead_id, dedup_key, enrolment_number, state,
                           exit_reason, entered_date, entered_by_hand, exit_date, lead_name,
                           lost_reason_id, date_lost, email, user_id, team_id, country_id,
                           expected_revenue, holdout_percent, global_holdout_percent,
                           is_held_out_globally, cure_id, profile_id, entry_status,
                           event_kind, event_date, event_name,
                           create_uid, create_date, write_uid, write_date)
                    SELECT DISTINCT ON (%(dedup_key)s)
                           %(sequence)s, COALESCE(%(company)s, lead.company_id), lead.id,
                           %(dedup_key)s, %(enrolment_number)s,
                           CASE WHEN held_out THEN 'holdout' ELSE 'running' END,
                           CASE WHEN held_out THEN 'holdout' END,
                           %(now)s, %(by_hand)s, CASE WHEN held_out THEN %(now)s END,
                           lead.name, lead.lost_reason_id, lead.date_closed, lead.email_normalized,
                           lead.user_id, lead.team_id, lead.country_id, lead.expected_revenue,
                           percent, global_percent, globally, cured.id, %(profile)s,
                           lead.won_status, CASE WHEN event.lead_id IS NOT NULL THEN %(entry)s END,
                           event.date, event.name,
                           %(uid)s, %(now)s, %(uid)s, %(now)s
                      FROM crm_lead lead
             CROSS JOIN LATERAL %(draw)s
                 LEFT JOIN (%(cures)s) cured ON cured.lead_id = lead.id
                 LEFT JOIN (%(events)s) event ON event.lead_id = lead.id
                     WHERE lead.id IN (%(leads)s) AND %(free)s
                  ORDER BY %(dedup_key)s, lead.date_closed DESC NULLS LAST, lead.id DESC
               ON CONFLICT DO NOTHING
                 RETURNING id, lead_id
                )
                SELECT COALESCE(array_agg(id), '{}'), COALESCE(array_agg(lead_id), '{}')
                  FROM entering
                """,
                dedup_key=dedup_key,
                sequence=sequence.id,
                company=sequence.company_id.id or None,
                enrolment_number=self._sql_enrolment_number(sequence, dedup_key),
                now=now,
                by_hand=by_hand,
                cures=self._sql_cures(sequence, by_hand),
                events=sequence._sql_last_events(by_hand),
                entry=sequence.entry,
                profile=sequence._sql_profile(by_hand),
                uid=self.env.uid,
                leads=leads_query,
                draw=self._sql_draw(sequence, dedup_key)
                if draws
                else SQL(
                    "(SELECT false AS held_out, false AS globally, 0 AS percent,"
                    " 0 AS global_percent) draw"
                ),
                free=SQL(" AND ").join(
                    SQL("NOT %s", condition) for condition in self._sql_inside(sequence)
                ),
            )
        )
        self.env["nurture.sequence"].invalidate_model(["participant_ids"], flush=False)
        self._note_prices(sequence, participant_ids)
        self._invalidate_leads()
        self.env["nurture.trace"]._begin(participant_ids)
        return lead_ids

    @api.model
    def _sql_dedup_key(self, sequence):
        """What enters once per enrolment, for the alias ``lead``."""
        if sequence.entry_per == "lead":
            return SQL("'lead ' || lead.id")
        return SQL("lead.email_normalized")

    @api.model
    def _sql_cures(self, sequence, by_hand):
        """SELECT of ``lead_id`` and the ``id`` of the mark that lets it enter: of several the
        latest."""
        if sequence.entry != "cure" or by_hand:
            return SQL("SELECT NULL::int AS lead_id, NULL::int AS id WHERE false")
        return SQL(
            "SELECT DISTINCT ON (one.lead_id) one.lead_id, one.id FROM (%s) one"
            " ORDER BY one.lead_id, one.date DESC, one.id DESC",
            self.env["nurture.cure"]._sql_cures(sequence),
        )

    @api.model
    def _sql_enrolment_number(self, sequence, dedup_key):
        if sequence.reentry == "never" and sequence.entry != "date":
            return SQL("1")
        return SQL(
            "(SELECT COALESCE(max(before.enrolment_number), 0) + 1 FROM nurture_participant before"
            " WHERE before.sequence_id = %s AND before.dedup_key IN %s)",
            sequence.id,
            self._sql_known_keys(dedup_key),
        )

    @api.model
    def _sql_inside(self, sequence):
        """Conditions under which a lead may not enter (again): it, or its address, is in the
        sequence, or was and may not be won back yet.

        :return: list of SQL conditions on ``lead``, each a bare EXISTS
        """
        since = self._sql_too_early(sequence)
        return [
            SQL(
                "EXISTS (SELECT 1 FROM nurture_participant inside WHERE inside.sequence_id = %s"
                " AND %s AND (inside.state = 'running' OR %s))",
                sequence._origin.id or 0,
                same,
                since,
            )
            for same in (
                SQL("inside.dedup_key IN %s", self._sql_known_keys(self._sql_dedup_key(sequence))),
                SQL("inside.lead_id = lead.id"),
            )
        ]

    @api.model
    def _sql_too_early(self, sequence):
        """Whether who was in the sequence may not enter it again yet, for the aliases ``inside``,
        which is the journey before, and ``lead``."""
        if sequence._is_yearly():
            # once per anniversary
            return SQL("inside.entered_date >= %s", sequence._sql_entry_date())
        if sequence.reentry == "days":
            return SQL(
                "COALESCE(inside.exit_date, inside.entered_date) > %s",
                fields.Datetime.subtract(fields.Datetime.now(), days=sequence.reentry_days),
            )
        if sequence.reentry == "price":
            return SQL("NOT %s", self.env["nurture.price"]._sql_has_risen(sequence))
        if sequence.reentry == "lost":
            return SQL("inside.entered_date >= lead.date_closed")
        if sequence.reentry == "event":
            # what was done before it entered lets nobody in once more
            return SQL("false")
        return SQL("true")

    # ------------------------------------------------------------
    # LEAVE
    # ------------------------------------------------------------

    def _leave(self, reason):
        """End the journey of these participants, whatever the reason: nothing more of the sequence
        reaches them. What is open is cancelled and mails still in the queue are recalled.

        Somebody who had completed the sequence may still be won back (reply, restore, win).
        """
        if not self:
            return
        states = ("running", "completed") if reason in WON_BACK else ("running",)
        leaving = self._end(
            SQL("id IN %s AND state IN %s", tuple(self.ids), states),
            "removed" if reason == "removed" else "exited",
            SQL("%s", reason),
        )
        if not leaving:
            return
        traces = self.env["nurture.trace"]
        traces._update(
            SQL(
                "participant_id IN %s AND state IN ('waiting', 'scheduled', 'error')",
                tuple(leaving.ids),
            ),
            state="cancelled",
            reason="left",
        )
        leaving._recall_messages()

    def _recall_messages(self):
        """Cancel the messages to these participants that are still in a queue."""
        queued = self.env["mailing.trace"]._nurture_queued([("participant_id", "in", self.ids)])
        if queued:
            queued.nurture_trace_id._set_state("cancelled", "recalled")
            queued._nurture_cancel_queued()
        # the engine's own rows: whoever lets somebody leave need not see consents
        requests = self.env["nurture.consent"].sudo()
        asked = requests._recall([("participant_id", "in", self.ids)])
        asked._set_state("cancelled", "recalled")

    def _complete(self):
        """Complete those of ``self`` for whom nothing is open, failed or in the mail queue."""
        if not self:
            return
        self.env.flush_all()
        self._end(
            SQL(
                """
                id IN %s AND state = 'running'
                AND NOT EXISTS (
                    SELECT 1 FROM nurture_trace trace
                     WHERE trace.participant_id = nurture_participant.id
                       AND trace.state IN ('waiting', 'scheduled', 'error'))
                AND NOT EXISTS (
                    SELECT 1 FROM nurture_trace trace
                      JOIN mailing_trace ON mailing_trace.nurture_trace_id = trace.id
                     WHERE trace.participant_id = nurture_participant.id AND %s)
                """,
                tuple(self.ids),
                self._sql_is_queued(),
            ),
            "completed",
            # after a reply branch has run its course the reason is the reply
            SQL(
                """
                CASE WHEN won_back_date IS NOT NULL THEN 'replied'
                     WHEN EXISTS (SELECT 1 FROM nurture_trace trace
                                   WHERE trace.participant_id = nurture_participant.id
                                     AND trace.state = 'processed') THEN 'finished'
                     ELSE 'unreachable' END
                """
            ),
        )

    @api.model
    def _sql_is_queued(self):
        """Whether the message of the row of ``mailing_trace`` is still in a queue."""
        return SQL(
            "EXISTS (SELECT 1 FROM mail_mail mail WHERE mail.id = mailing_trace.mail_mail_id"
            " AND mail.state = 'outgoing')"
        )

    @api.model
    def _end(self, condition, state, reason):
        """End participants that meet the SQL ``condition``.

        :return: the participants
        """
        self.flush_model()
        now = fields.Datetime.now()
        rows = self.env.execute_query(
            SQL(
                "UPDATE nurture_participant SET state = %s, exit_reason = %s, exit_date = %s,"
                " write_uid = %s, write_date = %s WHERE %s RETURNING id",
                state,
                reason,
                now,
                self.env.uid,
                now,
                condition,
            )
        )
        participants = self.browse(id_ for (id_,) in rows)
        participants.invalidate_recordset(flush=False)
        self._invalidate_leads()
        return participants

    @api.model
    def _invalidate_leads(self):
        """What leads show of their participants is stale after SQL."""
        self.env["crm.lead"]._nurture_invalidate()
