"""Changing the tables of others while people are working with them.

Odoo installs a module in one transaction. Each column, index and reference to a table locks that
table until all views and templates are loaded, too: for many seconds nobody could save a lead, and
whoever held one at the wrong moment would make the installation fail. So what tables of core get is
made before, one statement after the other, each in a transaction of its own that stops waiting soon
when somebody is in the way and tries again. Odoo finds it there, and does not fill the rows either,
which would write each of them."""

import contextlib
import logging
import time
from typing import NamedTuple

import psycopg2.errors

from odoo.exceptions import UserError
from odoo.tools import SQL
from odoo.tools.sql import index_exists, make_identifier, make_index_name, table_exists

from .addresses import sql_respell

_logger = logging.getLogger(__name__)

#: How long a statement may wait for others: whoever comes after it waits behind it.
PATIENCE = "500ms"
#: How long an index may wait for transactions that began before it. Nobody waits behind that.
INDEX_PATIENCE = "20s"
#: Seconds after which it is said that the tables are in use all the time.
TIMEOUT = 60
#: What says that somebody else is at it.
_IN_THE_WAY = (
    psycopg2.errors.LockNotAvailable,
    psycopg2.errors.DeadlockDetected,
    psycopg2.errors.SerializationFailure,
)


class Column(NamedTuple):
    """A column for a table of core.

    :param default: what the rows that are there have; PostgreSQL does not write them for it
    :param target: the own table that it refers to, of which a row may be deleted
    """

    table: str
    name: str
    type: str
    default: object = None
    target: str | None = None


class Reference(NamedTuple):
    """A column of an own table that refers to a table of core."""

    table: str
    name: str
    target: str
    ondelete: str


class Relation(NamedTuple):
    """A table that links an own table (first) with one of core."""

    table: str
    own_column: str
    own_table: str
    name: str
    target: str


class Index(NamedTuple):
    """An index of a table of core.

    :param comment: by which Odoo knows the definition again, where it is one of ``models.Index``
    """

    table: str
    name: str
    definition: str
    comment: str | None = None

    @classmethod
    def of_field(cls, table, column):
        """That of a field with ``index="btree_not_null"``."""
        definition = f'("{column}") WHERE "{column}" IS NOT NULL'
        return cls(table, make_index_name(table, column), definition)

    @classmethod
    def of_model(cls, table, name, index):
        """That of an attribute ``name`` of a model, which is a ``models.Index``."""
        definition = index._index_definition
        return cls(table, make_identifier(f"{table}{name}"), definition, f"INDEX {definition}")


class Spelling(NamedTuple):
    """A column of a table of core with normalized addresses, which get their one spelling."""

    table: str
    column: str


def prepare(env, changes):
    """Make what ``changes`` list, in this order. Commits.

    :param env: of a ``pre_init_hook``
    :param changes: list of :class:`Column`, :class:`Reference`, :class:`Relation`, :class:`Index`,
        :class:`Spelling`
    :raise UserError: when somebody holds one of the tables for too long
    """
    # the modules before are installed; a transaction that is open here would be waited for below
    env.cr.commit()  # pylint: disable=invalid-commit
    with _autocommit(env) as cr:
        for change in changes:
            _MAKERS[type(change)](env, cr, change)


@contextlib.contextmanager
def _autocommit(env):
    """A cursor of its own, in which each statement is a transaction."""
    with contextlib.closing(env.registry.cursor()) as cr:
        cr.connection.autocommit = True
        try:
            yield cr
        finally:
            cr.execute("RESET lock_timeout")
            cr.connection.autocommit = False


def _add_column(env, cr, column):
    reference = SQL()
    if column.target:
        _make_table(env, cr, column.target)
        reference = SQL("REFERENCES %s ON DELETE SET NULL", SQL.identifier(column.target))
    default = SQL() if column.default is None else SQL("DEFAULT %s", column.default)
    _patiently(
        env,
        cr,
        SQL(
            "ALTER TABLE %s ADD COLUMN IF NOT EXISTS %s %s %s %s",
            SQL.identifier(column.table),
            SQL.identifier(column.name),
            SQL(column.type),
            default,
            reference,
        ),
        column.table,
    )


