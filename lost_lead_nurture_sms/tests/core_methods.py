"""What of Odoo's own code the add-on changes or calls, see the module of the same name in
``lost_lead_nurture``."""

#: Methods of core that are overridden.
OVERRIDDEN = {
    "mailing.mailing._get_seen_list_sms": (
        "",
        "participants decide who gets the SMS once",
    ),
    "mailing.mailing._send_sms_get_composer_values": (
        "res_ids",
        "SMS of a batch wait in the queue for its commit",
    ),
    "mailing.mailing.action_retry_failed_sms": (
        "",
        "the SMS of a step are retried by its sequence",
    ),
    "mailing.mailing.action_send_sms": (
        "res_ids",
        "the SMS of a step is sent by its sequence only",
    ),
    "mailing.trace.set_opened": (
        "domain",
        "a click may come before the provider's report",
    ),
    "sms.composer._action_send_sms": (
        "",
        "the SMS of a step is sent by its sequence only",
    ),
    "sms.composer._get_blacklist_record_ids": (
        "records, recipients_info",
        "core reads the whole blacklist for each batch",
    ),
    "sms.composer._prepare_mass_sms_trace_values": (
        "record, sms_values",
        "mailing traces of a step's SMS know their trace",
    ),
    "sms.sms._send": (
        "unlink_failed, unlink_sent, raise_exception",
        "an SMS is looked at once more before it leaves",
    ),
    "sms.sms._update_body_short_links": (
        "",
        "links are signed, so that nobody clicks for others",
    ),
    "sms.tracker._update_sms_mailings": (
        "trace_status, traces",
        "the mailing of a step is never being sent by core's queue",
    ),
    "sms.tracker._update_sms_traces": (
        "trace_status, failure_type, failure_reason",
        "a report after the click does not undo it",
    ),
}

#: Private methods of core that are called.
CALLED = {
    "ir.model._get_id": (
        "name",
        "the model of mailings",
    ),
    "mail.render.mixin._render_field": (
        "field, res_ids, engine, compute_lang, res_ids_lang, set_lang, add_context, options",
        "previews, rendered as they are sent",
    ),
    "res.users._phone_format": (
        "fname, number, country, force_format, raise_exception",
        "a number that is let in again, as core writes numbers",
    ),
    "sms.sms._get_send_batch_size": (
        "",
        "batches as large as the provider takes",
    ),
    "sms.sms._update_sms_state_and_trackers": (
        "new_state, failure_type",
        "SMS to a number that was blacklisted are recalled",
    ),
}
