"""Opens, clicks and replies: what to send to the servers, and what is left to do afterwards."""

import time

#: What somebody has to add to core for the same to come of a reply.
RESTORING = """
lead = env["crm.lead"].browse(env["mail.thread"].message_process(False, env.context["mail"]))
lead.action_restore()
lead.activity_schedule("mail.mail_activity_data_call", summary="Won back", user_id=env.user.id)
lead.message_post(body="Won back: replied.", author_id=env.ref("base.partner_root").id)
"""


def requests(env, ids, count):
    """Make requests and mails that count as a person's.

    :return: {kind: list of paths, or of raw mails}, and as ``restoring`` the id of the server
        action by which core does with a reply what a sequence does
    """
    mails = _unopened(env, ids, 3 * count)
    code = _make_link(env, ids["mailings"][-1])
    opened, clicked, replied = (mails[start::3][:count] for start in range(3))
    # what core finds the lead by that an incoming mail is about
    env["mail.message"].create(
        [
            {
                "message_id": mail.message_id,
                "model": mail.model,
                "res_id": mail.res_id,
                "message_type": "email_outgoing",
            }
            for mail in replied
        ]
    )
    result = {
        "open": [_open_path(mail) for mail in opened],
        "click": [_click_path(mail, code) for mail in clicked],
        "reply": [_reply(mail) for mail in replied],
        "restoring": "sequence" not in ids and _make_restoring(env),
    }
    env.cr.commit()  # pylint: disable=invalid-commit
    return result


def tell(env):
    """Judge what was opened and clicked and notify the sequence, as the scheduled action does a
    minute later.

    :return: seconds per hit, and how many there were
    """
    env.cr.execute("UPDATE nurture_hit SET date = date - interval '2 minutes'")
    env.cr.commit()  # pylint: disable=invalid-commit
    hits = env["nurture.hit"].search_count([("judged", "=", False), ("reason", "=", False)])
    start = time.perf_counter()
    env["nurture.hit"]._judge_held()
    return (time.perf_counter() - start) / hits, hits


def _unopened(env, ids, count):
    """Mails to people who are still waited for, where there is a sequence."""
    domain = [("mass_mailing_id", "=", ids["mailings"][-1]), ("trace_status", "=", "sent")]
    if "sequence" in ids:
        domain.append(("nurture_trace_id.participant_id.state", "=", "running"))
    mails = env["mailing.trace"].search(domain, limit=count)
    if len(mails) < count:
        raise ValueError(f"{count} mails are needed, there are {len(mails)}")
    return mails


def _make_restoring(env):
    return (
        env["ir.actions.server"]
        .create(
            {
                "name": "Take a reply in",
                "model_id": env["ir.model"]._get_id("mail.thread"),
                "state": "code",
                "code": RESTORING,
            }
        )
        .id
    )


def _make_link(env, mailing_id):
    mailing = env["mailing.mailing"].browse(mailing_id)
    values = mailing._get_link_tracker_values()
    return (
        env["link.tracker"]
        .search_or_create([{"url": "https://shop.example.com/part", "label": "Part", **values}])
        .code
    )


def _open_path(mail):
    token = mail.env["mail.mail"]._generate_mail_recipient_token(mail.mail_mail_id_int)
    return f"/mail/track/{mail.mail_mail_id_int}/{token}/blank.gif"


def _click_path(mail, code):
    path = f"/r/{code}/m/{mail.id}"
    if "nurture.hit" in mail.env:
        path += f"?n={mail._nurture_token(code)}"
    return path


def _reply(mail):
    return (
        f"From: {mail.email}\nTo: sales@bench.example.com\nSubject: Re: In stock again\n"
        f"Message-ID: <reply-{mail.id}@bench.example.com>\nIn-Reply-To: {mail.message_id}\n"
        f"References: {mail.message_id}\nMIME-Version: 1.0\nContent-Type: text/plain\n\n"
        "Yes, please call me.\n"
    )
