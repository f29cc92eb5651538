"""./dev bench: how fast the engine is, beside what nobody can be faster than or beside core.

Computers differ, so a measurement is a ratio of two times measured in turns in one run. What is
measured is what a process of Odoo does on a real PostgreSQL; opens, clicks and replies come by
HTTP.

    data.py      the databases: leads, participants, traces and mails, written by SQL
    inside.py    what runs inside Odoo, and how it is timed
    engine.py    entering, deciding, an idle scheduled action, memory
    mails.py     composing, queueing and sending
    sink.py      a mail server that forgets what it gets
    answers.py   opens, clicks, replies
    screens.py   forms and lists
    crowd.py     many sequences on very many leads
    customers.py silent customers
    install.py   installing while people are at work
    report.py    the table, docs/benchmark.md and the line of JSON
"""

from .run import Databases, main, measure_install

__all__ = ["Databases", "main", "measure_install"]
