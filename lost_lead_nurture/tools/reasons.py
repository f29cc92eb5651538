"""Why a participant or a trace ended: the values people filter by and integrators rely on."""

#: ``nurture.participant.exit_reason``
EXIT_REASONS = [
    ("finished", "Went through all steps"),
    ("unreachable", "Could not be written to"),
    ("replied", "Replied"),
    ("restored", "Lead restored"),
    ("won", "Lead won"),
    ("unsubscribed", "Unsubscribed"),
    ("blacklisted", "Address blacklisted"),
    ("bounced", "Mail bounced"),
    ("deleted", "Lead deleted"),
    ("merged", "Lead merged with another one in the sequence"),
    ("removed", "Removed by hand"),
    ("holdout", "Held out for comparison"),
]

#: Exit reasons that mean the lead came back.
WON_BACK = ("replied", "restored", "won")

#: ``nurture.trace.reason``
TRACE_REASONS = [
    ("done", "Done"),
    ("left", "The lead left the sequence"),
    ("pulled_back", "Pulled back: the lead left before the mail was sent"),
    ("opposite", "The opposite happened first"),
    ("other_branch", "Another branch took over"),
    ("no_reaction", "Nothing happened in time"),
    ("parent_failed", "The step before was not sent"),
    ("by_hand", "Cancelled by hand"),
    ("step_archived", "The step was archived"),
    ("mail_cancelled", "The mail was cancelled"),
    ("blacklisted", "The address is blacklisted"),
    ("opt_out", "The address opted out"),
    ("duplicate", "The address already got this mail"),
    ("expired", "Too late: the step had expired"),
    ("filtered", "The lead does not match the step's filter"),
    ("no_address", "The lead has no email address"),
    ("invalid_address", "The email address is not valid"),
    ("mail_failed", "The mail could not be sent"),
    ("failed", "The step failed"),
]

#: ``nurture.trace.reason`` by ``mailing.trace.failure_type`` of a mail that core did not send
REASON_OF_FAILURE = {
    "mail_bl": "blacklisted",
    "mail_optout": "opt_out",
    "mail_dup": "duplicate",
    "mail_email_missing": "no_address",
    "mail_email_invalid": "invalid_address",
}
