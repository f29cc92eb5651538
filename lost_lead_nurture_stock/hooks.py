from odoo.addons.lost_lead_nurture.tools.live_schema import Column, Relation, prepare

#: See the add-on that this one extends.
CHANGES = [
    Column("crm_lead", "nurture_missing", "jsonb"),
    Relation(
        *("crm_lead_nurture_product_rel", "product_id", "product_product"),
        *("lead_id", "crm_lead"),
    ),
]


def pre_init_hook(env):
    """Change the tables of core without getting into the way of those who use them."""
    prepare(env, CHANGES)
