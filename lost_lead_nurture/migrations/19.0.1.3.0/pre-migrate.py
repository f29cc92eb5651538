from odoo.addons.lost_lead_nurture.hooks import prepare_update


def migrate(cr, version):
    prepare_update(cr, version)
