from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain

from ...tools import automatic, subjects
from ...tools.addresses import first_address

#: How many mails to the same address an answer without references is compared with.
COMPARED = 100


class MailingTrace(models.Model):
    """Which mail an answer is about."""

    _inherit = "mailing.trace"

    @api.model
    def _nurture_find_answered(self, in_reply_to, references, sender):
        """The mailing trace of the mail that an answer with references is about: the one it replies
        to, else the last one that it refers to and that was sent to this sender.

        :param in_reply_to: Message-IDs of the mails that it replies to
        :param references: Message-IDs of the mails in the conversation, the last one last
        :param sender: the sender's address
        :return: the mailing trace of a sequence, empty when no mail of one is answered, and those
            of mails that are not it. Other mailings are core's: theirs are among the latter only
            where a mail of a sequence is answered
        """
        named = [*in_reply_to, *references]
        mailing_traces = self.search([("message_id", "in", named)]) if named else self.browse()
        ours = mailing_traces.filtered("nurture_trace_id")
        if not ours:
            return ours, ours
        by_id = mailing_traces.grouped("message_id")
        for message_id in reversed(in_reply_to):
            if message_id in by_id:
                answered = by_id[message_id] & ours
                return answered[:1], (mailing_traces if answered else ours) - by_id[message_id]
        order = {message_id: position for position, message_id in enumerate(references)}
        ours = ours.sorted(lambda mailing_trace: order.get(mailing_trace.message_id, -1))
        fitting = ours.filtered(lambda mailing_trace: mailing_trace._nurture_was_sent_to(sender))
        if not fitting and len(ours.nurture_trace_id.participant_id) == 1:
            # a conversation with one person, who writes from another address this time
            fitting = ours
        answered = fitting[-1:]
        return answered, (mailing_traces if answered else ours) - answered

    def _nurture_was_sent_to(self, sender):
        """Whether the mail was sent to the address ``sender``, or to whom it belongs now."""
        self.ensure_one()
        address = first_address(sender)
        lead = self.nurture_trace_id.participant_id.lead_id
        return bool(address) and address in (first_address(self.email), lead.email_normalized)

    @api.model
    def _nurture_guess_answered(self, message, message_dict):
        """The mailing trace of the mail of a sequence that a message without references is about:
        the last one that was sent to its sender, with its subject, and not before the attribution
        window of the sequence."""
        address = first_address(message_dict["email_from"])
        subject = subjects.base_subject(subjects.subject_of(message))
        if not address or not subject:
            return self.browse()
        mailing_traces = self.search(
            Domain("email", "=", address)
            & Domain("nurture_trace_id", "!=", False)
            & Domain("is_test_trace", "=", False)
            & Domain("message_id", "!=", False)
            & (
                Domain("sent_datetime", "!=", False)
                | Domain("nurture_trace_id.reason", "=", "mail_in_doubt")
            ),
            order="id desc",
            limit=COMPARED,
        ).sorted(
            lambda mailing_trace: mailing_trace.sent_datetime or mailing_trace.create_date,
            reverse=True,
        )
        if not mailing_traces:
            return mailing_traces
        kept_messages = self.env["mail.message"].search(
            [("message_id", "in", mailing_traces.mapped("message_id"))]
        )
        # a program says what it is before the subject, in its own words
        is_same = str.endswith if automatic.is_automatic(message) else str.__eq__
        same = {
            kept.message_id
            for kept in kept_messages
            if (base := subjects.base_subject(kept.subject or "")) and is_same(subject, base)
        }
        return mailing_traces.filtered(
            lambda mailing_trace: (
                mailing_trace.message_id in same and mailing_trace._nurture_is_in_window()
            )
        )[:1]

    def _nurture_is_in_window(self):
        """Whether an answer that comes now may still be one to this mail."""
        self.ensure_one()
        window = timedelta(days=self.nurture_trace_id.sequence_id.window_days)
        return (self.sent_datetime or self.create_date) + window >= fields.Datetime.now()
