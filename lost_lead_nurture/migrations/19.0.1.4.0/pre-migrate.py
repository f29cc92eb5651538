from odoo.addons.lost_lead_nurture.hooks import prepare_update


def migrate(cr, version):
    # sequences that are there have no new limit, and exclude nobody whom they did not exclude
    cr.execute(
        "ALTER TABLE nurture_sequence ADD COLUMN IF NOT EXISTS complaint_limit double precision,"
        " ADD COLUMN IF NOT EXISTS exclude_left boolean"
    )
    prepare_update(cr, version)
