"""The field's words: tables, columns, values and external ids get the names of the glossary
(docs/architecture.md). Nothing is lost, and what people have saved goes on to work.

Only names change in the catalogue of PostgreSQL, however large a table is; of traces those rows are
written whose reasons are called otherwise now."""

import re
from collections import defaultdict

from odoo.tools import SQL, sql

#: (table, name before, name now) of columns that are stored
COLUMNS = [
    ("nurture_participant", "round", "enrolment_number"),
    ("nurture_participant", "identity", "dedup_key"),
    ("nurture_participant", "came_back_date", "return_date"),
    ("nurture_participant", "came_back_reason", "return_reason"),
    ("nurture_sequence", "looked_date", "last_scan_date"),
    ("nurture_sequence", "looked_for", "last_scan_choice"),
    ("nurture_batch", "deaths", "crashes"),
    ("nurture_batch", "held_back", "quarantined"),
    ("mailing_trace", "nurture_unheard", "nurture_pending"),
    ("mailing_trace", "nurture_machine_reason", "nurture_bot_reason"),
    ("mailing_trace", "nurture_machine_date", "nurture_bot_date"),
    ("mailing_trace", "nurture_machine_notes", "nurture_bot_notes"),
]
#: (model, name before, name now) of fields that are computed, which filters may name
COMPUTED = [
    ("crm.lead", "nurture_way_id", "nurture_journey_id"),
    ("crm.lead", "nurture_obstacle", "nurture_exclusion_reason"),
    ("link.tracker", "nurture_reader_count", "nurture_unique_clicks"),
    ("nurture.report", "held_out_back", "holdout_returned"),
    ("nurture.sequence", "figures_date", "statistics_date"),
    ("nurture.sequence", "holdout_back_count", "holdout_return_count"),
]
#: (table, column, value before, value now)
VALUES = [
    ("nurture_trace", "reason", "pulled_back", "recalled"),
    ("nurture_trace", "reason", "mail_put_off", "mail_deferred"),
    ("nurture_trace", "reason", "window", "sending_hours"),
    ("nurture_trace", "reason", "farewell", "last_chance"),
    ("nurture_hit", "kind", "trap", "honeypot"),
    ("nurture_hit", "reason", "trap", "honeypot"),
    ("mailing_trace", "nurture_bot_reason", "trap", "honeypot"),
    ("nurture_sequence", "template_group", "farewell", "last_chance"),
]
#: (table, name before, name now, what PostgreSQL keeps beside it, by which Odoo knows it again)
OBJECTS = [
    (
        "nurture_participant",
        "nurture_participant_sequence_identity_round_unique",
        "nurture_participant_enrolment_unique",
        "UNIQUE (sequence_id, dedup_key, enrolment_number)",
    ),
    (
        "nurture_statistics",
        "nurture_figures_sequence_unique",
        "nurture_statistics_sequence_unique",
        "UNIQUE (sequence_id)",
    ),
]
INDEXES = [
    (
        "nurture_participant_one_way_at_a_time",
        "nurture_participant_one_journey_at_a_time",
    ),
    ("mailing_trace__nurture_unheard_index", "mailing_trace__nurture_pending_index"),
]
#: Parts of external ids (and keys of templates) before and now.
XML_IDS = [
    ("template_farewell", "template_last_chance"),
    ("text_farewell", "text_last_chance"),
    ("ir_cron_nurture_figures", "ir_cron_nurture_statistics"),
    ("nurture_figures", "nurture_statistics"),
    ("crm_lead_view_list_kept_out", "crm_lead_view_list_excluded"),
    ("crm_lead_view_kanban_kept_out", "crm_lead_view_kanban_excluded"),
]
MODULE = "lost_lead_nurture"


def migrate(cr, version):
    """Rename, before the models of this version are loaded."""
    if not version:
        return
    _rename_model(cr, "nurture.figures", "nurture.statistics")
    for table, before, now in COLUMNS:
        if sql.column_exists(cr, table, before):
            sql.rename_column(cr, table, before, now)
        _rename_field(cr, table.replace("_", "."), before, now)
    for model, before, now in COMPUTED:
        _rename_field(cr, model, before, now)
    for table, before, now, definition in OBJECTS:
        _rename_constraint(cr, table, before, now, definition)
    for before, now in INDEXES:
        cr.execute(
            SQL("ALTER INDEX IF EXISTS %s RENAME TO %s", _name(before), _name(now)),
        )
    for values in VALUES:
        _rename_value(cr, *values)
    _rename_reasons_decided(cr)
    _rename_notes(cr)
    for before, now in XML_IDS:
        _rename_xml_ids(cr, before, now)
    # its code is in data that updates leave alone
    cr.execute(
        "UPDATE ir_act_server"
        "   SET code = replace(code, '_cron_count_figures', '_cron_count_statistics')"
        " WHERE strpos(code, '_cron_count_figures') > 0"
    )
    _rename_in_filters(cr)


