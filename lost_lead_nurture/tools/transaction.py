"""Code of others inside a transaction of ours."""

from contextlib import contextmanager

from psycopg2.errors import InFailedSqlTransaction

from odoo.exceptions import UserError


@contextmanager
def one_transaction(env):
    """Refuse that the code inside ends the transaction: what was written before it would last
    without it, or be lost while it lasts, and then be done again and again.

    :raise UserError: when it tries to, or hides an error of the database, after which PostgreSQL
        commits nothing any more
    """

    def refuse():
        raise UserError(
            env._("It commits or rolls back by itself, which a step of a sequence must not do.")
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
