"""Databases with their file stores: made, copied, renamed and dropped as one.

A database takes its final name only when it is complete, so a killed run leaves nothing broken.
Until then, and for databases of one run only, the name carries the run's id (see `shell.run_id`),
by which a later run finds what a killed one left.
"""

import os
import re
import shutil

import psycopg2

from . import cluster, settings, shell

TEMPORARY = re.compile(r"^run_(\d+_\d+)_")


def temporary(purpose):
    """Return a database name that belongs to this run."""
    return f"run_{shell.run_id()}_{purpose}"


def names():
    """Return the names of all databases."""
    return {row[0] for row in _execute("SELECT datname FROM pg_database WHERE NOT datistemplate")}


def exists(name):
    """Tell whether a database is there."""
    return bool(_execute("SELECT 1 FROM pg_database WHERE datname = %s", name))


def copy(source, target):
    """Make a database like another."""
    _copy_filestore(source, target)
    # copying files beats writing every page into the log, which is the default from version 15
    strategy = " STRATEGY file_copy" if _server_version() >= 150000 else ""
    _execute(f'CREATE DATABASE "{target}" TEMPLATE "{source}"{strategy}')


def rename(name, target):
    """Rename a database; another one of that name is dropped."""
    drop(target)
    if (settings.FILESTORE / name).exists():
        (settings.FILESTORE / name).rename(settings.FILESTORE / target)
    _execute(f'ALTER DATABASE "{name}" RENAME TO "{target}"')


def drop(name):
    """Drop a database, whoever is connected to it."""
    _execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    shell.remove(settings.FILESTORE / name)


def clean_up():
    """Drop what killed runs left."""
    for name in names():
        owner = TEMPORARY.match(name)
        if owner and not shell.is_run_alive(owner[1]):
            drop(name)
    if settings.FILESTORE.exists():
        for folder in settings.FILESTORE.iterdir():
            owner = TEMPORARY.match(folder.name)
            if owner and not shell.is_run_alive(owner[1]):
                shell.remove(folder)


def ensure_template(name, build):
    """Make a database by `build(temporary name)` unless it is there."""
    if exists(name):
        return
    with shell.locked(name):
        if exists(name):
            return
        new = temporary("template")
        try:
            build(new)
            rename(new, name)
        finally:
            drop(new)


def _copy_filestore(source, target):
    """Copy a file store by hard links: Odoo only ever adds and removes whole files in it."""
    folder = settings.FILESTORE / source
    shell.remove(settings.FILESTORE / target)
    if folder.exists():
        shutil.copytree(folder, settings.FILESTORE / target, copy_function=_link)


def _link(source, target):
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _server_version():
    with cluster.connect() as connection:
        return connection.server_version


def _execute(statement, *values):
    """Run one statement outside a transaction."""
    connection = cluster.connect()
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else None
    except psycopg2.errors.ObjectInUse as error:
        raise shell.Failure(f"A database is in use: {error}") from None
    finally:
        connection.close()
