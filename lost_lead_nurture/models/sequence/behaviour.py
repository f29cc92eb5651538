from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools.domains import ERRORS, get_parts, read_domain
from ...tools.links import as_like
from ..step.step import MAX_DELAY

#: Kinds of entry by what somebody does.
BEHAVIOURS = ("click", "reply", "complaint", "order", "welcome")
#: Those of them that are for leads which are not lost.
OPEN_ENTRIES = ("order", "welcome")
#: How many days after what it did a lead may still enter: the server was down, or something else
#: excluded it meanwhile.
MAX_LATE = timedelta(days=7)
#: Rules of filters that no lead meets which is not lost.
OF_LOST = ("days_since_lost", "lost_reason_id", "won_status")


class NurtureSequence(models.Model):
    """Entry by behaviour: a lead enters by what it does, once for each time. Nothing is noted for
    that beside what mailing traces, orders and leads know: each kind is a SELECT of what happened.

    Another add-on adds a kind by a value of ``entry``, listed by :meth:`_get_behaviours`, and a
    method ``_sql_events_<kind>``.
    """

    _inherit = "nurture.sequence"

    entry_mailing_ids = fields.Many2many(
        "mailing.mailing",
        "nurture_sequence_entry_mailing_rel",
        "nurture_sequence_id",
        "mailing_mailing_id",
        string="In These Mails",
        domain="[('mailing_type', '=', 'mail')]",
        # salespeople see no mailings, and could not read a sequence with all its fields
        groups="lost_lead_nurture.group_user",
        help="Mailings, and mails of other sequences. Empty: any of them. Those of this sequence "
        "never count.",
    )
    entry_url = fields.Char(
        string="Address",
        help="The address that counts. * stands for anything, as in "
        "https://shop.example.com/prices*. Empty: any link.",
    )
    entry_past_days = fields.Integer(
        string="Days before the Start",
        help="What was done so many days before the sequence was started counts, too. 0: only what "
        "is done from then on.",
    )
    is_by_behaviour = fields.Boolean(compute="_compute_is_by_behaviour")
    exit_on_lost = fields.Boolean(
        string="Leave when Lost",
        default=True,
        help="Of leads that were not lost when they entered.",
    )

    @api.depends("entry")
    def _compute_is_by_behaviour(self):
        for sequence in self:
            sequence.is_by_behaviour = sequence._is_by_behaviour()

    @api.onchange("entry")
    def _onchange_entry(self):
        """Presets choose lost leads: where others enter there is a filter alone."""
        if self._takes_lost():
            return
        self.preset_id = False
        self.profile_mode = "one"
        if self._asks_for_lost():
            self.domain = "[]"
        elif isinstance(domain := self._get_filter(), Domain):
            self.domain = "[]" if domain.is_true() else repr(list(domain))

    @api.constrains("entry_past_days", "entry", "reentry")
    def _check_behaviour(self):
        for sequence in self:
            if not 0 <= sequence.entry_past_days <= MAX_DELAY["days"]:
                raise ValidationError(
                    self.env._(
                        "“%s”: what was done before the start counts for 0 days to ten years.",
                        sequence.name,
                    )
                )
            if sequence.reentry == "event" and not sequence._is_by_behaviour():
                raise ValidationError(
                    self.env._(
                        "“%s”: leads can enter each time they do something again only where they "
                        "enter by what they do.",
                        sequence.name,
                    )
                )

    @api.constrains("entry", "entry_url")
    def _check_entry_runnable(self):
        self._check_runnable()

    # ------------------------------------------------------------
    # WHOM IT IS FOR
    # ------------------------------------------------------------

    @api.model
    def _get_behaviours(self):
        """The kinds of entry by what somebody does, those of other add-ons among them."""
        return BEHAVIOURS

    def _is_by_behaviour(self):
        return self.entry in self._get_behaviours()

    def _takes_lost(self):
        """Whether lost leads enter, as nearly always."""
        return self.entry not in OPEN_ENTRIES

    def _get_status_domain(self):
        """Which leads may enter at all, by whether they are lost, open or won."""
        if self._takes_lost():
            return Domain(self.env["crm.lead"]._nurture_lost_domain())
        states = ["pending"] if self.entry == "welcome" else ["pending", "won"]
        # both values: a search that does not name it leaves archived leads out
        return Domain("won_status", "in", states) & Domain("active", "in", [True, False])

    def _sql_wrong_status(self, losing=()):
        """Whether the lead ``lead`` is not of those of :meth:`_get_status_domain`, as the reason
        and an SQL condition.

        :param losing: ids of leads that are judged as if they had just been lost
        """
        if self._takes_lost():
            return "not_lost", SQL(
                "lead.won_status IS DISTINCT FROM 'lost' AND lead.id NOT IN %s",
                tuple(losing) or (0,),
            )
        states = ("pending",) if self.entry == "welcome" else ("pending", "won")
        return "not_open", SQL(
            "COALESCE(lead.won_status NOT IN %s, true) OR lead.id IN %s",
            states,
            tuple(losing) or (0,),
        )

    def _get_filter(self):
        """The sequence's filter; where it is not for lost leads, without its asking for them, as
        every filter does at first."""
        if self._takes_lost():
            return self.domain
        lost = get_parts(Domain(self.env["crm.lead"]._nurture_lost_domain()))
        try:
            parts = get_parts(read_domain(self.domain))
        except ERRORS:
            # whoever uses it says what is wrong with it
            return self.domain
        return Domain.AND(part for part in parts if part not in lost)

    def _asks_for_lost(self):
        """Whether its filter asks for what no lead has that is not lost, beside what every filter
        has at first."""
        domain = self._get_filter()
        return isinstance(domain, Domain) and any(
            condition.field_expr.split(".")[0] in OF_LOST for condition in domain.iter_conditions()
        )

    def _get_behaviour_problems(self):
        problems = []
        if not self._takes_lost():
            if self.profile_mode != "one" or self.preset_id:
                problems.append(
                    self.env._(
                        "Presets choose lost leads, and leads enter it that are not lost: choose "
                        "them by a filter alone."
                    )
                )
            elif self._asks_for_lost():
                problems.append(
                    self.env._(
                        "Its filter asks for lost leads, and leads enter it that are not lost."
                    )
                )
        if self.entry == "complaint":
            problems += [
                self.env._(
                    "Who called a mail spam is not written to: take the step “%s” out.", step.name
                )
                for step in self.step_ids
                if step._is_message()
            ]
        return problems

    # ------------------------------------------------------------
    # WHAT HAPPENED
    # ------------------------------------------------------------

    def _get_events_since(self):
        """From when on what somebody did lets in now."""
        now = fields.Datetime.now()
        begin = self.start_date or now
        earliest = begin - timedelta(days=self.entry_past_days)
        return earliest if now - begin <= MAX_LATE else max(earliest, now - MAX_LATE)

    def _sql_events(self, since=None):
        """SELECT of ``lead_id``, ``date`` and ``name`` (of what, as far as that has a name) of what
        lets leads in now, for all leads at once. What was done before a lead, or its address,
        entered is no news.

        :param since: only what was done since then
        """
        earliest = self._get_events_since()
        since = max(since, earliest) if since else earliest
        participants = self.env["nurture.participant"]
        select = getattr(self, f"_sql_events_{self.entry}")(since)
        return SQL(
            """
            SELECT event.lead_id, event.date, event.name
              FROM (%(select)s) event
              JOIN crm_lead lead ON lead.id = event.lead_id
             WHERE NOT EXISTS (SELECT 1 FROM nurture_participant before
                                WHERE before.sequence_id = %(sequence)s
                                  AND before.lead_id = lead.id AND %(known)s)
               AND NOT EXISTS (SELECT 1 FROM nurture_participant before
                                WHERE before.sequence_id = %(sequence)s
                                  AND before.dedup_key IN %(keys)s AND %(known)s)
            """,
            select=select,
            # one that is not saved yet had nobody inside
            sequence=self._origin.id or 0,
            # the engine's clock has no fractions of seconds
            known=SQL("before.entered_date >= date_trunc('second', event.date)"),
            keys=participants._sql_known_keys(participants._sql_dedup_key(self)),
        )

    def _get_event_domain(self, since=None):
        """The leads that did, or to which happened, what lets them in, as a ``Domain``."""
        events = self._sql_events(since)

        def to_sql(_model, alias, _query):
            return SQL(
                "%s IN (SELECT event.lead_id FROM (%s) event)", SQL.identifier(alias, "id"), events
            )

        return Domain.custom(to_sql=to_sql)

    def _sql_last_events(self, by_hand):
        """SELECT of ``lead_id``, ``date`` and ``name`` of what lets each lead in: of several the
        last."""
        if by_hand or not self._is_by_behaviour():
            return SQL(
                "SELECT NULL::int AS lead_id, NULL::timestamp AS date, NULL::varchar AS name"
                " WHERE false"
            )
        return SQL(
            "SELECT DISTINCT ON (one.lead_id) one.lead_id, one.date, one.name FROM (%s) one"
            " ORDER BY one.lead_id, one.date DESC",
            self._sql_events(),
        )

    def _sql_events_click(self, since):
        """Clicks in mails. Those of bots are not among them: see ``nurture.hit``."""
        if not self.entry_url:
            return self._sql_of_recipients(
                SQL("seen.links_click_datetime"), SQL("seen.links_click_datetime >= %s", since)
            )
        return self._sql_of_recipients(
            SQL("click.create_date"),
            SQL(
                "seen.links_click_datetime >= %s AND click.create_date >= %s AND link.url LIKE %s",
                since,
                since,
                as_like(self.entry_url),
            ),
            SQL(
                "JOIN link_tracker_click click ON click.mailing_trace_id = seen.id"
                " JOIN link_tracker link ON link.id = click.link_id"
            ),
            SQL("link.url"),
        )

    def _sql_events_reply(self, since):
        """Answers to mails."""
        return self._sql_of_recipients(
            SQL("seen.reply_datetime"), SQL("seen.reply_datetime >= %s", since)
        )

    def _sql_of_recipients(self, date, condition, joins=None, name=None):
        """What recipients of mails did: a mail to a lead was that lead's, any other one that of the
        leads with its address.

        :param date: SQL of when, with the mailing trace ``seen``
        :param condition: SQL
        :param joins: SQL
        :param name: SQL of what it was
        """
        condition = SQL(
            "%s AND seen.trace_type = 'mail' AND seen.is_test_trace IS NOT TRUE"
            " AND NOT EXISTS (SELECT 1 FROM nurture_trace own"
            " WHERE own.id = seen.nurture_trace_id AND own.sequence_id = %s)",
            condition,
            self._origin.id or 0,
        )
        if mailings := self.sudo().entry_mailing_ids:
            condition = SQL(
                "%s AND seen.mass_mailing_id IN %s", condition, tuple(mailings._origin.ids)
            )
        return SQL(" UNION ALL ").join(
            SQL(
                "SELECT recipient.id AS lead_id, %s AS date, %s::varchar AS name"
                " FROM mailing_trace seen %s JOIN crm_lead recipient ON %s WHERE %s",
                date,
                name or SQL("NULL"),
                joins or SQL(),
                is_of,
                condition,
            )
            for is_of in (
                SQL("seen.model = 'crm.lead' AND recipient.id = seen.res_id"),
                SQL("seen.model != 'crm.lead' AND recipient.email_normalized = seen.email"),
            )
        )

    def _sql_events_complaint(self, since):
        """Who called a mail spam, and has not taken it back."""
        return SQL(
            "SELECT complaining.id AS lead_id, said.date, NULL::varchar AS name"
            " FROM nurture_preference said"
            " JOIN crm_lead complaining ON complaining.email_normalized = said.email"
            " WHERE said.kind = 'complaint' AND said.ended_date IS NULL AND said.date >= %s",
            since,
        )

    def _sql_events_order(self, since):
        """Confirmed orders: of the lead that an order is for, else of the leads of its customer, of
        the customer's company and of the address."""
        order = SQL(
            "so.state = 'sale' AND so.date_order >= %s AND so.date_order <= %s"
            " AND so.company_id = COALESCE(ordering.company_id, %s)",
            since,
            fields.Datetime.now(),
            self._get_home().id,
        )
        return SQL(" UNION ALL ").join(
            SQL(
                "SELECT ordering.id AS lead_id, so.date_order AS date, so.name::varchar AS name"
                " FROM sale_order so %s WHERE %s",
                joins,
                order,
            )
            for joins in (
                SQL("JOIN crm_lead ordering ON ordering.id = so.opportunity_id"),
                SQL(
                    "JOIN res_partner buyer ON buyer.id = so.partner_id"
                    " JOIN res_partner mine"
                    " ON mine.commercial_partner_id = buyer.commercial_partner_id"
                    " JOIN crm_lead ordering ON ordering.partner_id = mine.id"
                    " AND so.opportunity_id IS NULL"
                ),
                SQL(
                    "JOIN res_partner buyer ON buyer.id = so.partner_id"
                    " JOIN crm_lead ordering ON ordering.email_normalized = buyer.email_normalized"
                    " AND so.opportunity_id IS NULL"
                ),
            )
        )

    def _sql_events_welcome(self, since):
        """That a lead was made."""
        return SQL(
            "SELECT made.id AS lead_id, made.create_date AS date, NULL::varchar AS name"
            " FROM crm_lead made WHERE made.create_date >= %s",
            since,
        )

    # ------------------------------------------------------------
    # WHEN IT HAPPENS
    # ------------------------------------------------------------

    @api.model
    def _note_behaviour(self, kind):
        """Somebody did what may let leads in: have them enter within a minute, many at once."""
        # whoever does it need not see sequences
        if self.sudo().search_count([("state", "=", "running"), ("entry", "=", kind)], limit=1):
            cron = self.env.ref("lost_lead_nurture.ir_cron_nurture").sudo()
            cron._nurture_trigger_once(fields.Datetime.now())

    @api.model
    def _get_watched(self, kind):
        """The mailings in which a running sequence waits for somebody to do something, as a domain
        of mailing traces."""
        watching = self.sudo().search([("state", "=", "running"), ("entry", "=", kind)])
        if not watching:
            return Domain.FALSE
        if not all(sequence.entry_mailing_ids for sequence in watching):
            return Domain.TRUE
        return Domain("mass_mailing_id", "in", watching.entry_mailing_ids.ids)

    # ------------------------------------------------------------
    # IN WORDS
    # ------------------------------------------------------------

    def _get_event_label(self):
        """What a lead has to have done to enter, in words."""
        labels = {
            "click": self.env._("It clicked in a mail since, and not as long ago as a week"),
            "reply": self.env._("It answered a mail since, and not as long ago as a week"),
            "complaint": self.env._("It called a mail spam since, and not as long ago as a week"),
            "order": self.env._("Its customer has ordered since, and not as long ago as a week"),
            "welcome": self.env._("It was made since, and not as long ago as a week"),
        }
        return labels.get(self.entry) or self.env._("It did what lets it in")
