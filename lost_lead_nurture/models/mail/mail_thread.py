from odoo import api, models
from odoo.tools.mail import unfold_references

from ...tools import automatic
from ...tools.complaints import read_complaint
from ...tools.inside import INSIDE


class MailThread(models.AbstractModel):
    """What arrives in the mailbox and is about the mails of sequences: the answer to one of them is
    the answer to no other one, and it is recognised without references, too. What a program wrote
    is no answer, and a complaint is no bounce. The gateway notifies sequences of answers and
    bounces, whoever runs it."""

    _inherit = "mail.thread"

    @api.private
    @api.model
    def message_route(self, message, message_dict, *args, **kwargs):
        complaint = read_complaint(message)
        if complaint and self.env["mailing.trace"].sudo()._nurture_take_complaint(complaint):
            # filed on no document, as a bounce is not
            return []
        if not message_dict.get("is_bounce"):
            self._nurture_refer_to_answered(message, message_dict)
        return super().message_route(message, message_dict, *args, **kwargs)

    @api.model
    def _message_route_process(self, message, message_dict, routes):
        self = self.with_context(nurture_from_core=INSIDE)
        if routes:
            # also where it was not found out whose answer it is: then it is nobody's
            answered, others = self._nurture_find_answered(message_dict)
            self._nurture_drop_references(message_dict, answered, others)
        if automatic.is_automatic(message):
            # an out-of-office is not an answer
            self = self.with_context(nurture_ignore_reaction=INSIDE)
        return super()._message_route_process(message, message_dict, routes)

    @api.model
    def _routing_handle_bounce(self, email_message, message_dict):
        self = self.with_context(nurture_from_core=INSIDE)
        if automatic.is_harmless_report(email_message):
            # core takes every report for a bounce, a receipt that the mail was read included
            self = self.with_context(nurture_ignore_reaction=INSIDE)
        return super()._routing_handle_bounce(email_message, message_dict)

    @api.model
    def _nurture_refer_to_answered(self, message, message_dict):
        """Let the references of an answer name the mail of a sequence that it answers, and no mail
        to somebody else: core files an answer by them."""
        answered, others = self._nurture_find_answered(message_dict)
        if answered:
            self._nurture_drop_references(message_dict, answered, others)
            return
        if others or message_dict.get("parent_id"):
            # core knows where it belongs
            return
        answered = self.env["mailing.trace"].sudo()._nurture_guess_answered(message, message_dict)
        if answered:
            message_dict["references"] = answered.message_id
            message_dict.update(
                self._message_parse_extract_from_parent(self._get_parent_message(message_dict))
            )

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
