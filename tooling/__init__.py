"""What stands behind ./dev: Odoo, its database server, demo, tests and linters of this project."""
