"""Notifications of Amazon's mail service (SES): what became of a mail, in JSON.

They come as the text of a mail where the topic (SNS) has an address subscribed to it, bare or in
the envelope of the topic. Sources: Amazon SES, “Amazon SNS notification contents for Amazon SES”
and “event data”.
"""

import json

#: So many recipients of one are looked at.
MAX_RECIPIENTS = 50


def read_notification(text):
    """The kind of a notification, such as ``Bounce``, and its values; (None, {}) if it is none."""
    text = text.lstrip()
    if not text.startswith("{"):
        return None, {}
    try:
        # below it the topic says how to unsubscribe
        values, _end = json.JSONDecoder().raw_decode(text)
        values = json.loads(values["Message"]) if "Message" in values else values
        return values.get("notificationType") or values.get("eventType"), values
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
        return None, {}


def get_message_ids(values):
    """The Message-IDs of the mail that a notification is about, without their brackets."""
    mail = values.get("mail")
    if not isinstance(mail, dict):
        return []
    headers, common = mail.get("headers"), mail.get("commonHeaders")
    found = [
        header.get("value")
        for header in (headers if isinstance(headers, list) else ())
        if isinstance(header, dict) and str(header.get("name")).lower() == "message-id"
    ]
    if isinstance(common, dict):
        found.append(common.get("messageId"))
    found = (value.strip("<> ") for value in found if isinstance(value, str))
    return list(dict.fromkeys(found))


def get_bounced(values):
    """The recipients of a bounce, each as ``{field: value}``, and whether it is one for good."""
    bounce = values.get("bounce")
    bounce = bounce if isinstance(bounce, dict) else {}
    recipients = bounce.get("bouncedRecipients")
    recipients = recipients[:MAX_RECIPIENTS] if isinstance(recipients, list) else []
    is_permanent = bounce.get("bounceType") == "Permanent"
    return [one for one in recipients if isinstance(one, dict)], is_permanent
