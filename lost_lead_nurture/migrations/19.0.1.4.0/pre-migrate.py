from odoo.addons.lost_lead_nurture.hooks import prepare_update


def migrate(cr, version):
    # sequences that are there have no new limit, and exclude nobody whom they did not exclude
    cr.execute(
        "ALTER TABLE nurture_sequence ADD COLUMN IF NOT EXISTS complaint_limit double precision,"
        " ADD COLUMN IF NOT EXISTS exclude_left boolean"
    )
    # these are numbered by the dimensions there are, and are counted anew soon
    cr.execute("SELECT to_regclass('nurture_report_kept')")
    if cr.fetchone()[0]:
        cr.execute("DELETE FROM nurture_report_kept")
    prepare_update(cr, version)
