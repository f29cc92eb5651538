"""Tests of the tooling. They need neither Odoo nor a database: python -m unittest."""
