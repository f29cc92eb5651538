from odoo import SUPERUSER_ID, api
from odoo.tools import parse_version

from odoo.addons.base.models.ir_model import MODULE_UNINSTALL_FLAG

from .models.core.res_partner import ResPartner
from .models.lead.conditions import CrmLead
from .models.mail.link_tracker import LinkTracker, LinkTrackerClick
from .models.mail.mailing_trace import MailingTrace
from .models.mail.mailing_trace_statistics import MailingTrace as MailingTraceStatistics
from .tools.live_schema import Column, Index, Reference, Relation, Spelling, prepare

#: What tables of core get, and what of ours refers to those of them that are written all day. A new
#: field, index or reference of that kind belongs here; a test says so.
CHANGES = [
    Column("crm_lead", "nurture_score", "int4", default=0),
    Column("crm_lead", "nurture_address_user_id", "int4", target="res_users"),
    Column("res_partner", "nurture_address_user_id", "int4", target="res_users"),
    Reference("nurture_participant", "lead_id", "crm_lead", "SET NULL"),
    Reference("nurture_reason_history", "lead_id", "crm_lead", "CASCADE"),
    Column("crm_lead", "nurture_silent_since", "timestamp"),
    Reference("nurture_silence", "lead_id", "crm_lead", "SET NULL"),
    Reference("nurture_silence", "partner_id", "res_partner", "CASCADE"),
    Reference("nurture_explain", "lead_id", "crm_lead", "CASCADE"),
    Reference("nurture_explain", "partner_id", "res_partner", "CASCADE"),
    Reference("nurture_dry_run_customer", "partner_id", "res_partner", "CASCADE"),
    Reference("nurture_replay_entry", "lead_id", "crm_lead", "CASCADE"),
    Reference("nurture_replay_message", "lead_id", "crm_lead", "CASCADE"),
    Reference("nurture_replay_collision", "lead_id", "crm_lead", "CASCADE"),
    Reference("nurture_replay_collision", "with_mailing_id", "mailing_mailing", "CASCADE"),
    Reference("nurture_sequence", "failure_activity_id", "mail_activity", "SET NULL"),
    Reference("nurture_preference", "mailing_id", "mailing_mailing", "SET NULL"),
    Reference("nurture_preference_choose", "lead_id", "crm_lead", "CASCADE"),
    Reference("nurture_test", "lead_id", "crm_lead", "CASCADE"),
    Relation(
        *("crm_lead_nurture_enrol_rel", "nurture_enrol_id", "nurture_enrol"),
        *("crm_lead_id", "crm_lead"),
    ),
    Relation(
        *("nurture_sequence_entry_mailing_rel", "nurture_sequence_id", "nurture_sequence"),
        *("mailing_mailing_id", "mailing_mailing"),
    ),
    Relation(
        *("mailing_mailing_nurture_reach_rel", "nurture_reach_id", "nurture_reach"),
        *("mailing_mailing_id", "mailing_mailing"),
    ),
    Index.of_model("crm_lead", "_nurture_open_email_index", CrmLead._nurture_open_email_index),
    Index.of_model("crm_lead", "_nurture_lost_index", CrmLead._nurture_lost_index),
    Index.of_model("crm_lead", "_nurture_bounced_index", CrmLead._nurture_bounced_index),
    Index.of_model("crm_lead", "_nurture_created_index", CrmLead._nurture_created_index),
    Column("crm_lead_lost", "nurture_sequence_id", "int4", target="nurture_sequence"),
    Column("mailing_trace", "nurture_trace_id", "int4", target="nurture_trace"),
    Column("mailing_trace", "nurture_pending", "varchar"),
    Column("mailing_trace", "nurture_sending_date", "timestamp"),
    Column("mailing_trace", "nurture_bot_reason", "varchar"),
    Column("mailing_trace", "nurture_bot_date", "timestamp"),
    Column("mailing_trace", "nurture_bot_notes", "jsonb"),
    Column("mailing_trace", "nurture_refused_date", "timestamp"),
    Column("mailing_trace", "nurture_unsubscribe_date", "timestamp"),
    Column("mailing_trace", "nurture_complaint_date", "timestamp"),
    Column("mailing_trace", "nurture_soft_bounce_date", "timestamp"),
    Column("mailing_trace", "nurture_soft_bounce_reason", "varchar"),
    Column("mailing_trace", "nurture_device", "varchar"),
    Column("mailing_trace", "nurture_client", "varchar"),
    Column("mailing_trace", "nurture_provider", "varchar"),
    Reference("nurture_hit", "mailing_trace_id", "mailing_trace", "CASCADE"),
    Index.of_field("mailing_trace", "nurture_trace_id"),
    Index.of_field("mailing_trace", "nurture_pending"),
    Index.of_model("mailing_trace", "_nurture_email_index", MailingTrace._nurture_email_index),
    Index.of_model(
        "mailing_trace", "_nurture_message_id_index", MailingTrace._nurture_message_id_index
    ),
    Index.of_model("mailing_trace", "_nurture_bounced_index", MailingTrace._nurture_bounced_index),
    Index.of_model("mailing_trace", "_nurture_clicked_index", MailingTrace._nurture_clicked_index),
    Index.of_model("mailing_trace", "_nurture_replied_index", MailingTrace._nurture_replied_index),
    Index.of_model(
        "mailing_trace", "_nurture_reached_index", MailingTraceStatistics._nurture_reached_index
    ),
    Index.of_model(
        "mailing_trace", "_nurture_sent_index", MailingTraceStatistics._nurture_sent_index
    ),
    Reference("nurture_auth_failure", "mailing_trace_id", "mailing_trace", "CASCADE"),
    Reference("nurture_consent", "lead_id", "crm_lead", "SET NULL"),
    Reference("nurture_consent", "partner_id", "res_partner", "SET NULL"),
    Reference("nurture_consent", "mail_id", "mail_mail", "SET NULL"),
    Reference("nurture_consent_history", "lead_id", "crm_lead", "CASCADE"),
    Reference("nurture_consent_history", "partner_id", "res_partner", "CASCADE"),
    Reference("nurture_outcome", "lead_id", "crm_lead", "SET NULL"),
    Reference("nurture_outcome", "partner_id", "res_partner", "SET NULL"),
    Reference("nurture_outcome", "order_id", "sale_order", "CASCADE"),
    Reference("nurture_outcome", "move_id", "account_move", "CASCADE"),
    Reference("nurture_outcome", "event_id", "calendar_event", "CASCADE"),
    Reference("nurture_credit", "mailing_trace_id", "mailing_trace", "SET NULL"),
    Reference("nurture_credit", "mailing_id", "mailing_mailing", "SET NULL"),
    Reference("nurture_credit", "lead_id", "crm_lead", "SET NULL"),
    Reference("nurture_credit", "partner_id", "res_partner", "SET NULL"),
    Reference("nurture_credit", "order_id", "sale_order", "SET NULL"),
    Column("sale_order", "nurture_refused_id", "int4", target="sale_order"),
    Index.of_field("sale_order", "nurture_refused_id"),
    Reference("nurture_price", "order_id", "sale_order", "CASCADE"),
    Reference("nurture_price", "lead_id", "crm_lead", "CASCADE"),
    Reference("nurture_participant", "refused_order_id", "sale_order", "SET NULL"),
    Reference("nurture_credit", "move_id", "account_move", "SET NULL"),
    Column("mail_alias_domain", "nurture_has_subaddresses", "bool"),
    Column("mailing_mailing", "nurture_only", "bool"),
    Reference("nurture_step", "mailing_id", "mailing_mailing", "RESTRICT"),
    Reference("nurture_step_translation", "mailing_id", "mailing_mailing", "RESTRICT"),
    Reference("nurture_variant", "mailing_id", "mailing_mailing", "RESTRICT"),
    Column("mail_activity", "nurture_trace_id", "int4", target="nurture_trace"),
    Index.of_field("mail_activity", "nurture_trace_id"),
    Index.of_model("res_partner", "_nurture_email_index", ResPartner._nurture_email_index),
    Index.of_model("res_partner", "_nurture_bounced_index", ResPartner._nurture_bounced_index),
    Spelling("crm_lead", "email_normalized"),
    Spelling("mailing_trace", "email"),
    Index.of_model("link_tracker", "_nurture_mailing_index", LinkTracker._nurture_mailing_index),
    Index.of_model("link_tracker_click", "_nurture_ip_index", LinkTrackerClick._nurture_ip_index),
    Column("crm_lost_reason", "nurture_cure", "varchar"),
    Column("crm_lost_reason", "nurture_cure_note", "jsonb"),
    Column("ir_act_server", "nurture_allowed", "bool", default=False),
    Column("res_company", "nurture_cap_number", "int4", default=2),
    Column("res_company", "nurture_cap_days", "int4", default=7),
    Column("res_company", "nurture_window_days", "int4", default=90),
    Column("res_company", "nurture_mail_cost", "numeric"),
    Column("res_company", "nurture_holdout_percent", "double precision"),
    Column("res_company", "nurture_basis_consent", "bool"),
    Column("res_company", "nurture_basis_confirmed", "bool"),
    Column("res_company", "nurture_basis_customer", "bool"),
    Column("res_company", "nurture_basis_interest", "bool"),
    Column("res_company", "nurture_retention_months", "int4"),
    Column("res_company", "nurture_feedback_address", "varchar"),
    Column("ir_mail_server", "nurture_hourly_limit", "int4"),
    Column("ir_mail_server", "nurture_daily_limit", "int4"),
    Column("ir_mail_server", "nurture_warm_up_date", "date"),
    Column("ir_mail_server", "nurture_warm_up_first", "int4", default=50),
    Column("ir_mail_server", "nurture_warm_up_growth", "int4", default=50),
    Column("res_config_settings", "nurture_workers", "varchar", default="1"),
    Column("res_config_settings", "nurture_honeypot", "bool"),
    Column("digest_digest", "kpi_nurture_won_back", "bool"),
    Column("digest_digest", "kpi_nurture_invoiced", "bool"),
    Column("digest_digest", "kpi_nurture_sent", "bool"),
    Column("digest_digest", "kpi_nurture_delivered", "bool"),
]


