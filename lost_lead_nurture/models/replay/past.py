import base64
import zlib
from io import BytesIO

from odoo import api, models
from odoo.tools import SQL

#: Fields of a lead whose changes core keeps and that say more than that: whether it is lost.
OF_STATUS = ("active", "lost_reason_id", "won_status")
#: By type of field: the column in which core keeps its values.
KEPT_IN = {
    **dict.fromkeys(("many2one", "integer"), "integer"),
    **dict.fromkeys(("float", "monetary"), "float"),
    "char": "char",
}
#: Columns of leads as they are at a moment, by what is known of its past.
STATUS_COLUMNS = ("active", "won_status", "lost_reason_id", "date_closed", "probability")


class NurturePast(models.AbstractModel):
    """What was known at a moment in the past, for a replay.

    The engine asks the database, so it is the database that has to be another one: in a sandbox,
    temporary tables and views with the names of those that it reads hold what they held then.
    PostgreSQL looks for a name among these first. So conditions, filters and all else that decides
    are those of the engine, word for word, and none of them knows of it.

    What has dates is as it was. What has none, nobody knows of: it is as it is today. The screen of
    a replay says what that is.
    """

    _name = "nurture.past"
    _description = "Nurture: What Was Known in the Past"

    # ------------------------------------------------------------
    # WHAT IS KNOWN: add-ons add to it
    # ------------------------------------------------------------

    @api.model
    def _get_written(self):
        """Tables that the engine writes: they begin empty, and what is in them goes along from one
        part of a replay to the next."""
        return ["nurture_participant", "nurture_trace", "nurture_pace"]

    @api.model
    def _get_seen(self, sequence):
        """Tables of which only what was there at the moment is seen.

        :return: ``{table: (SQL condition, {column: SQL instead of it})}``; the SQL may use the
            alias ``now`` with the column ``moment``, and ``seen`` for the table
        """
        made = SQL("seen.create_date <= now.moment")
        return {
            "mail_blacklist": (
                SQL(
                    "EXISTS (SELECT 1 FROM nurture_past_blacklist listed"
                    " WHERE listed.blacklist_id = seen.id AND listed.since <= now.moment"
                    " AND (listed.until IS NULL OR listed.until > now.moment))"
                ),
                {"active": SQL("true")},
            ),
            "nurture_preference": (
                SQL("seen.date <= now.moment"),
                self._sql_until_now("ended_date"),
            ),
            "nurture_consent": (
                SQL("seen.date <= now.moment"),
                {
                    "is_current": SQL(
                        "NOT EXISTS (SELECT 1 FROM %s later WHERE later.email = seen.email"
                        " AND later.company_id = seen.company_id AND later.event != 'requested'"
                        " AND (later.date, later.id) > (seen.date, seen.id)"
                        " AND later.date <= now.moment) AND seen.event != 'requested'",
                        self._sql_real("nurture_consent"),
                    )
                },
            ),
            "nurture_cure": (made, {}),
            "calendar_event": (made, {}),
            "link_tracker_click": (made, {}),
            "sale_order": (
                made,
                {
                    "state": SQL(
                        "CASE WHEN seen.state = 'sale' AND seen.date_order > now.moment"
                        " THEN 'sent' ELSE seen.state END"
                    )
                },
            ),
            # how mail providers stand today says nothing
            "nurture_provider": (
                SQL("true"),
                dict.fromkeys(("held_date", "slow_date"), SQL("NULL::timestamp")),
            ),
            # what was in the queue then has left since
            "mail_mail": (SQL("false"), {}),
            "nurture_batch": (SQL("false"), {}),
        }

    @api.model
    def _get_mailing_trace(self):
        """What is seen of what became of messages, as in :meth:`_get_seen`."""
        dates = ("open_datetime", "links_click_datetime", "reply_datetime", "sent_datetime")
        return SQL("seen.create_date <= now.moment"), self._sql_until_now(*dates)

    @api.model
    def _sql_until_now(self, *columns):
        """Dates that are only seen when they have come: ``{column: SQL}``, as in
        :meth:`_get_seen`."""
        return {
            column: SQL(
                "CASE WHEN %(column)s <= now.moment THEN %(column)s END",
                column=SQL.identifier("seen", column),
            )
            for column in columns
        }

    @api.model
    def _sql_moments(self):
        """When something happened around leads that may end a journey, as SELECTs of one column."""
        return [
            SQL("SELECT since FROM nurture_past_blacklist"),
            SQL("SELECT until FROM nurture_past_blacklist"),
            SQL("SELECT date FROM %s", self._sql_real("nurture_preference")),
            SQL("SELECT date_order FROM %s WHERE state = 'sale'", self._sql_real("sale_order")),
            SQL("SELECT create_date FROM %s", self._sql_real("sale_order")),
            SQL("SELECT create_date FROM %s", self._sql_real("calendar_event")),
            SQL("SELECT date FROM nurture_past_other"),
        ]

    # ------------------------------------------------------------
    # OPEN
    # ------------------------------------------------------------

    @api.model
    def _open(self, sequence, moment, since, until, kept=None):
        """Let the tables be as they were at ``moment``. To be called in a sandbox of the past.

        :param sequence: the one that is played
        :param since: when the replay begins: from then on the sequence is running
        :param until: when it ends; what happened later is not looked for
        :param kept: what :meth:`_keep` returned at the end of the part before
        """
        cr = self.env.cr
        self._make_clock(moment)
        self._make_written(kept or {})
        self._make_leads(moment, until)
        self._make_sequences(sequence, since)
        self._make_blacklist()
        self._make_others(sequence, moment, until)
        self._make_mailing_traces(sequence)
        for table, (condition, columns) in self._get_seen(sequence).items():
            self._make_view(table, condition, columns)
        self._make_moments(moment, until)
        cr.refuse_writing()
        self.env.invalidate_all(flush=False)

    @api.model
    def _sql_real(self, table):
        """The table itself, where its name is that of what was known."""
        return SQL.identifier("public", table)

    @api.model
    def _get_columns(self, table):
        rows = self.env.execute_query(
            SQL(
                "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass"
                " AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
                f"public.{table}",
            )
        )
        return [name for (name,) in rows]

    def _make_clock(self, moment):
        self.env.cr.execute(
            SQL("CREATE TEMP TABLE nurture_past_now AS SELECT %s::timestamp AS moment", moment)
        )

    def _make_written(self, kept):
        """Empty tables for what the engine writes, numbered after what is there."""
        cr = self.env.cr
        for table in self._get_written():
            name = SQL.identifier(table)
            cr.execute(
                SQL("CREATE TEMP TABLE %s (LIKE %s INCLUDING ALL)", name, self._sql_real(table))
            )
            self._load(table, kept)
            self._number(table, table)
        cr.execute(
            SQL(
                "CREATE TEMP TABLE nurture_past_sent (LIKE %s INCLUDING ALL)",
                self._sql_real("mailing_trace"),
            )
        )
        self._load("nurture_past_sent", kept)
        self._number("nurture_past_sent", "mailing_trace")
        cr.execute(
            SQL(
                "CREATE TEMP TABLE nurture_past_reaction"
                " (date timestamp, event varchar, trace_id int)"
            )
        )
        cr.execute(
            "CREATE TEMP TABLE nurture_past_excluded"
            " (lead_id int, date timestamp, participant_id int UNIQUE)"
        )
        self._load("nurture_past_reaction", kept)
        self._load("nurture_past_excluded", kept)
        cr.execute(SQL("CREATE INDEX ON nurture_past_reaction (date)"))
        cr.execute(SQL("CREATE INDEX ON nurture_trace (schedule_date) WHERE state = 'scheduled'"))

    def _number(self, table, real):
        """Number the rows of a temporary table by a sequence of its own: those of the database
        stay as they are."""
        cr = self.env.cr
        ((first,),) = self.env.execute_query(
            SQL(
                "SELECT GREATEST((SELECT COALESCE(max(id), 0) FROM %s),"
                " (SELECT COALESCE(max(id), 0) FROM %s)) + 1",
                self._sql_real(real),
                SQL.identifier("pg_temp", table),
            )
        )
        numbers = f"{table}_past_seq"
        cr.execute(SQL("CREATE TEMP SEQUENCE %s START %s", SQL.identifier(numbers), first))
        cr.execute(
            SQL(
                "ALTER TABLE %s ALTER COLUMN id SET DEFAULT nextval(%s)",
                SQL.identifier("pg_temp", table),
                f"pg_temp.{numbers}",
            )
        )

    def _make_view(self, table, condition, columns):
        self.env.cr.execute(
            SQL(
                "CREATE TEMP VIEW %s AS %s",
                SQL.identifier(table),
                self._sql_seen(table, condition, columns),
            )
        )

    @api.model
    def _sql_seen(self, table, condition, columns):
        """SELECT of what is seen of a table, see :meth:`_get_seen`."""
        selected = SQL(", ").join(
            SQL("%s AS %s", columns.get(name, SQL.identifier("seen", name)), SQL.identifier(name))
            for name in self._get_columns(table)
        )
        return SQL(
            "SELECT %s FROM %s seen, %s now WHERE %s",
            selected,
            self._sql_real(table),
            self._sql_now(),
            condition,
        )

    @api.model
    def _sql_now(self):
        # looked up once for each query, not for each row
        return SQL("(SELECT (SELECT moment FROM nurture_past_now) AS moment)")

    def _make_mailing_traces(self, sequence):
        """Messages of all others, and those that the replay has sent; not those that the sequence
        sent in reality."""
        condition, columns = self._get_mailing_trace()
        not_own = SQL(
            "%s AND (seen.nurture_trace_id IS NULL OR NOT EXISTS (SELECT 1 FROM %s own"
            " WHERE own.id = seen.nurture_trace_id AND own.sequence_id = %s))",
            condition,
            self._sql_real("nurture_trace"),
            sequence.id,
        )
        self.env.cr.execute(
            SQL(
                "CREATE TEMP VIEW mailing_trace AS %s UNION ALL SELECT %s FROM nurture_past_sent",
                self._sql_seen("mailing_trace", not_own, columns),
                SQL(", ").join(map(SQL.identifier, self._get_columns("mailing_trace"))),
            )
        )

    def _make_sequences(self, sequence, since):
        """The sequence runs since the replay began; others ran since they were started."""
        self.env.cr.execute(
            SQL(
                "CREATE TEMP TABLE nurture_sequence (LIKE %(real)s INCLUDING ALL);"
                "INSERT INTO nurture_sequence SELECT * FROM %(real)s;"
                "UPDATE nurture_sequence SET state = 'running', active = true"
                " WHERE start_date IS NOT NULL OR id = %(sequence)s;"
                "UPDATE nurture_sequence SET start_date = %(since)s, last_error = NULL,"
                " last_scan_date = NULL,"
                " profiles_since = CASE profile_mode WHEN 'in_turn' THEN %(since)s::timestamp END,"
                " entry = CASE entry WHEN 'manual' THEN 'auto' ELSE entry END"
                " WHERE id = %(sequence)s",
                real=self._sql_real("nurture_sequence"),
                sequence=sequence.id,
                since=since,
            )
        )

    def _make_blacklist(self):
        """From when to when addresses were blacklisted, as core's tracking says; without it, from
        when they were added."""
        self.env.cr.execute(
            SQL(
                """
                CREATE TEMP TABLE nurture_past_blacklist AS
                WITH known AS (
                     SELECT message.res_id AS id, message.date,
                            value.new_value_integer = 1 AS listed
                       FROM mail_tracking_value value
                       JOIN ir_model_fields field ON field.id = value.field_id
                        AND field.model = 'mail.blacklist' AND field.name = 'active'
                       JOIN mail_message message ON message.id = value.mail_message_id
                     ), since AS (
                     SELECT id, date FROM known WHERE listed
                      UNION
                     SELECT listed.id, listed.create_date FROM %(real)s listed
                      WHERE NOT EXISTS (SELECT 1 FROM known WHERE known.id = listed.id
                                           AND known.listed AND NOT EXISTS (
                                               SELECT 1 FROM known before WHERE before.id = known.id
                                                  AND before.date < known.date))
                     ), ended AS (
                     SELECT id, date FROM known WHERE NOT listed
                      UNION
                     SELECT listed.id, listed.write_date FROM %(real)s listed
                      WHERE NOT listed.active
                        AND NOT EXISTS (SELECT 1 FROM known WHERE known.id = listed.id
                                           AND NOT known.listed)
                     )
                SELECT since.id AS blacklist_id, since.date AS since,
                       (SELECT min(ended.date) FROM ended
                         WHERE ended.id = since.id AND ended.date > since.date) AS until
                  FROM since;
                CREATE INDEX ON nurture_past_blacklist (blacklist_id)
                """,
                real=self._sql_real("mail_blacklist"),
            )
        )

    def _make_others(self, sequence, moment, until):
        """Journeys through other sequences: those of the moment, and when others begin and end."""
        names = self._get_columns("nurture_participant")
        self.env.cr.execute(
            SQL(
                """
                CREATE TEMP TABLE nurture_past_other AS
                SELECT other.id, begun.date, begun.is_end
                  FROM %(real)s other
            CROSS JOIN LATERAL (VALUES (other.entered_date, false), (other.exit_date, true))
                       begun (date, is_end)
                 WHERE other.sequence_id != %(sequence)s AND begun.date <= %(until)s
                   AND (begun.date > %(moment)s OR NOT begun.is_end);
                CREATE INDEX ON nurture_past_other (date);
                INSERT INTO nurture_participant (%(names)s)
                SELECT %(columns)s FROM %(real)s other
                 WHERE other.sequence_id != %(sequence)s AND other.entered_date <= %(moment)s
                """,
                real=self._sql_real("nurture_participant"),
                sequence=sequence.id,
                moment=moment,
                until=until,
                names=SQL(", ").join(map(SQL.identifier, names)),
                columns=self._sql_as_begun(names, moment),
            )
        )

    @api.model
    def _sql_as_begun(self, names, moment):
        """Journeys as they were at ``moment``: whoever left later was still inside."""
        later = SQL("other.exit_date > %s", moment)
        columns = {
            "state": SQL("CASE WHEN %s THEN 'running' ELSE other.state END", later),
            "exit_reason": SQL("CASE WHEN %s THEN NULL ELSE other.exit_reason END", later),
            "exit_date": SQL("CASE WHEN %s THEN NULL ELSE other.exit_date END", later),
        }
        return SQL(", ").join(columns.get(one, SQL.identifier("other", one)) for one in names)

    # ------------------------------------------------------------
    # LEADS
    # ------------------------------------------------------------

    def _make_leads(self, moment, until):
        """Leads as they were at ``moment``, and what became of them until ``until``."""
        self._make_status()
        self._make_values(moment, until)
        cr = self.env.cr
        names = self._get_columns("crm_lead")
        columns = {
            "active": SQL("COALESCE(status.status IN ('pending', 'won'), false)"),
            "won_status": SQL("status.status"),
            "lost_reason_id": SQL("status.lost_reason_id"),
            "date_closed": SQL("status.date_closed"),
            "probability": self._sql_probability(),
        }
        cr.execute(
            SQL(
                """
                CREATE TEMP TABLE crm_lead (LIKE %(real)s INCLUDING DEFAULTS);
                INSERT INTO crm_lead (%(names)s)
                SELECT %(columns)s
                  FROM %(real)s seen
             LEFT JOIN (SELECT DISTINCT ON (lead_id) *
                          FROM nurture_past_status WHERE date <= %(moment)s
                      ORDER BY lead_id, date DESC, rank DESC) status ON status.lead_id = seen.id;
                UPDATE crm_lead SET %(values)s
                  FROM nurture_past_before before WHERE before.lead_id = crm_lead.id;
                ALTER TABLE crm_lead ADD PRIMARY KEY (id);
                CREATE INDEX ON crm_lead (email_normalized);
                CREATE INDEX ON crm_lead (partner_id) WHERE partner_id IS NOT NULL;
                CREATE INDEX ON crm_lead (date_closed) WHERE won_status = 'lost';
                ANALYZE crm_lead
                """,
                real=self._sql_real("crm_lead"),
                names=SQL(", ").join(map(SQL.identifier, names)),
                columns=SQL(", ").join(
                    columns.get(name, SQL.identifier("seen", name)) for name in names
                ),
                moment=moment,
                values=self._sql_set_values(SQL("before")),
            )
        )

    @api.model
    def _sql_probability(self):
        """Its probability, as far as it tells the status."""
        return SQL(
            "CASE status.status WHEN 'lost' THEN 0 WHEN 'won' THEN 100"
            " ELSE LEAST(GREATEST(seen.probability, 1), 99) END"
        )

    def _make_status(self):
        """When each lead came into being, was lost for what, was restored and was won: by core's
        tracking, by the history of lost reasons, by what journeys keep of the lead as it entered,
        and, of the last time, by the lead itself."""
        cr = self.env.cr
        lead = self._sql_real("crm_lead")
        cr.execute(
            SQL(
                """
                CREATE TEMP TABLE nurture_past_known AS
                SELECT message.res_id AS lead_id, message.date, field.name,
                       value.old_value_integer AS old, value.new_value_integer AS new
                  FROM mail_tracking_value value
                  JOIN ir_model_fields field ON field.id = value.field_id
                   AND field.model = 'crm.lead'
                   AND field.name IN ('active', 'lost_reason_id', 'stage_id')
                  JOIN mail_message message ON message.id = value.mail_message_id
                   AND message.model = 'crm.lead';
                CREATE TEMP TABLE nurture_past_status AS
                WITH known AS (
                     -- when a lead was closed is said by the lead and by its journeys; others say
                     -- it a moment later
                     SELECT lead_id, date, 2 AS rank,
                            CASE WHEN new = 0 THEN 'lost' ELSE 'pending' END AS status,
                            NULL::int AS reason, false AS tells_reason, false AS tells_date
                       FROM nurture_past_known WHERE name = 'active'
                  UNION ALL
                     SELECT lead_id, date, 3, NULL, new, true, false
                       FROM nurture_past_known WHERE name = 'lost_reason_id'
                  UNION ALL
                     SELECT known.lead_id, known.date, 4,
                            CASE WHEN after.is_won THEN 'won' ELSE 'pending' END, NULL, true, false
                       FROM nurture_past_known known
                  LEFT JOIN crm_stage after ON after.id = known.new
                  LEFT JOIN crm_stage before ON before.id = known.old
                      WHERE known.name = 'stage_id'
                        AND COALESCE(after.is_won, false) != COALESCE(before.is_won, false)
                  UNION ALL
                     SELECT lead_id, date, 5,
                            CASE event WHEN 'set' THEN 'lost' WHEN 'restored' THEN 'pending' END,
                            CASE event WHEN 'set' THEN lost_reason_id END, true, false
                       FROM nurture_reason_history WHERE event IN ('set', 'restored', 'cleared')
                  UNION ALL
                     SELECT lead_id, date, 6, 'pending', NULL, true, false
                       FROM nurture_outcome WHERE kind = 'restored' AND lead_id IS NOT NULL
                  UNION
                     SELECT lead_id, date_lost, 7, 'lost', lost_reason_id, true, true
                       FROM %(participant)s
                      WHERE lead_id IS NOT NULL AND date_lost IS NOT NULL
                  UNION ALL
                     SELECT id, COALESCE(date_closed, write_date), 8, won_status,
                            lost_reason_id, won_status = 'won' OR lost_reason_id IS NOT NULL, true
                       FROM %(lead)s WHERE won_status IN ('lost', 'won')
                     ), last AS (
                     SELECT DISTINCT ON (lead_id) lead_id, date, status
                       FROM known WHERE status IS NOT NULL ORDER BY lead_id, date DESC, rank DESC
                     ), first AS (
                     SELECT lead_id, min(date) AS date FROM known GROUP BY lead_id
                     ), event AS (
                     SELECT * FROM known
                  UNION ALL
                     -- who is open now was restored after it was lost, nobody knows when
                     SELECT lead.id, GREATEST(last.date, lead.write_date), 9, 'pending', NULL, true,
                            false
                       FROM %(lead)s lead JOIN last ON last.lead_id = lead.id
                      WHERE lead.won_status = 'pending' AND last.status != 'pending'
                  UNION ALL
                     -- what was imported is as old as what is known of it
                     SELECT lead.id, LEAST(lead.create_date, first.date), 1, 'pending', NULL, true,
                            false
                       FROM %(lead)s lead LEFT JOIN first ON first.lead_id = lead.id
                     ), numbered AS (
                     SELECT event.*, count(status) OVER known AS status_number,
                            count(*) FILTER (WHERE tells_reason) OVER known AS reason_number
                       FROM event WINDOW known AS (PARTITION BY lead_id ORDER BY date, rank)
                     ), filled AS (
                     SELECT lead_id, date, rank, tells_date,
                            first_value(status) OVER (PARTITION BY lead_id, status_number
                                                      ORDER BY date, rank) AS status,
                            first_value(reason) OVER (PARTITION BY lead_id, reason_number
                                                      ORDER BY date, rank) AS reason
                       FROM numbered
                     ), changed AS (
                     SELECT filled.*,
                            tells_date OR status IS DISTINCT FROM
                            lag(status) OVER (PARTITION BY lead_id ORDER BY date, rank) AS is_new
                       FROM filled
                     ), dated AS (
                     SELECT changed.*, count(*) FILTER (WHERE is_new)
                            OVER (PARTITION BY lead_id ORDER BY date, rank) AS number
                       FROM changed
                     )
                SELECT lead_id, date, rank, status,
                       CASE WHEN status = 'lost' THEN reason END AS lost_reason_id,
                       CASE WHEN status IN ('lost', 'won') THEN first_value(date) OVER (
                            PARTITION BY lead_id, number ORDER BY date, rank) END AS date_closed
                  FROM dated;
                CREATE INDEX ON nurture_past_status (date);
                ANALYZE nurture_past_status
                """,
                lead=lead,
                participant=self._sql_real("nurture_participant"),
            )
        )

    @api.model
    def _get_kept_fields(self):
        """The other fields of leads whose changes core keeps and that can be put back."""
        leads = self.env["crm.lead"]
        return [
            field
            for field in leads._fields.values()
            if getattr(field, "tracking", None)
            and field.store
            and field.type in KEPT_IN
            and field.name not in OF_STATUS
            # what follows from them is not put back
            and field.name not in ("partner_id", "email_from", "phone")
        ]

    def _make_values(self, moment, until):
        """What other fields of leads held: the changes in the time of the replay, and what was
        there before the first one."""
        cr = self.env.cr
        fields_ = self._get_kept_fields()
        known = (
            self.env["ir.model.fields"]
            .sudo()
            .search([("model", "=", "crm.lead"), ("name", "in", [field.name for field in fields_])])
        )
        ids = {field.name: field.id for field in known}

        def values(which):
            return SQL(
                "CASE field_id %s END",
                SQL(" ").join(
                    SQL(
                        "WHEN %s THEN to_jsonb(%s)",
                        ids[field.name],
                        SQL("NULLIF(%s, 0)", SQL.identifier("value", f"{which}_value_integer"))
                        if field.type == "many2one"
                        else SQL.identifier("value", f"{which}_value_{KEPT_IN[field.type]}"),
                    )
                    for field in fields_
                ),
            )

        cr.execute(
            SQL(
                """
                CREATE TEMP TABLE nurture_past_value AS
                SELECT message.res_id AS lead_id, message.date, value.id, field.name,
                       COALESCE(%(old)s, 'null'::jsonb) AS old,
                       COALESCE(%(new)s, 'null'::jsonb) AS new
                  FROM mail_tracking_value value
                  JOIN ir_model_fields field ON field.id = value.field_id
                  JOIN mail_message message ON message.id = value.mail_message_id
                   AND message.model = 'crm.lead'
                 WHERE value.field_id = ANY(%(fields)s) AND message.date > %(moment)s;
                CREATE TEMP TABLE nurture_past_before AS
                SELECT lead_id, jsonb_object_agg(name, old) AS changed
                  FROM (SELECT DISTINCT ON (lead_id, name) lead_id, name, old
                          FROM nurture_past_value ORDER BY lead_id, name, date, id) first
              GROUP BY lead_id;
                DELETE FROM nurture_past_value WHERE date > %(until)s;
                CREATE INDEX ON nurture_past_value (date)
                """,
                old=values("old"),
                new=values("new"),
                fields=list(ids.values()),
                moment=moment,
                until=until,
            )
        )

    def _sql_set_values(self, source):
        """Put values back that ``source``, with a column ``changed``, has of a lead."""
        return SQL(", ").join(
            SQL(
                "%(name)s = CASE WHEN %(source)s.changed ? %(key)s"
                " THEN (%(source)s.changed ->> %(key)s)::%(type)s ELSE crm_lead.%(name)s END",
                name=SQL.identifier(field.name),
                key=field.name,
                source=source,
                type=SQL(field.column_type[1]),
            )
            for field in self._get_kept_fields()
        )

    # ------------------------------------------------------------
    # TIME
    # ------------------------------------------------------------

    def _make_moments(self, moment, until):
        cr = self.env.cr
        cr.execute(
            SQL(
                """
                CREATE TEMP TABLE nurture_past_moment AS
                SELECT DISTINCT known.date FROM (%s) known (date)
                 WHERE known.date > %s AND known.date <= %s;
                CREATE INDEX ON nurture_past_moment (date)
                """,
                SQL(" UNION ALL ").join(self._sql_moments()),
                moment,
                until,
            )
        )

    @api.model
    def _get_next_moment(self, moment):
        """When something happens next; None when nothing does."""
        ((date,),) = self.env.execute_query(
            SQL(
                "SELECT LEAST(%s)",
                SQL(", ").join(
                    SQL("(SELECT min(date) FROM %s WHERE date > %s)", SQL.identifier(table), moment)
                    for table in (
                        *("nurture_past_moment", "nurture_past_status", "nurture_past_value"),
                        *("nurture_past_other", "nurture_past_reaction"),
                    )
                ),
            )
        )
        return date

    @api.model
    def _is_eventful(self, before, moment):
        """Whether something happened since ``before`` that may end journeys."""
        return self._is_any("nurture_past_moment", self._sql_span(before, moment))

    @api.model
    def _is_any(self, table, condition):
        """Whether a row of ``table`` meets the SQL ``condition``."""
        ((is_any,),) = self.env.execute_query(
            SQL("SELECT EXISTS (SELECT 1 FROM %s WHERE %s)", SQL.identifier(table), condition)
        )
        return is_any

    @api.model
    def _sql_span(self, before, moment):
        """Whether the column ``date`` is later than ``before``, and not later than ``moment``."""
        return SQL("date > %s AND date <= %s", before, moment)

    @api.model
    def _forget(self):
        """Read anew what is another thing at another moment; how the sequence is set up is not."""
        for table in ("crm_lead", "mailing_trace", *self._get_written(), *self._get_seen(False)):
            self.env[self._get_model(table)].invalidate_model(flush=False)

    @api.model
    def _get_model(self, table):
        return table.replace("_", ".")

    @api.model
    def _is_any_lost(self, before, moment):
        """Whether a lead was lost since ``before``."""
        lost = SQL("%s AND status = 'lost'", self._sql_span(before, moment))
        return self._is_any("nurture_past_status", lost)

    @api.model
    def _move(self, before, moment):
        """Let time pass from ``before`` to ``moment``, for all but whether leads are lost: what
        happened around a lead is noticed before that brought it back."""
        cr = self.env.cr
        self.env.flush_all()
        cr.execute(SQL("UPDATE nurture_past_now SET moment = %s", moment))
        span = self._sql_span(before, moment)
        self._move_others(span, moment)
        cr.execute(
            SQL(
                "UPDATE crm_lead SET %s"
                " FROM (SELECT lead_id, jsonb_object_agg(name, new) AS changed"
                " FROM (SELECT DISTINCT ON (lead_id, name) lead_id, name, new"
                " FROM nurture_past_value WHERE %s ORDER BY lead_id, name, date DESC, id DESC) last"
                " GROUP BY lead_id) later WHERE later.lead_id = crm_lead.id",
                self._sql_set_values(SQL("later")),
                span,
            )
        )
        self._forget()

    @api.model
    def _move_leads(self, before, moment):
        """Let leads be lost, restored and won that were from ``before`` to ``moment``.

        :return: their ids
        """
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                UPDATE crm_lead seen
                   SET active = status.status IN ('pending', 'won'), won_status = status.status,
                       lost_reason_id = status.lost_reason_id, date_closed = status.date_closed,
                       probability = %(probability)s
                  FROM (SELECT DISTINCT ON (lead_id) * FROM nurture_past_status WHERE %(span)s
                      ORDER BY lead_id, date DESC, rank DESC) status
                 WHERE status.lead_id = seen.id
             RETURNING seen.id
                """,
                probability=self._sql_probability(),
                span=self._sql_span(before, moment),
            )
        )
        self._forget()
        return [lead_id for (lead_id,) in rows]

    def _move_others(self, span, moment):
        """Journeys through other sequences begin and end."""
        names = self._get_columns("nurture_participant")
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO nurture_participant (%(names)s)
                SELECT %(columns)s FROM %(real)s other
                 WHERE other.id IN (SELECT id FROM nurture_past_other WHERE %(span)s AND NOT is_end)
                    ON CONFLICT DO NOTHING;
                UPDATE nurture_participant participant
                   SET state = other.state, exit_reason = other.exit_reason,
                       exit_date = other.exit_date
                  FROM %(real)s other
                 WHERE other.id = participant.id
                   AND other.id IN (SELECT id FROM nurture_past_other WHERE %(span)s AND is_end)
                """,
                names=SQL(", ").join(map(SQL.identifier, names)),
                columns=self._sql_as_begun(names, moment),
                real=self._sql_real("nurture_participant"),
                span=span,
            )
        )

    # ------------------------------------------------------------
    # KEEP: a replay of many leads is done in parts
    # ------------------------------------------------------------

    def _keep(self, sequence):
        """What the engine has written, for the next part: ``{table: text}``."""
        cr = self.env.cr
        cr.execute(SQL("DELETE FROM nurture_participant WHERE sequence_id != %s", sequence.id))
        # what is over has been noted, and decides nothing any more
        cr.execute(
            SQL(
                "DELETE FROM nurture_trace USING nurture_participant participant"
                " WHERE participant.id = nurture_trace.participant_id"
                " AND participant.exit_date < (SELECT moment FROM nurture_past_now)"
                " - interval '180 days';"
                "UPDATE nurture_trace SET decision_log = NULL"
            )
        )
        return {table: self._dump(table) for table in self._get_kept_tables()}

    @api.model
    def _get_kept_tables(self):
        noted = ("nurture_past_sent", "nurture_past_reaction", "nurture_past_excluded")
        return [*self._get_written(), *noted]

    def _dump(self, table):
        target = BytesIO()
        self.env.cr.copy_expert(f'COPY (SELECT * FROM "{table}") TO STDOUT', target)
        return base64.b64encode(zlib.compress(target.getvalue(), 1)).decode()

    def _load(self, table, kept):
        if table in kept:
            rows = BytesIO(zlib.decompress(base64.b64decode(kept[table])))
            self.env.cr.copy_expert(f'COPY "{table}" FROM STDIN', rows)
