from odoo.addons.lost_lead_nurture.tools.live_schema import Column, Index, prepare

from .models.mailing_trace import MailingTrace

#: See the add-on that this one extends.
CHANGES = [
    Index.of_model("mailing_trace", "_nurture_sms", MailingTrace._nurture_sms),
    Column("res_company", "nurture_sms_cost", "numeric"),
]


def pre_init_hook(env):
    """Change the tables of core without getting into the way of those who use them."""
    prepare(env, CHANGES)
