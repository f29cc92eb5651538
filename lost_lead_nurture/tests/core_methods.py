"""What of Odoo's own code the add-on changes or calls: ``{model.method: (parameters, why)}``.

:mod:`.test_core` compares it with the Odoo that runs. What the ORM offers to every model (create,
write, `_read_group`, …) is not listed.
"""

#: Methods of core that are overridden.
OVERRIDDEN = {
    "crm.lead._has_field_access": (
        "field, operation",
        "since when a customer is silent is the engine's to write",
    ),
    "crm.lead._merge_dependences": (
        "opportunities",
        "journeys of merged leads go on as those of the lead that is left",
    ),
    "crm.lead._message_get_default_recipients": (
        "with_cc, all_tos",
        "a step's mail goes to the address that was decided about",
    ),
    "crm.lead._message_mail_after_hook": (
        "mails",
        "contacts show which mailings went to their leads",
    ),
    "crm.lead._pls_get_lead_pls_values": (
        "domain",
        "predictions do not learn from leads of silent customers",
    ),
    "crm.lead._pls_increment_frequencies": (
        "from_state, to_state",
        "predictions do not learn from leads of silent customers",
    ),
    "crm.lead._read_group_groupby": (
        "alias, groupby_spec, query",
        "grouping by the state in a sequence, which is not a column of leads",
    ),
    "crm.lead._search": (
        "domain, offset, limit, order, active_test, bypass_access",
        "an address is found however it is written",
    ),
    "crm.lead.action_set_won": (
        "",
        "core restores first and wins then: one end of the journey, not two",
    ),
    "crm.lead.mail_allowed_qweb_expressions": (
        "",
        "who writes mails may show the offer",
    ),
    "crm.lead.lost.action_lost_reason_apply": (
        "",
        "adds the lead to the sequence chosen in the dialog",
    ),
    "digest.digest._compute_kpis_actions": (
        "company, user",
        "numbers of sequences lead to them",
    ),
    "ir.actions.server._can_execute_action_on_records": (
        "records",
        "an administrator allowed the action for sequences",
    ),
    "ir.actions.server._get_eval_context": (
        "action",
        "in a sandbox core's log function would write in a transaction of its own",
    ),
    "ir.actions.server._run_action_webhook": (
        "eval_context",
        "nothing leaves a sandbox",
    ),
    "ir.attachment._file_write": (
        "bin_value, checksum",
        "a full disk leaves half a file behind that core would take for the whole one",
    ),
    "ir.mail_server._build_email__": (
        "email_from, email_to, subject, body, email_cc, email_bcc, reply_to, attachments, "
        "message_id, references, object_id, subtype, headers, body_alternative, "
        "subtype_alternative",
        "List-Unsubscribe stays one line on the wire",
    ),
    "ir.mail_server._connect__": (
        "host, port, user, password, encryption, smtp_from, ssl_certificate, "
        "ssl_private_key, smtp_debug, mail_server_id, allow_archived",
        "nothing leaves a sandbox",
    ),
    "ir.mail_server.send_email": (
        "message, mail_server_id, smtp_server, smtp_port, smtp_user, smtp_password, "
        "smtp_encryption, smtp_ssl_certificate, smtp_ssl_private_key, smtp_debug, "
        "smtp_session",
        "nothing leaves a sandbox",
    ),
    "ir.qweb._generate_code_uncached": (
        "template",
        "a batch compiles the text of its mail once",
    ),
    "link.tracker.search_or_create": (
        "vals_list",
        "a batch looks each link up once",
    ),
    "link.tracker.click.add_click": (
        "code, **route_values",
        "a click of a sequence counts when it is a person's",
    ),
    "mail.activity._action_done": (
        "feedback, attachment_ids",
        "branches on activities that are done",
    ),
    "mail.activity._has_field_access": (
        "field, operation",
        "nobody ties an activity to a sequence by hand",
    ),
    "mail.compose.message._action_send_mail": (
        "auto_commit",
        "mails and what is written about them are one commit",
    ),
    "mail.compose.message._get_blacklist_record_ids": (
        "mail_values_dict, recipients_info",
        "no address of a lead that is written to is blacklisted",
    ),
    "mail.compose.message._get_done_emails": (
        "mail_values_dict",
        "one address in several spellings is one",
    ),
    "mail.compose.message._get_optout_emails": (
        "mail_values_dict",
        "one address in several spellings is one",
    ),
    "mail.compose.message._get_recipients_data": (
        "mail_values_dict",
        "one address in several spellings is one",
    ),
    "mail.compose.message._prepare_mail_values": (
        "res_ids",
        "leads and contacts show what they got",
    ),
    "mail.compose.message._prepare_mail_values_dynamic": (
        "res_ids",
        "line breaks of leads' names stay out of headers",
    ),
    "mail.compose.message._prepare_mail_values_mailing_traces": (
        "mail_values_all",
        "mailing traces of a step's mail know their trace",
    ),
    "mail.compose.message._render_lang": (
        "res_ids, engine",
        "placeholders in the lead's language where the contact has none",
    ),
    "mail.compose.message._render_template_qweb_regex": (
        "template_src, model, res_ids",
        "a batch compiles the text of its mail once, if core has found no code in it",
    ),
    "mail.mail._get_tracking_url": (
        "",
        "the picture is on the website of the lead's company",
    ),
    "mail.mail._personalize_outgoing_body": (
        "body, partner, doc_to_followers",
        "links to unsubscribe are filled in both texts",
    ),
    "mail.mail._postprocess_sent_message": (
        "success_pids, success_emails, failure_reason, failure_type",
        "the reason names the mail server; whoever sends by hand notifies the sequence",
    ),
    "mail.mail._prepare_outgoing_body": (
        "",
        "links are signed, so that nobody clicks for others",
    ),
    "mail.mail._prepare_outgoing_list": (
        "mail_server, doc_to_followers",
        "international addresses, clean headers, the link for bots; no placeholder leaves",
    ),
    "mail.mail._send": (
        "auto_commit, raise_exception, smtp_session, alias_domain_id, mail_server, "
        "post_send_callback",
        "no mail leaves twice unless a person wants it to: it is noted before that it leaves",
    ),
    "mail.mail.send": (
        "auto_commit, raise_exception, post_send_callback",
        "a mail in doubt is left to a person",
    ),
    "mail.render.mixin._render_template": (
        "template_src, model, res_ids, engine, add_context, options",
        "a name of blanks is taken for missing",
    ),
    "mail.render.mixin._render_template_postprocess": (
        "model, rendered",
        "counted links are on the website of the lead's company",
    ),
    "mail.render.mixin._shorten_links": (
        "html, link_tracker_vals, blacklist, base_url",
        "only what leads to a page is counted",
    ),
    "mail.thread._detect_is_bounce": (
        "message, message_dict",
        "mails have envelope senders of their own",
    ),
    "mail.thread._message_route_process": (
        "message, message_dict, routes",
        "one answer is one reply",
    ),
    "mail.thread._message_parse_extract_bounce": (
        "email_message, message_dict",
        "a report that is not well formed is no error",
    ),
    "mail.thread._routing_handle_bounce": (
        "email_message, message_dict",
        "core takes every report for a bounce",
    ),
    "mail.thread.message_parse": (
        "message, save_original",
        "what is no proper mail is read as plain text",
    ),
    "mail.thread.message_route": (
        "message, message_dict, model, thread_id, custom_values",
        "answers without references find the mail they answer, reports the mail they are about",
    ),
    "mailing.mailing._action_send_mail": (
        "res_ids",
        "the mail of a step is sent by its sequence only",
    ),
    "mailing.mailing._action_view_documents_filtered": (
        "view_filter",
        "the button opens what it counts, archived leads too",
    ),
    "mailing.mailing._action_view_traces_filtered": (
        "view_filter",
        "the button opens what it counts",
    ),
    "mailing.mailing._compute_statistics": (
        "",
        "of delivered, as all rates",
    ),
    "mailing.mailing._get_ab_testing_siblings_mailings": (
        "",
        "the mail of a step is no candidate",
    ),
    "mailing.mailing._get_recipients_domain": (
        "",
        "the mail of a step has no recipients of its own",
    ),
    "mailing.mailing._get_unsubscribe_oneclick_url": (
        "email_to, res_id",
        "on the website of the lead's company",
    ),
    "mailing.mailing._get_unsubscribe_url": (
        "email_to, res_id",
        "on the website of the lead's company",
    ),
    "mailing.mailing._get_view_url": (
        "email_to, res_id",
        "on the website of the lead's company",
    ),
    "mailing.mailing.action_fetch_favorites": (
        "extra_domain",
        "built-in templates in the user's language",
    ),
    "mailing.mailing.action_launch": (
        "",
        "a step's mail is not launched; a mailing asks before open leads",
    ),
    "mailing.mailing.action_put_in_queue": (
        "",
        "a step's mail is not launched; a mailing asks before open leads",
    ),
    "mailing.mailing.action_redirect_to_invoiced": (
        "",
        "opens what the button counts",
    ),
    "mailing.mailing.action_redirect_to_leads_and_opportunities": (
        "",
        "opens what the button counts",
    ),
    "mailing.mailing.action_redirect_to_quotations": (
        "",
        "opens what the button counts",
    ),
    "mailing.mailing.action_retry_failed": (
        "",
        "the mails of a step are retried by its sequence",
    ),
    "mailing.mailing.action_schedule": (
        "",
        "a step's mail is not scheduled; a mailing asks before open leads",
    ),
    "mailing.mailing.action_select_as_winner": (
        "",
        "a step's mail is not launched; a mailing asks before open leads",
    ),
    "mailing.mailing.action_send_mail": (
        "res_ids",
        "a step's mail is not launched; a mailing asks before open leads",
    ),
    "mailing.mailing.action_send_winner_mailing": (
        "",
        "a step's mail is not launched; a mailing asks before open leads",
    ),
    "mailing.mailing.action_view_link_trackers": (
        "",
        "titled by the name of its button",
    ),
    "mailing.mailing.schedule.date.action_schedule_date": (
        "",
        "a step's mail is not scheduled; a mailing asks before open leads",
    ),
    "mailing.trace._has_field_access": (
        "field, operation",
        "what the engine knows of a mail is the engine's to write",
    ),
    "mailing.trace._search": (
        "domain, offset, limit, order, active_test, bypass_access",
        "an address is found however it is written",
    ),
    "mailing.trace.set_bounced": (
        "domain, bounce_message",
        "the sequence is notified",
    ),
    "mailing.trace.set_canceled": (
        "domain",
        "the sequence is notified",
    ),
    "mailing.trace.set_clicked": (
        "domain",
        "the sequence is notified",
    ),
    "mailing.trace.set_failed": (
        "domain, failure_type",
        "the sequence is notified, and why the server refused",
    ),
    "mailing.trace.set_opened": (
        "domain",
        "the sequence is notified, when it is a person's",
    ),
    "mailing.trace.set_replied": (
        "domain",
        "the sequence is notified, unless a bot answers",
    ),
    "mailing.trace.set_sent": (
        "domain",
        "the sequence is notified",
    ),
    "nurture.guard.mixin._check_access": (
        "operation",
        "who steers a sequence works for all its companies",
    ),
    "nurture.hints.mixin._get_view": (
        "view_id, view_type, **options",
        "buttons say what their number means",
    ),
    "nurture.locked._read_group_select": (
        "aggregate_spec, query",
        "who is behind several lines counts once",
    ),
    "nurture.report._read_group": (
        "domain, groupby, aggregates, having, offset, limit, order",
        "sums that are kept serve where they can",
    ),
    "nurture.report._read_group_select": (
        "aggregate_spec, query",
        "rates are quotients of sums, and one row may stand for many records",
    ),
    "nurture.report._read_grouping_sets": (
        "domain, grouping_sets, aggregates, order",
        "sums that are kept serve where they can",
    ),
    "nurture.sequence._message_add_default_recipients": (
        "",
        "the sender of a sequence is nobody to write to",
    ),
    "nurture.sequence._read_group_postprocess_aggregate": (
        "aggregate_spec, raw_values",
        "statistics that are counted add up in grouped lists",
    ),
    "nurture.sequence._read_group_select": (
        "aggregate_spec, query",
        "statistics that are counted add up in grouped lists",
    ),
    "privacy.lookup.wizard.line.action_unlink": (
        "",
        "whoever is erased there enters no sequence again",
    ),
    "sale.order._compute_amounts": (
        "",
        "the ledger looks at quotations that are edited",
    ),
    "sale.order._has_field_access": (
        "field, operation",
        "nobody puts another quotation in the place of what was asked for",
    ),
    "utm.source._generate_name": (
        "record, content",
        "a mailing's source is named without placeholders",
    ),
}

