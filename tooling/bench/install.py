"""Installing the add-ons into a database with many leads that people are working with meanwhile."""

import contextlib
import random
import threading
import time

from .. import addons, cluster, odoo, settings

#: What somebody at work does, over and over: a lead is saved and its mail noted, orders, contacts
#: and activities are written, pages are read.
_WORK = {
    "lead": (
        "UPDATE crm_lead SET write_date = now() WHERE id = %(lead)s",
        "UPDATE mailing_trace SET write_date = now() WHERE res_id = %(lead)s AND model = 'crm.lead'"
        " AND id = %(mail)s",
    ),
    "mail": (
        "UPDATE mailing_trace SET write_date = now() WHERE id = %(mail)s",
        "UPDATE crm_lead SET write_date = now() WHERE id = %(lead)s",
    ),
    "order": (
        "UPDATE sale_order SET write_date = now()",
        "UPDATE res_partner SET write_date = now() WHERE id = %(partner)s",
        "UPDATE mail_activity SET write_date = now()",
    ),
    "page": (
        "SELECT name FROM res_company",
        "SELECT name FROM crm_lead WHERE id = %(lead)s",
        "SELECT email FROM mailing_trace WHERE id = %(mail)s",
    ),
}


def install_beside_people(database):
    """Install the add-ons while people are at work.

    :param database: with leads that got mails, and without the add-ons
    :return: seconds it took, the longest that anything took them, and what went wrong for them
    """
    with contextlib.closing(cluster.connect(database)) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT min(id), max(id) FROM crm_lead")
        leads = cursor.fetchone()
        cursor.execute("SELECT min(id), max(id) FROM mailing_trace")
        mails = cursor.fetchone()
    people = [_Person(database, work, leads, mails) for work in _WORK.values()]
    for person in people:
        person.start()
    try:
        start = time.monotonic()
        odoo.install(database, addons.names(), log=settings.LOGS / f"bench-{database}.log")
        seconds = time.monotonic() - start
    finally:
        for person in people:
            person.stop()
    errors = [error for person in people for error in person.errors]
    return seconds, max(person.longest for person in people), errors


class _Person(threading.Thread):
    """Does one kind of work until it is asked to stop, in transactions that take a moment."""

    def __init__(self, database, work, leads, mails):
        super().__init__(daemon=True)
        self.database, self.work, self.leads, self.mails = database, work, leads, mails
        self.longest, self.errors = 0.0, []
        self._stopping = threading.Event()

    def run(self):
        with contextlib.closing(cluster.connect(self.database)) as connection:
            while not self._stopping.wait(0.02):
                self._work(connection)

    def _work(self, connection):
        values = {
            "lead": random.randint(*self.leads),
            "mail": random.randint(*self.mails),
            "partner": 1,
        }
        start = time.monotonic()
        try:
            with connection, connection.cursor() as cursor:
                for statement in self.work:
                    cursor.execute(statement, values)
        except Exception as error:
            self.errors.append(str(error))
        self.longest = max(self.longest, time.monotonic() - start)

    def stop(self):
        """End, and wait for it."""
        self._stopping.set()
        self.join()