def _name(name):
    return SQL.identifier(name)


def _rename_model(cr, before, now):
    old, new = before.replace(".", "_"), now.replace(".", "_")
    if not sql.table_exists(cr, old):
        return
    # what was counted is counted anew, under the new names
    cr.execute(SQL("DELETE FROM %s", _name(old)))
    cr.execute(SQL("ALTER TABLE %s RENAME TO %s", _name(old), _name(new)))
    for suffix, kind in (("_id_seq", "SEQUENCE"), ("_pkey", "INDEX")):
        cr.execute(
            SQL(
                "ALTER %s IF EXISTS %s RENAME TO %s",
                SQL(kind),
                _name(old + suffix),
                _name(new + suffix),
            )
        )
    cr.execute("UPDATE ir_model SET model = %s WHERE model = %s", [now, before])
    cr.execute("UPDATE ir_model_fields SET model = %s WHERE model = %s", [now, before])
    cr.execute("UPDATE ir_model_fields SET relation = %s WHERE relation = %s", [now, before])


def _rename_field(cr, model, before, now):
    cr.execute(
        "UPDATE ir_model_fields SET name = %s WHERE model = %s AND name = %s", [now, model, before]
    )
    prefix = f"field_{model.replace('.', '_')}__"
    cr.execute(
        "UPDATE ir_model_data SET name = %s WHERE module = %s AND name = %s",
        [prefix + now, MODULE, prefix + before],
    )


def _rename_constraint(cr, table, before, now, definition):
    if not sql.constraint_definition(cr, table, before):
        return
    names = (_name(table), _name(before), _name(now))
    cr.execute(SQL("ALTER TABLE %s RENAME CONSTRAINT %s TO %s", *names))
    cr.execute(SQL("COMMENT ON CONSTRAINT %s ON %s IS %s", _name(now), _name(table), definition))


def _rename_value(cr, table, column, before, now):
    if sql.column_exists(cr, table, column):
        cr.execute(
            SQL(
                "UPDATE %(table)s SET %(column)s = %(now)s WHERE %(column)s = %(before)s",
                table=_name(table),
                column=_name(column),
                before=before,
                now=now,
            )
        )


def _rename_reasons_decided(cr):
    """What was decided about a trace keeps its order, dates and details."""
    reasons = {before: now for table, _column, before, now in VALUES if table == "nurture_trace"}
    cr.execute(
        """
        UPDATE nurture_trace
           SET decision_log = (
               SELECT jsonb_agg(
                          CASE WHEN names.now IS NULL THEN entry.value
                               ELSE jsonb_set(entry.value, '{reason}', to_jsonb(names.now)) END
                          ORDER BY entry.number)
                 FROM jsonb_array_elements(decision_log) WITH ORDINALITY entry (value, number)
            LEFT JOIN unnest(%(before)s, %(now)s) names (before, now)
                   ON names.before = entry.value->>'reason')
         WHERE jsonb_path_query_array(decision_log, '$[*].reason') ?| %(before)s
        """,
        {"before": list(reasons), "now": list(reasons.values())},
    )


def _rename_notes(cr):
    """What bots did to mails."""
    cr.execute(
        """
        UPDATE mailing_trace
           SET nurture_bot_notes = replace(nurture_bot_notes::text,
                                           '"reason": "trap"', '"reason": "honeypot"')::jsonb
         WHERE nurture_bot_notes::text LIKE '%"reason": "trap"%'
        """
    )


def _rename_xml_ids(cr, before, now):
    cr.execute(
        "UPDATE ir_model_data SET name = replace(name, %s, %s)"
        " WHERE module = %s AND strpos(name, %s) > 0",
        [before, now, MODULE, before],
    )
    cr.execute(
        "UPDATE ir_ui_view SET key = replace(key, %s, %s) WHERE strpos(key, %s) = 1",
        [before, now, f"{MODULE}.{before}"],
    )


def _rename_in_filters(cr):
    """Filters that people have saved in lists. A name is only that of a field where the list is of
    its model: elsewhere it may be a word that somebody looks for."""
    fields = defaultdict(dict)
    for table, before, now in COLUMNS:
        fields[table.replace("_", ".")][before] = now
    for model, before, now in COMPUTED:
        fields[model][before] = now
    cr.execute(
        "SELECT id, model_id, domain, context, sort FROM ir_filters WHERE model_id IN %s",
        [tuple(fields)],
    )
    for filter_id, model, *texts in cr.fetchall():
        names = fields[model]
        words = re.compile(rf"""(?<=['"])({"|".join(names)})(?=['":. ])""")
        renamed = [text and words.sub(lambda m, names=names: names[m[0]], text) for text in texts]
        if renamed != texts:
            cr.execute(
                "UPDATE ir_filters SET domain = %s, context = %s, sort = %s WHERE id = %s",
                [*renamed, filter_id],
            )
