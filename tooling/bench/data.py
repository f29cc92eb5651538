"""The databases of the benchmark, filled by SQL: a million traces by the ORM would take hours."""

import contextlib
import tempfile

from .. import cluster

#: What a mail of Email Marketing's editor looks like: tables in tables, five links, a placeholder.
BLOCK = """
<div class="o_mail_wrapper_td oe_structure"><table style="width:100%;border-collapse:collapse"
 cellpadding="0" cellspacing="0"><tbody><tr><td style="padding:16px 24px;font-family:Arial,
 Helvetica,sans-serif;font-size:14px;line-height:1.5;color:#374151">
<h2 style="margin:0 0 12px 0;font-size:20px;color:#111827">It is in stock again</h2>
<p style="margin:0 0 12px 0">When we last spoke the part you asked for was not to be had, and would
 not be for months. The new delivery came in this week, and we have put some aside.</p>
<p style="margin:0 0 12px 0">If you still have the same plan, have a look at
 <a href="https://shop.example.com/part-NUMBER" style="color:#714b67">what is there now</a>: size,
 price and date of delivery are up to date.</p>
<table width="100%"><tbody><tr><td style="width:50%"><img src="/web/image/1" alt=""/></td>
<td style="width:50%;vertical-align:top"><p>Delivered in three days.</p></td></tr></tbody></table>
</td></tr></tbody></table></div>
"""
BODY = (
    '<div class="o_layout"><p>Hello <t t-out="object.contact_name">there</t>,</p>'
    + "".join(BLOCK.replace("NUMBER", str(number)) for number in range(5))
    + '<p><a href="/unsubscribe_from_list">Unsubscribe</a></p></div>'
)

#: Traces of a participant, see `_TRACES`.
STEPS = 5