#: Private methods of core that are called.
CALLED = {
    "MassMailController._fetch_user_information": (
        "email, hash_token",
        "who it is that opens the page to unsubscribe",
    ),
    "MassMailController._prepare_mailing_subscription_values": (
        "mailing, document_id, email, hash_token",
        "core's page of subscriptions, when somebody only looks at it",
    ),
    "account.tax._add_tax_details_in_base_lines": (
        "base_lines, company",
        "what lines of a quotation that is not saved come to",
    ),
    "account.tax._filter_taxes_by_company": (
        "company_id",
        "what a product would have cost without a discount",
    ),
    "account.tax._get_tax_totals_summary": (
        "base_lines, currency, company, cash_rounding",
        "what lines of a quotation that is not saved come to",
    ),
    "account.tax._round_base_lines_tax_details": (
        "base_lines, company, tax_lines",
        "what lines of a quotation that is not saved come to",
    ),
    "digest.digest._calculate_company_based_kpi": (
        "model, digest_kpi_field, date_field, additional_domain, sum_field",
        "amounts of a company in a period, as core's digest adds them up",
    ),
    "digest.digest._get_kpi_compute_parameters": (
        "",
        "the period and the companies that a digest is about",
    ),
    "ir.actions.actions._for_xml_id": (
        "full_xml_id",
        "core's own lists, with other domains",
    ),
    "ir.attachment._full_path": (
        "path",
        "where half a file was left",
    ),
    "ir.cron._commit_progress": (
        "processed, remaining, deactivate",
        "batches are committed as core's scheduled actions do",
    ),
    "ir.cron._trigger": (
        "at",
        "the scheduled action is woken when something is due",
    ),
    "ir.mail_server._find_mail_server": (
        "email_from, mail_servers",
        "by which mail server a mail leaves, for the limits of that one",
    ),
    "ir.mail_server._get_default_from_filter": (
        "",
        "whether the mail server takes an envelope sender of ours",
    ),
    "ir.mail_server._get_personal_mail_servers_limit": (
        "",
        "how many mails a minute Odoo sends by the mail server of a person",
    ),
    "ir.mail_server._match_from_filter": (
        "email_from, from_filter",
        "whether the mail server takes an envelope sender of ours",
    ),
    "ir.model._get_id": (
        "name",
        "the model of mailings and activities",
    ),
    "ir.model.data._xmlid_to_res_id": (
        "xmlid, raise_if_not_found",
        "records of our data, from inside a cache",
    ),
    "ir.qweb._get_template_cache_keys": (
        "",
        "what core's own cache of templates goes by",
    ),
    "ir.qweb._render": (
        "template, values, **options",
        "texts of templates and pictures of steps",
    ),
    "mail.alias.domain._find_aliases": (
        "email_list",
        "mail to our own aliases would return as leads",
    ),
    "mail.blacklist._add": (
        "email, message",
        "whoever calls a mail spam gets none any more",
    ),
    "mail.blacklist._remove": (
        "email, message",
        "who wants mails again gets them",
    ),
    "mail.compose.message._is_mass_mailing": (
        "",
        "whether a composer sends a mailing",
    ),
    "mail.mail._split_by_mail_configuration": (
        "",
        "which mail server failed",
    ),
    "mail.render.mixin._has_unsafe_expression_template_inline_template": (
        "template_txt, model, fname",
        "marketers write no more code than in core",
    ),
    "mail.render.mixin._has_unsafe_expression_template_qweb": (
        "template_src, model, fname",
        "marketers write no more code than in core",
    ),
    "mail.render.mixin._render_field": (
        "field, res_ids, engine, compute_lang, res_ids_lang, set_lang, add_context, options",
        "previews, rendered as they are sent",
    ),
    "mail.render.mixin._render_template_inline_template_regex": (
        "template_txt, model, res_ids",
        "placeholders of notes, without running code",
    ),
    "mail.thread._get_html_link": (
        "title",
        "lines of the chatter lead to what they are about",
    ),
    "mail.thread._get_parent_message": (
        "msg_dict",
        "which mail an answer answers",
    ),
    "mail.thread._message_create": (
        "values_list",
        "contacts get lines about many mails in one go",
    ),
    "mail.thread._message_log": (
        "body, subject, author_id, email_from, message_type, partner_ids, attachment_ids, "
        "tracking_value_ids",
        "a note without mails to followers",
    ),
    "mail.thread._message_log_batch": (
        "bodies, subject, author_id, email_from, message_type, partner_ids, "
        "attachment_ids, tracking_value_ids",
        "notes of a batch in one go",
    ),
    "mail.thread._message_parse_extract_from_parent": (
        "parent_message",
        "which mail an answer answers",
    ),
    "mail.thread.blacklist._message_reset_bounce": (
        "email",
        "an address that answers is good again",
    ),
    "mailing.mailing._get_opt_out_list": (
        "",
        "whom a mailing would reach",
    ),
    "mailing.mailing._get_seen_list": (
        "",
        "whom a mailing would reach",
    ),
    "product.product._get_tax_included_unit_price_from_price": (
        "product_price_unit, product_taxes, fiscal_position, product_taxes_after_fp",
        "what a product would have cost without a discount",
    ),
    "product.product._price_compute": (
        "price_type, uom, currency, company, date",
        "what a product would have cost without a discount",
    ),
    "product.pricelist._get_product_price": (
        "product, *args, **kwargs",
        "what an offer costs the customer",
    ),
    "res.currency._convert": (
        "from_amount, to_currency, company, date, round",
        "amounts in the company's currency",
    ),
    "res.partner._display_address": (
        "without_company",
        "the sender's address in templates",
    ),
    "res.lang._get_data": (
        "**kwargs",
        "the page to unsubscribe is in the language of the recipient",
    ),
    "res.users._get_company_ids": (
        "",
        "whether the companies chosen are the user's",
    ),
    "sale.order._get_copiable_order_lines": (
        "",
        "what of a refused quotation is made again",
    ),
    "sale.order._get_update_prices_lines": (
        "",
        "which lines have a price that is worked out",
    ),
    "sale.order._recompute_prices": (
        "",
        "what a refused quotation costs today",
    ),
    "sale.order.line._get_product_price_context": (
        "",
        "what a product would have cost without a discount",
    ),
    "sale.order.line._is_global_discount": (
        "",
        "what takes something off the whole",
    ),
    "sale.order.line._prepare_base_line_for_taxes_computation": (
        "**kwargs",
        "what lines of a quotation that is not saved come to",
    ),
    "uom.uom._compute_quantity": (
        "qty, to_unit, round, rounding_method, raise_if_failure",
        "what products cost is per unit of their own",
    ),
}
