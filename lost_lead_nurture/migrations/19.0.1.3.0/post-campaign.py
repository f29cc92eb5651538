"""Sequences have a campaign code, and those that run a campaign: the quotations that come of them
from now on are in it."""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {"active_test": False, "tracking_disable": True})
    # writing the code of one that runs makes its campaign
    env["nurture.sequence"].search([])._propose_codes()
