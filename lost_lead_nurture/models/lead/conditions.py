from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools.addresses import ROLES, canonical

#: How many days late a lead may still enter on its date: the server was down, or it was imported.
MAX_LATE_DAYS = 7


class CrmLead(models.Model):
    """Who may enter a sequence and who has to leave it: each condition is one line of a table, read
    by whatever enrols, decides, counts or explains.

    A condition is written so that it is never null, and as a bare EXISTS where it looks into
    another table: then PostgreSQL turns "not excluded" into one anti-join for all leads.
    """

    _inherit = "crm.lead"

    # open opportunities by address, for the conditions on open deals
    _nurture_open_email_index = models.Index("(email_normalized) WHERE active")
    # those that were lost since all leads were last scanned
    _nurture_lost_index = models.Index("(date_closed) WHERE won_status = 'lost'")
    # those that are new
    _nurture_created_index = models.Index("(create_date)")
    # those whose mails bounced
    _nurture_bounced_index = models.Index("(email_normalized) WHERE message_bounce > 0")

    is_blacklisted = fields.Boolean(search="_search_nurture_is_blacklisted")
    nurture_exclusion_reason = fields.Char(
        compute="_compute_nurture_exclusion_reason",
        string="Excluded Because",
        help="In a list of leads that a sequence excludes: why.",
    )

    # ------------------------------------------------------------
    # ENTRY
    # ------------------------------------------------------------

    @api.depends_context("lang", "nurture_excluded_from")
    def _compute_nurture_exclusion_reason(self):
        """Why the sequence whose id is ``nurture_excluded_from`` in the context excludes the
        lead."""
        sequence_id = self.env.context.get("nurture_excluded_from")
        if not sequence_id:
            # not everybody who may read a lead may read sequences
            self.nurture_exclusion_reason = False
            return
        sequence = self.env["nurture.sequence"].browse(sequence_id)
        sequence.check_access("read")
        labels = sequence._get_exclusion_labels()
        exclusions = sequence._get_exclusion_by_lead(self.sudo())
        for lead in self:
            lead.nurture_exclusion_reason = labels.get(exclusions.get(lead.id))

    @api.model
    def _nurture_exclusions(self, sequence, own=True, losing=()):
        """Conditions that exclude a lead from ``sequence``, in the order in which they are shown.
        A reason may have several conditions.

        :param sequence: with all rights, unless somebody looks on: then what filters choose is
            limited to what the user may find
        :param own: whether the sequence's own choice of leads applies, as it does not to those who
            are added by hand
        :param losing: ids of the leads in question where they are not lost yet, but are judged as
            if they were
        :return: list of (reason, SQL condition); the SQL may use the alias ``lead``
        """
        companies = tuple(sequence._get_companies().ids) or (0,)
        exclusions = [sequence._sql_wrong_status(losing)]
        exclusions.append(("company", SQL("COALESCE(lead.company_id NOT IN %s, false)", companies)))
        if own:
            exclusions += self._nurture_own_exclusions(sequence)
        if sequence.entry_per == "address":
            exclusions.append(("no_address", SQL("lead.email_normalized IS NULL")))
        exclusions += self._nurture_wish_exclusions(sequence)
        exclusions += [
            ("inside", condition)
            for condition in self.env["nurture.participant"]._sql_inside(sequence)
        ]
        if sequence.exclude_other_sequences:
            exclusions.append(("other_sequence", self._nurture_sql_other_sequence(sequence)))
        if sequence.exclude_bounced:
            exclusions += [("bounced", condition) for condition in self._nurture_sql_bounced()]
        if sequence.exclude_left:
            exclusions.append(("left", self._nurture_sql_left()))
        if sequence.exclude_roles:
            exclusions.append(("role", self._nurture_sql_role()))
        # who enters by an order is not excluded by it
        if sequence.exclude_customers and sequence.entry != "order" and not losing:
            exclusions += [
                ("customer", condition)
                for condition in self._nurture_sql_orders(
                    SQL(
                        "so.state = 'sale' AND so.date_order >= %s AND so.company_id IN %s",
                        SQL("lead.date_closed" if sequence._takes_lost() else "lead.create_date"),
                        companies,
                    )
                )
            ]
        if sequence.exclude_open_deals:
            exclusions += [
                ("open_deal", condition)
                for condition in self._nurture_sql_open_deals(sequence, losing)
            ]
        exclusions += [
            ("suppressed", self._nurture_sql_chosen(domain))
            for domain in sequence._get_suppressed_domains()
        ]
        exclusions.append(("silent", self._nurture_sql_silent()))
        if own and (waiting := sequence._sql_not_turn()):
            # last: who only waits for it enters when it comes
            exclusions.append(("not_turn", waiting))
        return exclusions

    @api.model
    def _nurture_wish_exclusions(self, sequence):
        """What recipients have said, and on what basis the company writes to them: a sequence that
        somebody enters by calling a mail spam writes to nobody."""
        exclusions = [("forgotten", condition) for condition in self._nurture_sql_forgotten()]
        if sequence.entry == "complaint":
            return exclusions
        preferences = self.env["nurture.preference"]
        address = SQL("lead.email_normalized")
        opted_out = preferences._sql_opted_out(
            address, SQL("%s", sequence._origin.id or 0), SQL("%s", sequence.topic_id.id or 0)
        )
        return [
            ("complained", preferences._sql_complained(address)),
            ("blacklisted", self._nurture_sql_blacklisted()),
            ("opted_out", opted_out),
            *exclusions,
            *(("no_basis", condition) for condition in self._nurture_sql_no_basis(sequence)),
        ]

    @api.model
    def _nurture_own_exclusions(self, sequence):
        """The sequence's choice of leads; of the day, for those that enter on a date; what those
        wait for that enter when it is possible again, or when the price is below; and what those do
        that enter by that."""
        chosen = self._nurture_sql_chosen(sequence._get_lead_domain())
        exclusions = [("unmatched", SQL("NOT %s", chosen))]
        if sequence.entry == "date":
            due = sequence._sql_entry_date()
            exclusions.append(
                (
                    "not_due",
                    SQL(
                        "COALESCE(%(due)s NOT BETWEEN GREATEST(%(start)s, %(today)s - %(late)s)"
                        " AND %(today)s, true)",
                        due=due,
                        start=sequence._get_local_day(sequence.start_date),
                        today=sequence._get_local_day(),
                        late=MAX_LATE_DAYS,
                    ),
                )
            )
        if sequence.entry == "cure":
            possible = SQL(
                "EXISTS (SELECT 1 FROM (%s) cured WHERE cured.lead_id = lead.id)",
                self.env["nurture.cure"]._sql_cures(sequence),
            )
            exclusions.append(("not_possible", SQL("NOT %s", possible)))
        if sequence.entry == "price":
            exclusions += self.env["nurture.price"]._get_exclusions(sequence)
        if sequence._is_by_behaviour():
            happened = SQL(
                "EXISTS (SELECT 1 FROM (%s) event WHERE event.lead_id = lead.id)",
                sequence._sql_events(),
            )
            exclusions.append(("no_event", SQL("NOT %s", happened)))
        return exclusions

    @api.model
    def _nurture_sql_chosen(self, domain):
        """Whether ``domain`` finds the lead. It is looked up by its id: to remember all that are
        found is more than PostgreSQL's memory may hold."""
        query = self.sudo().with_context(active_test=False)._search(domain)
        query.add_where(SQL("%s = lead.id", SQL.identifier(query.table, "id")))
        return SQL("EXISTS (%s)", query.select(SQL("1")))

    @api.model
    def _nurture_sql_blacklisted(self, address=None):
        """Whether the lead's address is blacklisted.

        :param address: SQL of the address, unless the lead has the alias ``lead``
        """
        return SQL(
            "EXISTS (SELECT 1 FROM mail_blacklist blacklist WHERE blacklist.active"
            " AND blacklist.email = %s)",
            address or SQL("lead.email_normalized"),
        )

    @api.model
    def _nurture_sql_addresses(self):
        """All that somebody is known by who asked to be forgotten, for the alias ``lead``.

        :return: list of SQL
        """
        return [SQL("lead.email_normalized")]

    @api.model
    def _nurture_sql_forgotten(self):
        """Whether somebody with the lead's address asked to be forgotten.

        :return: list of SQL conditions on ``lead``
        """
        forgotten = self.env["nurture.forgotten"]
        if not forgotten._is_any():
            return [SQL("false")]
        return [forgotten._sql_is_forgotten(one) for one in self._nurture_sql_addresses()]

    @api.model
    def _nurture_sql_no_basis(self, sequence):
        """Whether no lawful basis lets the company write to the lead's address. Who is asked for
        consent first need not have given it.

        :return: list of SQL conditions on ``lead``
        """
        if sequence._begins_with_opt_in():
            return []
        return self.env["nurture.consent"]._sql_no_basis(
            SQL("COALESCE(lead.company_id, %s)", sequence._get_home().id),
            sequence._get_companies().ids,
        )

    @api.model
    def _nurture_sql_bounced(self):
        """Whether a mail to the lead's address bounced, and nobody there has opened, clicked or
        answered a mail that was sent later. Core counts those that are no mailings, and forgets
        them when it knows of engagement at the address.

        :return: list of SQL conditions on ``lead``
        """
        return [
            SQL(
                "EXISTS (SELECT 1 FROM mailing_trace bounced"
                " WHERE bounced.email = lead.email_normalized"
                " AND bounced.trace_status = 'bounce' AND bounced.trace_type = 'mail'"
                " AND bounced.is_test_trace IS NOT TRUE"
                " AND NOT EXISTS (SELECT 1 FROM mailing_trace engaged"
                " WHERE engaged.email = bounced.email AND engaged.id != bounced.id"
                " AND GREATEST(engaged.open_datetime, engaged.links_click_datetime,"
                " engaged.reply_datetime) > COALESCE(bounced.sent_datetime, bounced.create_date)))"
            ),
            SQL(
                "EXISTS (SELECT 1 FROM crm_lead bounced"
                " WHERE bounced.email_normalized = lead.email_normalized"
                " AND bounced.message_bounce > 0)"
            ),
            SQL(
                "EXISTS (SELECT 1 FROM res_partner bounced"
                " WHERE bounced.email_normalized = lead.email_normalized"
                " AND bounced.message_bounce > 0)"
            ),
        ]

    @api.model
    def _nurture_sql_left(self):
        """Whether the lead's contact is archived: people leave their company."""
        return SQL(
            "EXISTS (SELECT 1 FROM res_partner contact"
            " WHERE contact.id = lead.partner_id AND contact.active IS NOT TRUE)"
        )

    @api.model
    def _nurture_sql_role(self):
        """Whether several people, or none, get what is sent to the lead's address."""
        return SQL(
            "COALESCE(split_part(lead.email_normalized, '@', 1) = ANY(%s), false)", sorted(ROLES)
        )

    @api.model
    def _search_nurture_is_blacklisted(self, operator, _value):
        """Look up each lead's address. Core makes a list of all leads that are not blacklisted,
        however few are searched: seconds with 300,000 of them."""
        if operator not in ("in", "not in"):
            return NotImplemented
        self.env["mail.blacklist"].flush_model(["email", "active"])

        def to_sql(model, alias, query):
            address = model._field_to_sql(alias, "email_normalized", query)
            blacklisted = self._nurture_sql_blacklisted(address)
            return blacklisted if operator == "in" else SQL("NOT %s", blacklisted)

        return Domain.custom(to_sql=to_sql)

    @api.model
    def _nurture_sql_other_sequence(self, sequence):
        return SQL(
            "EXISTS (SELECT 1 FROM nurture_participant other"
            " JOIN nurture_sequence running ON running.id = other.sequence_id"
            " AND running.state = 'running' AND running.active"
            " WHERE other.state = 'running' AND other.sequence_id != %s"
            " AND other.email = lead.email_normalized)",
            # one that is not saved yet is none of them
            sequence._origin.id or 0,
        )

    @api.model
    def _nurture_leads_of(self, partners):
        """The leads of these partners, of their colleagues and of their addresses: those that the
        conditions on orders and meetings may be about."""
        leads = self.sudo().with_context(active_test=False)
        addresses = [canonical(one) for one in partners.mapped("email_normalized") if one]
        # two searches: each has its index, both together have none
        return leads.search(
            [("partner_id.commercial_partner_id", "in", partners.commercial_partner_id.ids)]
        ) | leads.search([("email_normalized", "in", addresses)])

    @api.model
    def _nurture_sql_orders(self, condition):
        """Orders of the lead's opportunity, of its customer's company, and of its address.

        :param condition: SQL on the order ``so``
        :return: list of SQL conditions on ``lead``
        """
        return [
            SQL(
                "EXISTS (SELECT 1 FROM sale_order so WHERE so.opportunity_id = lead.id AND %s)",
                condition,
            ),
            SQL(
                "EXISTS (SELECT 1 FROM res_partner mine JOIN res_partner buyer"
                " ON buyer.commercial_partner_id = mine.commercial_partner_id"
                " JOIN sale_order so ON so.partner_id = buyer.id"
                " WHERE mine.id = lead.partner_id AND %s)",
                condition,
            ),
            SQL(
                "EXISTS (SELECT 1 FROM res_partner buyer JOIN sale_order so"
                " ON so.partner_id = buyer.id"
                " WHERE buyer.email_normalized = lead.email_normalized AND %s)",
                condition,
            ),
        ]

    @api.model
    def _nurture_sql_open_deals(self, sequence=None, losing=()):
        """Leads and opportunities in the pipeline with the same address, and with the same
        customer or another contact of its company.

        :param sequence: whose companies' pipelines count; without one the SQL uses the alias
            ``participant``
        :param losing: ids of leads that are taken for lost
        :return: list of SQL conditions on ``lead``
        """
        if sequence:
            company = SQL("deal.company_id IN %s", tuple(sequence._get_companies().ids) or (0,))
        else:
            company = SQL("deal.company_id = COALESCE(participant.company_id, deal.company_id)")
        is_open = SQL(
            "deal.id != lead.id AND deal.id NOT IN %s AND deal.active"
            " AND deal.won_status = 'pending' AND (deal.company_id IS NULL OR %s)",
            tuple(losing) or (0,),
            company,
        )
        return [
            SQL(
                "EXISTS (SELECT 1 FROM crm_lead deal"
                " WHERE deal.email_normalized = lead.email_normalized AND %s)",
                is_open,
            ),
            SQL(
                "EXISTS (SELECT 1 FROM res_partner mine JOIN res_partner colleague"
                " ON colleague.commercial_partner_id = mine.commercial_partner_id"
                " JOIN crm_lead deal ON deal.partner_id = colleague.id"
                " WHERE mine.id = lead.partner_id AND %s)",
                is_open,
            ),
        ]

    @api.model
    def _nurture_sql_silent(self):
        """Whether the address left a sequence in silence and has not opened a mail since."""
        return SQL(
            "EXISTS (SELECT 1 FROM nurture_participant gone"
            " WHERE gone.exit_reason = 'silent' AND gone.email = lead.email_normalized"
            " AND NOT EXISTS (SELECT 1 FROM mailing_trace engaged"
            " WHERE engaged.email = gone.email AND GREATEST(engaged.open_datetime,"
            " engaged.links_click_datetime, engaged.reply_datetime) >= gone.exit_date))"
        )

    # ------------------------------------------------------------
    # LEAVING
    # ------------------------------------------------------------

    @api.model
    def _nurture_exit_conditions(self):
        """Conditions under which a lead has to leave before its next step, cheapest first. The
        switch of each is on the sequence.

        :return: list of (exit reason, SQL condition); the SQL may use the aliases ``lead`` (null
            when the lead is gone), ``participant`` and ``sequence``
        """
        order = SQL(
            "so.date_order >= participant.entered_date"
            " AND so.company_id = COALESCE(participant.company_id, so.company_id)"
        )
        orders = self._nurture_sql_orders(SQL("so.state = 'sale' AND %s", order))
        quotations = self._nurture_sql_orders(SQL("so.state IN ('draft', 'sent') AND %s", order))
        # goals come first: who ordered is won back, also when unsubscribed from mails since
        return [
            ("deleted", SQL("lead.id IS NULL")),
            # the lead of an order is won sooner or later
            (
                "won",
                SQL(
                    "sequence.exit_on_won AND lead.won_status = 'won' AND sequence.entry != 'order'"
                    " AND COALESCE(participant.entry_status, 'lost') != 'won'"
                ),
            ),
            # who was won back by a reply may still be in the branch of the workflow for replies
            (
                "restored",
                SQL(
                    "sequence.exit_on_restored AND lead.won_status = 'pending'"
                    " AND participant.won_back_date IS NULL"
                    " AND COALESCE(participant.entry_status, 'lost') = 'lost'"
                ),
            ),
            (
                "lost",
                SQL(
                    "sequence.exit_on_lost AND lead.won_status = 'lost'"
                    " AND participant.entry_status IN ('pending', 'won')"
                ),
            ),
            ("order", _any("sequence.exit_on_order", orders)),
            ("quotation", _any("sequence.exit_on_quotation", quotations)),
            ("meeting", _any("sequence.exit_on_meeting", self._nurture_sql_meetings())),
            (
                "replied",
                SQL(
                    "sequence.exit_on_replied AND participant.event_kind = 'click' AND %s",
                    self._nurture_sql_answered_since(),
                ),
            ),
            (
                "blacklisted",
                SQL(
                    "sequence.exit_on_blacklisted AND sequence.entry != 'complaint' AND %s",
                    self._nurture_sql_blacklisted(),
                ),
            ),
            ("contact_left", SQL("sequence.exclude_left AND %s", self._nurture_sql_left())),
            ("forgotten", _any("true", self._nurture_sql_forgotten())),
            ("open_deal", _any("sequence.exit_on_open_deal", self._nurture_sql_open_deals())),
        ]

    @api.model
    def _nurture_sql_answered_since(self):
        """Whether the lead has answered a mail, of whatever mailing, since it did what has let it
        in."""
        return SQL(
            "EXISTS (SELECT 1 FROM mailing_trace answered"
            " WHERE answered.email = lead.email_normalized AND answered.trace_type = 'mail'"
            " AND answered.reply_datetime >= participant.event_date)"
        )

    @api.model
    def _nurture_sql_meetings(self):
        """Meetings made since the lead entered: about it, or with its contact or address."""
        is_new = SQL("meeting.active AND meeting.create_date >= participant.entered_date")
        return [
            SQL(
                "EXISTS (SELECT 1 FROM calendar_event meeting"
                " WHERE meeting.opportunity_id = lead.id AND %s)",
                is_new,
            ),
            SQL(
                "EXISTS (SELECT 1 FROM calendar_event_res_partner_rel invited"
                " JOIN calendar_event meeting ON meeting.id = invited.calendar_event_id"
                " WHERE invited.res_partner_id = lead.partner_id AND %s)",
                is_new,
            ),
            SQL(
                "EXISTS (SELECT 1 FROM res_partner guest"
                " JOIN calendar_event_res_partner_rel invited ON invited.res_partner_id = guest.id"
                " JOIN calendar_event meeting ON meeting.id = invited.calendar_event_id"
                " WHERE guest.email_normalized = lead.email_normalized AND %s)",
                is_new,
            ),
        ]

    # ------------------------------------------------------------
    # HOW MUCH MARKETING AN ADDRESS GETS
    # ------------------------------------------------------------

    @api.model
    def _nurture_sql_contacts(self):
        """What counts for the frequency cap: all mails of Email Marketing to the address, of
        sequences or not, that left or are about to.

        :return: list of SELECTs of one column ``date`` each, for the alias ``lead``
        """
        return [
            SQL(
                "SELECT COALESCE(mailing_trace.sent_datetime, %s) AS date"
                " FROM mailing_trace"
                " WHERE mailing_trace.email = lead.email_normalized"
                " AND mailing_trace.trace_type = 'mail'"
                " AND mailing_trace.is_test_trace IS NOT TRUE"
                # the status of a mail that was taken out of the queue may stay as it was
                " AND (mailing_trace.sent_datetime IS NOT NULL"
                " OR EXISTS (SELECT 1 FROM mail_mail mail"
                " WHERE mail.id = mailing_trace.mail_mail_id AND mail.state = 'outgoing'))",
                # what is in the queue is about to leave
                fields.Datetime.now(),
            )
        ]


def _any(switch, conditions):
    return SQL("%s AND (%s)", SQL(switch), SQL(" OR ").join(conditions))
