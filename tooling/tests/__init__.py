"""Tests of the tooling, and of what plain Python there is in the add-on."""

import importlib.util
import sys

from tooling import odoo_source

# Odoo's domains, SQL and tools need no database, only to be found.
if not importlib.util.find_spec("odoo"):
    sys.path.append(str(odoo_source.find().python_path))