def pre_init_hook(env):
    """Change the tables of core without getting into the way of those who use them."""
    prepare(env, CHANGES)


def prepare_update(cr, version):
    """The same before an update: mails are sent and opened meanwhile.

    :param version: from which it is updated
    """
    if parse_version(version) < parse_version("19.0.1.2.0"):
        # this transaction has renamed columns of theirs, and holds them already
        return
    prepare(
        api.Environment(cr, SUPERUSER_ID, {}),
        [change for change in CHANGES if not isinstance(change, Spelling)],
    )


def post_init_hook(env):
    """Who is blacklisted in one spelling of the address is so in all of them. What would cure CRM's
    own lost reasons is known."""
    env["mail.blacklist"]._nurture_respell()
    env["crm.lost.reason"]._nurture_set_cures()
    env["nurture.sequence"]._set_template_cures()


def uninstall_hook(env):
    """Nobody is left to ask whether a mail in the queue is still wanted: take them all back. The
    mails of built-in templates go with the add-on, those that somebody wrote stay."""
    sequences = env["nurture.sequence"].with_context(
        active_test=False, **{MODULE_UNINSTALL_FLAG: True}
    )
    sequences.search([("state", "=", "running")]).action_stop()
    sequences.search([("is_template", "=", True)])._get_built_in().unlink()
