"""Transactions: code of others inside one of ours, and ours beside that of a caller."""

from contextlib import contextmanager, suppress

import psycopg2
from psycopg2.errors import InFailedSqlTransaction

from odoo.exceptions import UserError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

#: How long a transaction beside that of its caller waits for somebody who writes the same records.
LOCK_TIMEOUT = "5s"


def has_written(cr):
    """Whether the transaction of ``cr`` has written, or locked rows. Who needs these rows in
    another transaction waits until it ends: for ever, when its end waits for the other one.

    What the ORM has not flushed yet is not seen.
    """
    # PostgreSQL gives a transaction a number when it writes first, or locks a row
    cr.execute("SELECT txid_current_if_assigned() IS NOT NULL")
    return cr.fetchone()[0]


@contextmanager
def own_transaction(env):
    """An environment like ``env`` whose transaction is its own, so that it may commit as it goes.
    It sees what is committed, and waits for nobody longer than :data:`LOCK_TIMEOUT`.

    Not to be opened by a caller that :func:`has_written`: what that has written is not there, and
    what it has locked cannot be had.

    :raise psycopg2.errors.LockNotAvailable: when somebody holds what it needs for longer
    """
    with env.registry.cursor() as cr:
        cr.execute("SELECT set_config('lock_timeout', %s, false)", [LOCK_TIMEOUT])
        # a rollback would undo the setting, too
        cr.commit()  # pylint: disable=invalid-commit
        try:
            yield env(cr=cr)
            cr.commit()  # pylint: disable=invalid-commit
        finally:
            # the connection is used again by others; one that is broken is not
            with suppress(psycopg2.Error):
                cr.rollback()
                cr.execute("RESET lock_timeout")
                cr.commit()  # pylint: disable=invalid-commit


@contextmanager
def one_transaction(env):
    """Refuse that the code inside ends the transaction: what was written before it would last
    without it, or be lost while it lasts, and then be done again and again.

    :raise UserError: when it tries to, or hides an error of the database, after which PostgreSQL
        commits nothing any more
    """

    def refuse():
        raise UserError(
            env._("It commits or rolls back on its own, which a step of a sequence must not do.")
        )

    cr = env.cr
    cr.commit = cr.rollback = refuse
    try:
        with cr.savepoint():
            yield
    except InFailedSqlTransaction as error:
        raise UserError(
            env._("It went on after an error of the database that it did not report.")
        ) from error
    finally:
        del cr.commit, cr.rollback


@contextmanager
def attempt(env, on_error):
    """Do what is inside as a whole or not at all. What goes wrong there keeps nobody from going on:
    it is handed to ``on_error``, which may log it, or raise it all the same. A conflict with
    another transaction is nothing that went wrong: whoever began this one tries again.

    :param on_error: called with the error, while it is handled
    """
    try:
        with env.cr.savepoint():
            yield
    except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
        raise
    except Exception as error:
        on_error(error)
