"""Doing something for real, so that nothing of it ever happened.

A sandbox is a transaction of its own in which everything runs as it always does, and which is
rolled back in the end. What a rollback does not undo does not happen in it: nobody is mailed, no
other program is called, and what waits for a commit (webhooks, notifications, waking scheduled
actions) waits in vain.
"""

from contextlib import closing, contextmanager

from psycopg2.errors import LockNotAvailable

from odoo import api
from odoo.exceptions import UserError
from odoo.sql_db import BaseCursor, Savepoint

from .offline import offline
from .transaction import LOCK_TIMEOUT


class SandboxCursor(BaseCursor):
    """A cursor over another one that never commits. Whoever commits or rolls back in it, core's
    composer or the code of a server action, does so between savepoints."""

    def __init__(self, cursor):
        super().__init__()
        #: what would have left: list of (``mail``, ``webhook`` or ``call``, to whom)
        self.suppressed = []
        self._cursor = cursor
        self._savepoint = None

    def __getattr__(self, name):
        return getattr(self._cursor, name)

    def execute(self, *args, **kwargs):
        if self._savepoint is None:
            self._savepoint = Savepoint(self._cursor)
        return self._cursor.execute(*args, **kwargs)

    def dictfetchone(self):
        return self._cursor.dictfetchone()

    def commit(self):
        self.flush()
        self._end(rollback=False)
        self.clear()
        self.prerollback.clear()
        self.postrollback.clear()
        self.postcommit.clear()

    def rollback(self):
        self.clear()
        self.postcommit.clear()
        self.prerollback.run()
        self._end(rollback=True)
        self.postrollback.run()

    def close(self):
        try:
            self.rollback()
        finally:
            self._cursor.rollback()
            self._cursor.close()

    def _end(self, rollback):
        self._now = None
        if self._savepoint is not None:
            self._savepoint.close(rollback=rollback)
            self._savepoint = None


class PastCursor(SandboxCursor):
    """A cursor of a sandbox in which it is another time, see ``nurture.past``."""

    #: the :class:`~.clock.Clock` that tells it
    clock = None

    def now(self):
        return self.clock.now if self.clock else super().now()

    def refuse_writing(self):
        """From now on PostgreSQL itself refuses to write anything but temporary tables, and to take
        numbers from sequences, until the sandbox ends."""
        self.commit()
        # not in a savepoint, whose end would take it back
        self._cursor.execute("SET TRANSACTION READ ONLY")


@contextmanager
def sandbox(env, cursor_class=SandboxCursor):
    """An environment with all rights, as scheduled actions have, in which nothing lasts. It sees
    what is committed, and never what ``env`` has not committed yet.

    :param cursor_class: another class of cursors than usual
    :raise UserError: when somebody, the caller included, holds what it needs for longer than
        :data:`LOCK_TIMEOUT`
    """
    registry = env.registry
    pending = set(registry.cache_invalidated)
    try:
        with closing(cursor_class(registry.cursor())) as cr, offline(cr.suppressed):
            cr.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
            cr.commit()  # pylint: disable=invalid-commit
            yield api.Environment(cr, api.SUPERUSER_ID, {})
    except LockNotAvailable as error:
        # to try the whole request again, as is usual, would only wait again
        raise UserError(
            env._(
                "Somebody is changing the same records right now, or this very transaction has "
                "changed them and is not finished. Try again in a moment."
            )
        ) from error
    finally:
        # caches may hold what was rolled back
        registry.reset_changes()
        registry.cache_invalidated.update(pending)


def is_sandbox(env):
    """Whether what is done in ``env`` does not last."""
    return isinstance(env.cr, SandboxCursor)


def is_past(env):
    """Whether ``env`` is in the past: there the engine decides as always, and does nothing."""
    return isinstance(env.cr, PastCursor)