_LEADS = """
    INSERT INTO crm_lead (name, contact_name, type, email_from, email_normalized, lost_reason_id,
                active, probability, automated_probability, won_status, priority, stage_id,
                company_id, expected_revenue, date_closed, create_date, write_date)
         SELECT 'Lead ' || n, 'Contact ' || n, 'opportunity', 'lead' || n || '@bench.example.com',
                'lead' || n || '@bench.example.com', %(reason)s, false, 0, 0, 'lost', '0',
                %(stage)s, %(company)s, n %% 1000, now() - (1 + n %% 400) * interval '1 day',
                now(), now()
           FROM generate_series(%(first)s, %(last)s) n
"""
# Each lead in the sequence of its reason: the first mail sent, the second one to come.
_CROWD = """
    WITH sequence AS (
         SELECT * FROM unnest(%(reasons)s, %(sequences)s, %(firsts)s, %(seconds)s)
                       part(reason_id, id, first_id, second_id)
         ), entered AS (
         INSERT INTO nurture_participant (sequence_id, company_id, lead_id, dedup_key,
                     enrolment_number, state, entered_date, lead_name, lost_reason_id,
                     date_lost, email, create_date)
              SELECT sequence.id, company_id, lead.id, email_normalized, 1, 'running', now(), name,
                     lost_reason_id, date_closed, email_normalized, now()
                FROM crm_lead lead
                JOIN sequence ON sequence.reason_id = lost_reason_id
           RETURNING id, sequence_id, company_id
         )
    INSERT INTO nurture_trace (participant_id, step_id, sequence_id, company_id, state,
                schedule_date, processed_date, create_date)
         SELECT entered.id, step.id, sequence_id, company_id,
                CASE WHEN step.id = first_id THEN 'processed' ELSE 'scheduled' END,
                now() + interval '7 days', now(), now()
           FROM entered
           JOIN sequence ON sequence.id = sequence_id
     CROSS JOIN unnest(ARRAY[first_id, second_id]) step(id)
"""
# Every second customer ordered last more than 90 days ago.
_CUSTOMERS = """
    INSERT INTO res_partner (name, complete_name, email, email_normalized, active, type,
                autopost_bills, create_date, write_date)
         SELECT 'Customer ' || n, 'Customer ' || n, 'customer' || n || '@bench.example.com',
                'customer' || n || '@bench.example.com', true, 'contact', 'ask', now(), now()
           FROM generate_series(1, %(customers)s) n;
    UPDATE res_partner SET commercial_partner_id = id WHERE name LIKE 'Customer %%';
    INSERT INTO sale_order (name, partner_id, partner_invoice_id, partner_shipping_id, company_id,
                state, date_order, amount_total, currency_rate, create_date, write_date)
         SELECT 'Bench ' || n, customer.id, customer.id, customer.id, %(company)s, 'sale',
                now() - (customer.id %% 2 * 100 + n %% 900) * interval '1 day', n %% 1000, 1,
                now(), now()
           FROM (SELECT id, row_number() OVER (ORDER BY id) AS number
                   FROM res_partner WHERE name LIKE 'Customer %%') customer
           JOIN generate_series(1, %(orders)s) n
                ON n %% %(customers)s = customer.number - 1
"""
# A quotation with three lines for each lead, refused at 90 to 119 for what costs 100 today.
_QUOTATIONS = """
    INSERT INTO sale_order (name, partner_id, partner_invoice_id, partner_shipping_id, company_id,
                currency_id, pricelist_id, state, opportunity_id, date_order,
                amount_untaxed, amount_total, currency_rate, create_date, write_date)
         SELECT 'Bench ' || id, %(customer)s, %(customer)s, %(customer)s, %(company)s, %(currency)s,
                %(pricelist)s, 'cancel', id, now() - interval '30 days',
                3 * (1 + id %% 5) * (90 + id %% 30), 3 * (1 + id %% 5) * (90 + id %% 30), 1,
                now(), now()
           FROM crm_lead WHERE lost_reason_id = %(reason)s;
    INSERT INTO sale_order_line (order_id, company_id, currency_id, state, sequence, name,
                product_id, product_uom_id, product_uom_qty, price_unit, discount, price_subtotal,
                price_total, customer_lead, create_date, write_date)
         SELECT refused.id, company_id, currency_id, state, line, 'Part',
                (%(products)s)[1 + (refused.id * 7 + line * 13) %% array_length(%(products)s, 1)],
                %(uom)s, 1 + opportunity_id %% 5, 90 + opportunity_id %% 30, 0,
                (1 + opportunity_id %% 5) * (90 + opportunity_id %% 30),
                (1 + opportunity_id %% 5) * (90 + opportunity_id %% 30), 0, now(), now()
           FROM sale_order refused
     CROSS JOIN generate_series(1, 3) line
          WHERE refused.name LIKE 'Bench %%'
"""
# As the scheduled action leaves it.
_PRICES = """
    INSERT INTO nurture_price (order_id, lead_id, currency_id, refused_amount, amount, has_margin,
                margin, date)
         SELECT id, opportunity_id, currency_id, amount_untaxed,
                3 * (1 + opportunity_id %% 5) * 100, true, 25, now()
           FROM sale_order WHERE name LIKE 'Bench %%'
    ON CONFLICT DO NOTHING
"""
_PARTICIPANTS = """
    INSERT INTO nurture_participant (sequence_id, company_id, lead_id, dedup_key,
                enrolment_number, state, exit_reason, entered_date, exit_date, won_back_date,
                lead_name, lost_reason_id, date_lost, email, expected_revenue, create_date,
                write_date)
         SELECT %(sequence)s, company_id, id, email_normalized, 1,
                CASE WHEN id %% 10 < 6 THEN 'running' WHEN id %% 10 < 9 THEN 'completed'
                     ELSE 'exited' END,
                CASE WHEN id %% 10 < 6 THEN NULL WHEN id %% 10 < 9 THEN 'finished'
                     ELSE 'restored' END,
                now() - interval '30 days',
                CASE WHEN id %% 10 >= 6 THEN now() - interval '2 days' END,
                CASE WHEN id %% 10 = 9 THEN now() - interval '2 days' END,
                name, lost_reason_id, date_closed, email_normalized, expected_revenue, now(), now()
           FROM crm_lead
          WHERE lost_reason_id = %(reason)s
"""
# First mail sent, second one sent, the branch for those who opened ruled out, a mail to come, a
# step that waits for a click.
_TRACES = """
    INSERT INTO nurture_trace (participant_id, step_id, parent_id, sequence_id, company_id, state,
                reason, base_date, schedule_date, expire_date, processed_date, decision_log,
                create_date, write_date)
         SELECT participant.id, (%(steps)s)[step.number], NULL, sequence_id, company_id,
                CASE WHEN number <= 2 THEN 'processed' WHEN number = 3 OR state != 'running'
                     THEN 'cancelled' WHEN number = 4 THEN 'scheduled' ELSE 'waiting' END,
                CASE WHEN number <= 2 THEN 'done' WHEN number = 3 THEN 'opposite'
                     WHEN state != 'running' THEN 'left' END,
                entered_date, CASE WHEN number <= 4 THEN now() + (number - 3) * interval '9 days'
                END,
                CASE WHEN number = 5 THEN now() + interval '60 days' END,
                CASE WHEN number <= 2 THEN now() - (participant.id %% 15) * interval '1 day' END,
                jsonb_build_array(jsonb_build_object('date', '2026-01-01 00:00:00', 'state',
                'scheduled')), now(), now()
           FROM nurture_participant participant
     CROSS JOIN generate_series(1, 5) step(number)
"""
_PARENTS = """
    UPDATE nurture_trace child SET parent_id = parent.id
      FROM nurture_trace parent
     WHERE parent.participant_id = child.participant_id
       AND parent.step_id = (%(steps)s)[2] AND child.step_id IN ((%(steps)s)[4], (%(steps)s)[5])
"""
_MAILS = """
    INSERT INTO mailing_trace (trace_type, mail_mail_id_int, res_id, mass_mailing_id, email,
                message_id, model, trace_status, is_test_trace, sent_datetime, open_datetime,
                links_click_datetime, reply_datetime, create_date, write_date {nurture})
         SELECT 'mail', 1000000 + row_number() OVER (), lead.id, {mailing}, lead.email_normalized,
                '<' || {mailing} || '.' || lead.id || '@bench.example.com>', 'crm.lead',
                CASE WHEN lead.id %% 100 = 0 THEN 'bounce' WHEN lead.id %% 10 < 3 THEN 'open'
                     ELSE 'sent' END,
                false, now() - interval '10 days' - lead.id %% 480 * interval '1 hour',
                CASE WHEN lead.id %% 10 < 3 THEN now() - lead.id %% 200 * interval '1 hour' END,
                CASE WHEN lead.id %% 10 = 1 THEN now() - lead.id %% 200 * interval '1 hour' END,
                CASE WHEN lead.id %% 50 = 1 THEN now() - interval '5 days' END, now(), now()
                {trace}
           FROM {source}
"""


