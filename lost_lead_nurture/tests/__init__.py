from .consent import test_consent, test_opt_in, test_privacy_lookup
from .core import test_core, test_filter_rights, test_kept_counts
from .credit import test_ledger, test_money, test_results
from .doors import test_access, test_doors, test_message_fuzz, test_rpc, test_rpc_fuzz
from .install import test_install
from .lead import (
    test_addresses,
    test_bounced_addresses,
    test_cure,
    test_lead_status,
    test_lead_wizards,
    test_lost_reason,
    test_preset,
    test_reason,
    test_silent,
)
from .mail import (
    test_ab_test,
    test_answers,
    test_auth_failures,
    test_chatter,
    test_guard,
    test_languages,
    test_leaving,
    test_leaving_fuzz,
    test_links,
    test_bots,
    test_mailing_clicks,
    test_bounce_reports,
    test_mailing_results,
    test_pace,
    test_preferences,
    test_refusals,
    test_wire,
)
from .participant import (
    test_forgotten,
    test_goals,
    test_holdout,
    test_records,
    test_sunset,
    test_exit_conditions,
)
from .quotation import test_page, test_price, test_rights
from .report import (
    test_contradictions,
    test_digest,
    test_dimensions,
    test_hygiene,
    test_kept,
    test_lift,
    test_locked,
    test_own_statistics,
    test_pages,
    test_rates,
    test_reports,
    test_taken_along,
    test_walk,
)
from .sequence import (
    test_audience,
    test_bad_input,
    test_behaviour,
    test_campaign,
    test_dashboard,
    test_domain_words,
    test_dry_run,
    test_entry,
    test_entry_rules,
    test_explain,
    test_failures,
    test_guardrails,
    test_statistics,
    test_gallery,
    test_offers,
    test_overview,
    test_profiles,
    test_random_prices,
    test_replay,
    test_sender,
    test_start,
    test_stop,
    test_test_run,
    test_update,
    test_waits,
    test_workers,
    test_workflow,
)
from .step import (
    test_step_filter,
    test_step_rights,
    test_step_rules,
    test_step_types,
    test_variants,
)
from .timeline import test_timeline
from .tours import test_audience_tours, test_js, test_lead_tours, test_tours
from .trace import (
    test_abuse,
    test_callers,
    test_engine,
    test_messages,
    test_mishaps,
    test_promises,
    test_survival,
    test_timing,
    test_triggers,
)
