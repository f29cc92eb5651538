from datetime import timedelta

from odoo import fields, models

from ...tools.delivery import BOUNCE, LATER, SOFT_BOUNCE
from ...tools.send_batch import get_sent
from .provider import MOST_HOLDS

#: A mail that a server does not take yet is tried again after this time, then after as long as it
#: has been tried, and at least so often.
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=15), timedelta(hours=6)
#: How long it is tried.
PATIENCE = timedelta(days=2)


class MailingTrace(models.Model):
    """A mail server that is handed a mail of a sequence refuses it: for good, which is a bounce,
    for now, or because of us, which is a failure as core has it."""

    _inherit = "mailing.trace"

    nurture_refused_date = fields.Datetime(
        string="Deferred by Mail Server Since",
        readonly=True,
        copy=False,
        help="Since when the recipient's mail server asks to try again later.",
    )

    def _nurture_take_answer(self):
        """Do what the mail server's answer means, where it is no failure.

        :return: whether it is none
        """
        batch = get_sent(self.env)
        if not (batch and self.nurture_trace_id):
            return False
        delivery = batch.delivery
        if delivery.accepted:
            # something failed after it had left, and would have it sent again
            self.mail_mail_id.write(
                {"state": "sent", "failure_type": False, "failure_reason": False}
            )
            self.set_sent()
            return True
        if not delivery.refusal:
            return False
        answer = self.env._(
            "The mail server “%(server)s” refused the mail: %(answer)s",
            server=delivery.server,
            answer=delivery.refusal.words,
        )
        providers = self.env["nurture.provider"].sudo()
        explanation, held, deferred = providers._take_answer(self[:1].email, delivery.refusal)
        delivery.deferred |= deferred
        answer = "\n".join(filter(None, (answer, explanation)))
        self.mail_mail_id.failure_reason = answer
        if delivery.refusal.meaning in (BOUNCE, SOFT_BOUNCE):
            self._nurture_bounce(answer, delivery.refusal.meaning == SOFT_BOUNCE)
            return True
        return delivery.refusal.meaning == LATER and self._nurture_try_later(answer, held)

    def _nurture_bounce(self, answer, is_soft):
        """It bounced at once: for core and the statistics it has left, as any mail that bounces.

        :param is_soft: whether only for now, see ``_nurture_note_soft_bounce``
        """
        self.write(
            {
                "trace_status": "sent",
                "sent_datetime": fields.Datetime.now(),
                "nurture_sending_date": False,
            }
        )
        if not is_soft or self._nurture_note_soft_bounce(answer):
            self.set_bounced(bounce_message=answer)
        # where the recipient stays, what follows the mail goes on
        self._nurture_handle("sent")

    def _nurture_try_later(self, answer, held):
        """Leave the mail in the queue until it is tried again.

        :param held: the mail provider, if its answer has it held
        :return: whether it is; a mail that was deferred for too long is not sent any more
        """
        now = fields.Datetime.now()
        since = min((date for date in self.mapped("nurture_refused_date") if date), default=now)
        if now - since > PATIENCE or held.hold_count > MOST_HOLDS:
            return False
        again = now + min(max(FIRST_PAUSE, now - since), LONGEST_PAUSE)
        if held:
            again = max(again, held.held_date)
            # while its provider takes no mails at all, this one is not tried
            since += again - now
        self.write(
            {
                "trace_status": "outgoing",
                "failure_type": False,
                "nurture_sending_date": False,
                "nurture_refused_date": since,
            }
        )
        self.nurture_trace_id.sudo()._note_deferral(answer, again)
        self.mail_mail_id._nurture_defer(again)
        return True
