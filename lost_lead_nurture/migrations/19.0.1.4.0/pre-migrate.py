"""What core's tables get, without getting into the way of those who use them, as at installation:
mails are sent and opened while the add-on is updated."""

from odoo import SUPERUSER_ID, api
from odoo.tools import parse_version

from odoo.addons.lost_lead_nurture.hooks import CHANGES
from odoo.addons.lost_lead_nurture.tools.live_schema import Spelling, prepare


def migrate(cr, version):
    # sequences that are there have no new limit, and exclude nobody whom they did not exclude
    cr.execute(
        "ALTER TABLE nurture_sequence ADD COLUMN IF NOT EXISTS complaint_limit double precision,"
        " ADD COLUMN IF NOT EXISTS exclude_left boolean"
    )
    if parse_version(version) < parse_version("19.0.1.2.0"):
        # this transaction has renamed columns of theirs, and holds them already
        return
    changes = [change for change in CHANGES if not isinstance(change, Spelling)]
    prepare(api.Environment(cr, SUPERUSER_ID, {}), changes)
