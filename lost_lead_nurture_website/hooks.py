from odoo.addons.lost_lead_nurture.tools.live_schema import Index, prepare

from .models.website_track import WebsiteTrack

#: See the add-on that this one extends.
CHANGES = [
    Index.of_model("website_track", "_nurture_visit_index", WebsiteTrack._nurture_visit_index),
]


def pre_init_hook(env):
    """Change the tables of core without getting into the way of those who use them."""
    prepare(env, CHANGES)
