"""Letting days pass in a database, without touching the program that runs on it.

A program sees time pass only by comparing the present with what it has written down. Setting the
clock n days ahead and setting everything that is written down n days back give the same
differences, so `pass_time` does the latter: it moves every date and time of the tables below into
the past, by SQL, in one transaction. What was due in n days is due now; what happened today
happened n days ago; and in the end the database looks as if all that time had just passed.

The tables are those of everything that a sequence decides by or writes: its own ones, leads,
mails, what happened to the mails, clicks, activities, orders, meetings and the blacklist.
Tables that no sequence looks at stay as they are: scheduled actions (whoever lets days pass
calls them himself), sessions and keys (nobody is logged out), attachments, accounting (a
posted invoice keeps the date its number was made for).

Odoo keeps no records from one request to the next, so a running server sees the new dates with
its next request. There must be none while time passes, and the tables are locked to make sure.
"""

import contextlib
import datetime

from psycopg2 import sql

#: Patterns (SQL's LIKE) of the tables whose dates move.
TABLES = (
    r"nurture\_%",
    r"crm\_lead",
    r"mailing\_mailing",
    r"mailing\_trace",
    r"mail\_activity",
    r"mail\_blacklist",
    r"mail\_mail",
    r"mail\_message",
    r"mail\_notification",
    r"mail\_tracking\_value",
    r"link\_tracker%",
    r"sale\_order",
    r"calendar\_event",
)
#: Where each trace keeps what was decided: a list of objects with these moments in it.
LOG_TABLE, LOG_COLUMN, LOG_KEYS = "nurture_trace", "decision_log", ("date", "due")


def pass_time(server, **delta):
    """Let time pass in the database of a server (see `odoo.Server`).

    :param delta: days, hours, minutes (see `datetime.timedelta`); dates without a time move by the
        whole days of it
    """
    delta = datetime.timedelta(**delta)
    with (
        contextlib.closing(server.connect()) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        for table, columns in _columns(cursor).items():
            cursor.execute(
                _shift(table, columns),
                {"date": delta.days, "timestamp without time zone": delta},
            )
        for key in LOG_KEYS:
            cursor.execute(_shift_log(), {"key": key, "delta": delta})


def _columns(cursor):
    """Return {table: {name: type} of its columns that hold a date, or a date and a time}."""
    cursor.execute(
        """
        SELECT table_name, jsonb_object_agg(column_name, data_type)
          FROM information_schema.columns
          JOIN information_schema.tables USING (table_schema, table_name)
         WHERE table_schema = 'public'
           AND table_type = 'BASE TABLE'
           AND table_name LIKE ANY (%s)
           AND data_type IN ('date', 'timestamp without time zone')
      GROUP BY table_name
        """,
        (list(TABLES),),
    )
    return dict(cursor.fetchall())


def _shift(table, columns):
    """Return the statement that moves these columns of a table; nothing is moved from NULL."""
    moves = [
        sql.SQL("{0} = {0} - {1}").format(sql.Identifier(column), sql.Placeholder(type_))
        for column, type_ in columns.items()
    ]
    return sql.SQL("LOCK TABLE {0} IN ACCESS EXCLUSIVE MODE; UPDATE {0} SET {1}").format(
        sql.Identifier(table), sql.SQL(", ").join(moves)
    )


def _shift_log():
    """Return the statement that moves the moments ``%(key)s`` in the logs of the traces."""
    return sql.SQL(
        """
        UPDATE {table}
           SET {column} = (
               SELECT jsonb_agg(
                      CASE WHEN entry.value ->> %(key)s IS NULL THEN entry.value
                           ELSE jsonb_set(entry.value, ARRAY[%(key)s], to_jsonb(to_char(
                                (entry.value ->> %(key)s)::timestamp - %(delta)s,
                                'YYYY-MM-DD HH24:MI:SS')))
                      END ORDER BY entry.ordinality)
                 FROM jsonb_array_elements({column}) WITH ORDINALITY entry)
         WHERE {column} IS NOT NULL
        """
    ).format(table=sql.Identifier(LOG_TABLE), column=sql.Identifier(LOG_COLUMN))
