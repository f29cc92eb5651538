"""Why a lead is excluded, and why a participant or a trace ended: the values people filter by and
integrators rely on."""

#: ``nurture.participant.exit_reason``
EXIT_REASONS = [
    ("finished", "Went through all steps"),
    ("unreachable", "Could not be written to"),
    ("replied", "Replied"),
    ("restored", "Lead restored"),
    ("won", "Lead won"),
    ("lost", "Lead lost"),
    ("clicked", "Clicked the link that counts"),
    ("quotation", "Got a quotation"),
    ("order", "Ordered"),
    ("meeting", "Booked a meeting"),
    ("open_deal", "Another opportunity with this customer is open"),
    ("unmatched", "No longer matches the sequence"),
    ("silent", "Too many mails without engagement"),
    ("unsubscribed", "Unsubscribed"),
    ("complained", "Called a mail spam"),
    ("blacklisted", "Address blacklisted"),
    ("bounced", "Mail bounced"),
    ("contact_left", "Contact archived"),
    ("price_risen", "The price rose again"),
    ("not_offered", "Its quotation cannot be offered any more"),
    ("forgotten", "Asked to be forgotten"),
    ("deleted", "Lead deleted"),
    ("merged", "Lead merged with another one in the sequence"),
    ("removed", "Removed by hand"),
    ("holdout", "Held out for comparison"),
]

#: Exit reasons that mean the lead was won back.
WON_BACK = ("replied", "restored", "won", "clicked", "quotation", "order", "meeting")

#: ``nurture.trace.reason``
TRACE_REASONS = [
    ("done", "Done"),
    ("left", "The lead left the sequence"),
    ("recalled", "Recalled before the mail was sent"),
    ("opposite", "The opposite happened first"),
    ("other_branch", "Another branch took over"),
    ("no_reaction", "Nothing happened in time"),
    ("parent_failed", "The step before was not sent"),
    ("by_hand", "Cancelled by hand"),
    ("step_archived", "The step was archived"),
    ("mail_cancelled", "The mail was cancelled"),
    ("blacklisted", "The address is blacklisted"),
    ("no_basis", "No lawful basis to write to the address"),
    ("not_confirmed", "The consent was not confirmed"),
    ("asked_before", "The address was asked for its consent before"),
    ("bounced", "Mails to the address bounce"),
    ("opt_out", "The address opted out"),
    ("duplicate", "The address already got this mail"),
    ("expired", "Too late: the step had expired"),
    ("filtered", "The lead does not match the step's filter"),
    ("not_today", "Not done on this day"),
    ("no_address", "The lead has no email address"),
    ("invalid_address", "The email address is not valid"),
    ("mail_failed", "The mail could not be sent"),
    ("mail_deferred", "Deferred: the recipient's mail server asks to try again later"),
    ("mail_in_doubt", "It is not known whether the mail was sent"),
    ("provider_held", "Deferred: the mail provider takes no more for now"),
    ("provider_limit", "Deferred: so many mails an hour to this mail provider"),
    ("server_limit", "Deferred: so many mails from this mail server"),
    ("sequence_limit", "Deferred: so many mails an hour from this sequence"),
    ("sending_hours", "Deferred to the sending hours"),
    ("cap", "The address has got enough marketing lately"),
    ("preference", "Deferred: the recipient wants a pause, or fewer mails"),
    ("last_chance", "Deferred: a last-chance mail asks for engagement first"),
    ("resumed", "Deferred: the sequence was stopped"),
    ("updated", "Moved: the step was changed"),
    ("added", "The step was added while the lead was inside"),
    ("stopped", "Fell due while the sequence was stopped"),
    ("ab_started", "An A/B test began: the version was drawn"),
    ("ab_decided", "The A/B test is decided: the lead gets the winner"),
    ("run_now", "Brought forward by hand"),
    ("retried", "Tried again"),
    ("no_quotation", "There is no refused quotation"),
    ("not_priced", "Its quotation has no price today"),
    ("not_sold", "A product of its quotation is not sold any more"),
    ("no_cost", "It is not known what its quotation costs you"),
    ("under_margin", "Its quotation would be below the margin floor"),
    ("no_discount", "No discount beats the refused price and keeps the margin"),
    ("failed", "The step failed"),
    ("not_allowed", "Who has set the step up may not have that done"),
    ("interrupted", "The server process ended while it did the step"),
]

#: Reasons for which a mail waits in the queue: it was done as far as the sequence goes.
IN_QUEUE = ("mail_deferred", "provider_held", "preference")

#: Reasons of failed traces that nobody but a person tries again: somebody may get it twice, the
#: server may go down once more, or somebody has to allow it first.
ONLY_BY_HAND = ("mail_in_doubt", "interrupted", "not_allowed")

#: ``nurture.trace.reason`` by ``mailing.trace.failure_type`` of a mail that core did not send
REASON_OF_FAILURE = {
    "mail_bl": "blacklisted",
    "mail_optout": "opt_out",
    "mail_dup": "duplicate",
    "mail_email_missing": "no_address",
    "mail_email_invalid": "invalid_address",
}

#: Why a lead is excluded from a sequence, in the order in which reasons are shown.
EXCLUSION_REASONS = [
    ("not_lost", "Not lost"),
    ("not_open", "Lost, or not open any more"),
    ("company", "Belongs to another company"),
    ("unmatched", "Does not match the sequence's choice of leads"),
    ("not_due", "Its date has not come"),
    ("not_possible", "Waits for what was missing"),
    ("no_quotation", "No refused quotation"),
    ("not_priced", "Its quotation has no price today, or it is not worked out yet"),
    ("not_sold", "A product of its quotation is not sold any more"),
    ("no_cost", "It is not known what its quotation costs you"),
    ("not_below", "Its quotation does not cost enough less today"),
    ("under_margin", "Its quotation would be below the margin floor"),
    ("no_event", "Has not done what lets leads in"),
    ("no_address", "No email address"),
    ("complained", "Called a mail spam"),
    ("blacklisted", "Address blacklisted"),
    ("opted_out", "Does not want mails of this sequence, or on its topic"),
    ("forgotten", "Asked to be forgotten"),
    ("no_basis", "No lawful basis to write to the address"),
    ("inside", "Is or was in this sequence"),
    ("other_sequence", "Is in another running sequence"),
    ("bounced", "Mails to the address bounce"),
    ("left", "The contact is archived"),
    ("role", "Address of a role, not of a person"),
    ("customer", "Has ordered since it was lost"),
    ("open_deal", "Another opportunity with this customer is open"),
    ("suppressed", "In an excluded preset"),
    ("silent", "Showed no engagement in a sequence before"),
    ("not_turn", "The turn of its profile has not come"),
    ("duplicate", "Another of these leads has the same address"),
]