def _add_reference(env, cr, reference):
    _make_table(env, cr, reference.table)
    _patiently(
        env,
        cr,
        SQL(
            "ALTER TABLE %s ADD COLUMN IF NOT EXISTS %s int4 REFERENCES %s ON DELETE %s",
            SQL.identifier(reference.table),
            SQL.identifier(reference.name),
            SQL.identifier(reference.target),
            SQL(reference.ondelete),
        ),
        reference.target,
    )


def _make_relation(env, cr, relation):
    if table_exists(cr, relation.table):
        return
    _make_table(env, cr, relation.own_table)
    _patiently(
        env,
        cr,
        SQL(
            "CREATE TABLE %(table)s (%(own)s int4 NOT NULL REFERENCES %(own_table)s"
            " ON DELETE CASCADE, %(name)s int4 NOT NULL REFERENCES %(target)s"
            " ON DELETE CASCADE, PRIMARY KEY (%(own)s, %(name)s));"
            "CREATE INDEX ON %(table)s (%(name)s, %(own)s)",
            table=SQL.identifier(relation.table),
            own=SQL.identifier(relation.own_column),
            own_table=SQL.identifier(relation.own_table),
            name=SQL.identifier(relation.name),
            target=SQL.identifier(relation.target),
        ),
        relation.target,
    )


def _make_table(_env, cr, table):
    """Make a table that something refers to; Odoo adds the columns."""
    if not table_exists(cr, table):
        cr.execute(SQL("CREATE TABLE %s (id SERIAL PRIMARY KEY)", SQL.identifier(table)))


def _make_index(_env, cr, index):
    """Make an index while everybody may write. When old transactions keep it from that for too
    long, Odoo makes it, and the table cannot be written until the module is installed."""
    if index_exists(cr, index.name):
        return
    name = SQL.identifier(index.name)
    cr.execute("SET lock_timeout = %s", [INDEX_PATIENCE])
    try:
        cr.execute(
            SQL(
                "CREATE INDEX CONCURRENTLY %s ON %s %s",
                name,
                SQL.identifier(index.table),
                SQL(index.definition.replace("%", "%%")),
            ),
            log_exceptions=False,
        )
        if index.comment:
            cr.execute(SQL("COMMENT ON INDEX %s IS %s", name, index.comment))
    except psycopg2.errors.LockNotAvailable:
        # core makes it in a moment, as it makes those of any add-on; who installs reads the log
        _logger.info("%s has to be made with everybody waiting", index.name)
        # half an index is left
        cr.execute(SQL("DROP INDEX IF EXISTS %s", name))


def _respell(env, cr, spelling):
    """Write the few rows of others whose address may be written otherwise."""
    if statement := sql_respell(cr, *spelling):
        _patiently(env, cr, statement, spelling.table)


def _patiently(env, cr, statement, table):
    """Execute ``statement``, which needs ``table``, or rows of it, for itself for a moment."""
    end = time.monotonic() + TIMEOUT
    cr.execute("SET lock_timeout = %s", [PATIENCE])
    while True:
        try:
            cr.execute(statement, log_exceptions=False)
            return
        except _IN_THE_WAY as error:
            if time.monotonic() > end:
                raise UserError(
                    env._(
                        "The table “%s” is in use all the time, by a long report or a backup "
                        "perhaps. Install again when that is done.",
                        table,
                    )
                ) from error
            # let those pass who have been waiting behind us
            time.sleep(0.5)


_MAKERS = {
    Column: _add_column,
    Reference: _add_reference,
    Relation: _make_relation,
    Index: _make_index,
    Spelling: _respell,
}