def add_leads(database, ids, count):
    """Write lost leads into a database.

    :param ids: what `inside.prepare` returned
    """
    with _cursor(database) as cursor:
        cursor.execute("SELECT count(*) FROM crm_lead WHERE lost_reason_id = %s", [ids["reason"]])
        have = cursor.fetchone()[0]
        cursor.execute(_LEADS, ids | {"first": have + 1, "last": count})
    vacuum(database)


def fill(database, ids, traces):
    """Write a big sequence in full swing: so many traces, and the mails that were sent."""
    add_leads(database, ids, max(1, traces // STEPS))
    with _cursor(database) as cursor:
        cursor.execute(_PARTICIPANTS, ids)
        cursor.execute(_TRACES, ids)
        cursor.execute(_PARENTS, ids)
        for number, mailing in enumerate(ids["mailings"][:2]):
            source = (
                "nurture_trace trace JOIN nurture_participant participant"
                " ON participant.id = trace.participant_id"
                " JOIN crm_lead lead ON lead.id = participant.lead_id"
                f" WHERE trace.step_id = {ids['steps'][number]}"
            )
            _add_mails(cursor, mailing, ", nurture_trace_id", ", trace.id", source)
    vacuum(database)


def fill_crowd(database, ids, leads):
    """Write leads that are in one of many sequences, by the reason for which they were lost."""
    statement = _LEADS.replace("%(reason)s", "(%(reasons)s)[1 + n %% array_length(%(reasons)s, 1)]")
    with _cursor(database) as cursor:
        cursor.execute(statement, ids | {"first": 1, "last": leads})
        cursor.execute(_CROWD, ids)
    vacuum(database)


def fill_customers(database, ids, customers, orders):
    """Write customers with confirmed orders."""
    with _cursor(database) as cursor:
        cursor.execute(_CUSTOMERS, ids | {"customers": customers, "orders": orders})
    vacuum(database)


def fill_quotations(database, ids, leads):
    """Write lost leads, each with a quotation that was refused."""
    add_leads(database, ids, leads)
    with _cursor(database) as cursor:
        cursor.execute(_QUOTATIONS, ids)
    vacuum(database)


def fill_prices(database, ids):
    """Write what all refused quotations cost today that nobody has worked out yet."""
    with _cursor(database) as cursor:
        cursor.execute(_PRICES, ids)
    vacuum(database)


def fill_plainly(database, ids, mails):
    """Write a mailing that core alone has sent to lost leads."""
    add_leads(database, ids, mails)
    with _cursor(database) as cursor:
        _add_mails(cursor, ids["mailings"][0], "", "", "crm_lead lead WHERE NOT active")
    vacuum(database)


def _add_mails(cursor, mailing, nurture, trace, source):
    cursor.execute(
        _MAILS.format(mailing=mailing, nurture=nurture, trace=trace, source=source).replace(
            "%%", "%"
        )
    )
    # numbers of their own for each mailing
    cursor.execute(
        "UPDATE mailing_trace SET mail_mail_id_int = 10000000 + id WHERE mass_mailing_id = %s",
        [mailing],
    )


def vacuum(database, *tables):
    """Clean up and count, as the autovacuum of a server in use has done."""
    connection = cluster.connect(database)
    with contextlib.closing(connection):
        connection.autocommit = True
        connection.cursor().execute(f"VACUUM ANALYZE {', '.join(tables)}")


def keep_rows(source, target, table):
    """Keep the rows that a table has in one database beside the table of another."""
    with _cursor(source) as origin, _cursor(target) as writer, tempfile.TemporaryFile() as file:
        origin.copy_expert(f"COPY {table} TO STDOUT", file)
        file.seek(0)
        writer.execute(f"CREATE UNLOGGED TABLE bench_{table} (LIKE {table})")
        writer.copy_expert(f"COPY bench_{table} FROM STDIN", file)
    vacuum(target, f"bench_{table}")


def list_unused_indexes(database):
    """Return the add-on's indexes that no query has used since the database was made, less those
    that a constraint needs."""
    with _cursor(database) as cursor:
        cursor.execute(
            """
            SELECT stat.indexrelname
              FROM pg_stat_user_indexes stat
              JOIN pg_index USING (indexrelid)
             WHERE stat.indexrelname ~ 'nurture' AND stat.idx_scan = 0 AND NOT indisunique
          ORDER BY 1
            """
        )
        return [name for (name,) in cursor.fetchall()]


@contextlib.contextmanager
def _cursor(database):
    connection = cluster.connect(database)
    with contextlib.closing(connection), connection, connection.cursor() as cursor:
        yield cursor
