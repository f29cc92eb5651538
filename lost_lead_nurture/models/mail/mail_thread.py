import logging

from odoo import api, models
from odoo.tools import html2plaintext
from odoo.tools.mail import email_normalize, email_split_tuples, unfold_references

from ...tools import automatic
from ...tools.addresses import canonical
from ...tools.complaints import read_auth_failure, read_complaint
from ...tools.incoming import get_source, is_improper, names_nul, simplify
from ...tools.inside import INSIDE
from ...tools.reports import read_report
from ...tools.return_path import get_unmarked, marks_of_recipients
from ...tools.stop_words import asks_to_stop
from ...tools.subjects import clean_text
from .mailing_trace import ANSWER, STOP
from .preference import MAX_TEXT

_logger = logging.getLogger(__name__)

#: How core, and Python's library, fail at what is no proper mail.
UNREADABLE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
#: How long a date is that can be kept.
DATETIME = "2026-01-01 00:00:00"


class MailThread(models.AbstractModel):
    """What arrives in the mailbox and is about the mails of sequences: the answer to one of them is
    the answer to no other one, and it is recognised without references, too. What a program wrote
    is no answer, a complaint is no bounce, and what mail servers report is taken in whatever form
    it has. The gateway notifies sequences of answers and bounces, whoever runs it."""

    _inherit = "mail.thread"

    @api.private
    @api.model
    def message_parse(self, message, save_original=False):
        """What is no proper mail is not left unread for that."""
        try:
            if is_improper(message):
                raise ValueError("Control characters in a header")
            parsed = super().message_parse(message, save_original)
        except UNREADABLE as error:
            simple = simplify(message)
            parsed = super().message_parse(simple)
            parsed["nurture_message"] = simple
            if source := get_source(message):
                # nothing in it is lost
                parsed["attachments"] += [("original_email.eml", source, {})]
            name = parsed["message_id"]
            _logger.info("Mail %s is read as plain text: %r", name, error, exc_info=True)
        for name, value in parsed.items():
            if isinstance(value, str):
                parsed[name] = value.__class__(clean_text(value))
        if len(parsed.get("date", "")) != len(DATETIME):
            # of a year with fewer digits
            parsed.pop("date", None)
        return parsed

    @api.private
    @api.model
    def message_route(self, message, message_dict, *args, **kwargs):
        complaint = read_complaint(message)
        if complaint and self.env["mailing.trace"].sudo()._nurture_take_complaint(complaint):
            # filed on no document, as a bounce is not
            return []
        failure = read_auth_failure(message)
        if failure and self.env["nurture.auth.failure"]._take(failure):
            return []
        if self._nurture_take_report(message, message_dict):
            return []
        if not message_dict.get("is_bounce"):
            self._nurture_refer_to_answered(message, message_dict)
        message = message_dict.pop("nurture_message", message)
        return super().message_route(message, message_dict, *args, **kwargs)

    @api.model
    def _message_route_process(self, message, message_dict, routes):
        self = self.with_context(nurture_from_core=ANSWER)
        is_automatic = automatic.is_automatic(message)
        found = message_dict.pop("nurture_answered", None)
        if routes:
            # also where it was not found out whose answer it is: then it is nobody's
            answered, others = found or self._nurture_find_answered(message_dict)
            self._nurture_drop_references(message_dict, answered, others)
            if answered and not is_automatic:
                self = self._nurture_take_stop(message_dict, answered)
        if is_automatic:
            # an out-of-office is not an answer
            self = self.with_context(nurture_ignore_reaction=INSIDE)
        return super()._message_route_process(message, message_dict, routes)

    @api.model
    def _nurture_take_stop(self, message_dict, answered):
        """Whoever answers a mail with nothing but that there should be no more gets none. It is
        filed as an answer for somebody to read, and wins nobody back.

        :param answered: the mailing trace of that mail; only its recipient may say so
        :return: ``self``, in a context that says what to make of the answer
        """
        sender = canonical(email_normalize(message_dict["email_from"]) or "")
        text = html2plaintext(message_dict.get("body") or "")[:MAX_TEXT]
        if not sender or sender != answered.email:
            return self
        lead = self.env["crm.lead"].sudo().browse(answered.res_id or ()).exists()
        names = [name for name, _address in email_split_tuples(message_dict["email_from"])]
        names += [lead.contact_name, lead.partner_id.name]
        if not asks_to_stop(text, list(filter(None, names))):
            return self
        self.env["nurture.preference"].sudo()._choose(
            sender,
            "everything",
            "reply",
            wording=self.env._("Answered a mail with: %s", text.strip().partition("\n")[0]),
            mailing_id=answered.mass_mailing_id.id,
            company_id=answered._nurture_get_company().id,
        )
        answered._nurture_note_unsubscribed([("id", "in", answered.ids)])
        return self.with_context(nurture_ignore_reaction=STOP)

    @api.model
    def _routing_handle_bounce(self, email_message, message_dict):
        self = self.with_context(nurture_from_core=INSIDE)
        is_judged = "nurture_report" in message_dict
        if not is_judged and automatic.is_harmless_report(email_message):
            # core takes every report for a bounce, a receipt that the mail was read included
            self = self.with_context(nurture_ignore_reaction=INSIDE)
        return super()._routing_handle_bounce(email_message, message_dict)

    @api.model
    def _detect_is_bounce(self, message, message_dict):
        """What comes to an envelope sender with a mark comes to the bounce address, of whatever
        mail it is."""
        if super()._detect_is_bounce(message, message_dict):
            return True
        unmarked = get_unmarked(message)
        names = [address.partition("@")[2] for address in unmarked]
        domains = self.env["mail.alias.domain"].sudo().search([("name", "in", names)])
        return not unmarked.isdisjoint(domains.mapped("bounce_email"))

    def _message_parse_extract_bounce(self, email_message, message_dict):
        """Core takes the parts of a report for what they call themselves. One that is none of it
        must not stop the mails after it in the mailbox."""
        try:
            if names_nul(email_message) and self._detect_is_bounce(email_message, message_dict):
                raise ValueError("NUL in what is looked up")
            return super()._message_parse_extract_bounce(email_message, message_dict)
        except UNREADABLE as error:
            _logger.info("Report %s is not well formed: %s", message_dict["message_id"], error)
            return {
                "bounced_email": False,
                "bounced_partner": self.env["res.partner"].sudo(),
                "bounced_msg_ids": False,
                "bounced_message": self.env["mail.message"].sudo(),
                "is_bounce": True,
            }

    @api.model
    def _nurture_find_returned(self, message):
        """The mailing trace of the mail to whose envelope sender a message was sent."""
        marks = marks_of_recipients(message)
        return self.env["mailing.trace"].sudo()._nurture_find_marked(marks)

    @api.model
    def _nurture_take_report(self, message, message_dict):
        """Do what a message reports of a mail of a sequence.

        :return: whether it reports of one
        """
        returned = self._nurture_find_returned(message)
        report = read_report(message, is_returned=bool(returned))
        if not report:
            return False
        mailing_trace = returned or self.env["mailing.trace"].sudo()._nurture_find_reported(report)
        sender = email_normalize(message_dict["email_from"])
        is_free_text = message.get_content_type() != "multipart/report"
        if is_free_text and sender and sender == email_normalize(mailing_trace.email):
            # no server writes from the address that it reports of: somebody answers
            return False
        if mailing_trace and mailing_trace._nurture_is_bounced_by(report):
            # core counts it, and we know better than the report to whom the mail was sent
            address = email_normalize(mailing_trace.email)
            partners, messages = self.env["res.partner"].sudo(), self.env["mail.message"].sudo()
            named = [("message_id", "=", mailing_trace.message_id)]
            bounced = {
                "bounced_email": address,
                "bounced_partner": partners.search([("email_normalized", "=", address)])
                if address
                else partners,
                "bounced_msg_ids": [mailing_trace.message_id],
                "bounced_message": messages.search(named, limit=1),
                "body": message_dict.get("body") or report.words,
                "nurture_report": report,
            }
            self._routing_handle_bounce(message, {**message_dict, **bounced})
        return bool(mailing_trace)

    @api.model
    def _nurture_refer_to_answered(self, message, message_dict):
        """Let the references of an answer name the mail of a sequence that it answers, and no mail
        to somebody else: core files an answer by them."""
        answered, others = self._nurture_find_answered(message_dict)
        if answered:
            self._nurture_drop_references(message_dict, answered, others)
        elif not others and not message_dict.get("parent_id"):
            # else core knows where it belongs
            guessed = self.env["mailing.trace"].sudo()
            answered = guessed._nurture_guess_answered(message, message_dict)
            if answered:
                message_dict["references"] = answered.message_id
                message_dict.update(
                    self._message_parse_extract_from_parent(self._get_parent_message(message_dict))
                )
        # for _message_route_process, to which core hands it on
        message_dict["nurture_answered"] = answered, others

    @api.model
    def _nurture_find_answered(self, message_dict):
        """The mailing trace of the mail that an answer refers to, and those of others that it
        refers to as well."""
        return (
            self.env["mailing.trace"]
            .sudo()
            ._nurture_find_answered(
                unfold_references(message_dict["in_reply_to"]),
                unfold_references(message_dict["references"]),
                message_dict["email_from"],
            )
        )

    @api.model
    def _nurture_drop_references(self, message_dict, answered, others):
        """Take the mails of the mailing traces ``others`` out of the references of an answer, and
        see to it that the one of ``answered`` is among them, if there is one."""
        dropped = set(others.mapped("message_id")) - {answered.message_id}
        references = unfold_references(message_dict["references"])
        kept = [reference for reference in references if reference not in dropped]
        if answered and answered.message_id not in kept:
            kept.append(answered.message_id)
        if kept != references:
            message_dict["references"] = " ".join(kept)
            if parent := self._get_parent_message(message_dict):
                message_dict.update(self._message_parse_extract_from_parent(parent))
