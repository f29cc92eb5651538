from odoo import api, fields, models
from odoo.tools import SQL

from ...tools.consent import is_plain_name
from ...tools.wire import MAX_NAME, clean


class NurtureTrace(models.Model):
    """A participant is asked for consent."""

    _inherit = "nurture.trace"

    def _get_consent_key(self):
        """Who asks whom: address and id of the company."""
        participant = self.participant_id
        lead = participant.lead_id
        company = participant.company_id or lead.company_id or self.sequence_id._get_home()
        return lead.email_normalized, company.id

    def _ask_for_consent(self):
        """Queue the mail that asks, and note it. Of what is sent nothing stays on the lead: who
        sees it there could confirm for the person."""
        self.ensure_one()
        lead = self.participant_id.lead_id
        email, company_id = self._get_consent_key()
        company = self.env["res.company"].sudo().browse(company_id)
        lang = lead.lang_id.code or lead.partner_id.lang or company.partner_id.lang
        step = self.step_id.with_context(lang=lang)
        wording = step._get_consent_wording(company)
        # the history is written by nobody else
        consents = self.env["nurture.consent"].sudo()
        request = consents._note(
            [
                {
                    "email": email,
                    "company_id": company_id,
                    "lead_id": lead.id,
                    "partner_id": lead.partner_id.id,
                    "event": "requested",
                    "is_pending": True,
                    "source": self.env._("Sequence “%s”", self.sequence_id.name),
                    "wording": wording,
                    "trace_id": self.id,
                    "expire_date": consents._get_expire_date(),
                    "lang": lang,
                }
            ]
        )
        url = request._get_url(lead.get_base_url())
        body = step.env["ir.qweb"]._render(
            "lost_lead_nurture.consent_mail",
            {
                "company": company,
                "wording": wording,
                "url": url,
                # anybody may have written it: the mail leads nowhere but to the question
                "name": is_plain_name(lead.contact_name) and clean(lead.contact_name, MAX_NAME),
            },
        )
        sender = self.sequence_id.user_id.email_formatted or company.email_formatted
        mail = (
            self.env["mail.mail"]
            .sudo()
            .create(
                {
                    "subject": step.env._("Please confirm: mails from %s", company.name),
                    "body_html": body,
                    "email_from": sender,
                    "reply_to": sender,
                    "email_to": lead._nurture_get_recipient(),
                    "author_id": self.env.ref("base.partner_root").id,
                    "auto_delete": True,
                }
            )
        )
        request._keep_mail(mail, url)

    def _plan_again(self):
        """What follows these requests was cancelled when they could not be sent: now that they are
        made once more it is planned as for the first time."""
        now = fields.Datetime.now()
        planned = SQL(
            "FROM (%s) planned (participant_id, step_id, parent_id, sequence_id, company_id, state,"
            " base_date, schedule_date, expire_date)",
            self._sql_planned(SQL("trace.id IN %s", tuple(self.ids)), now),
        )
        self._update(
            SQL(
                "nurture_trace.participant_id = planned.participant_id"
                " AND nurture_trace.step_id = planned.step_id"
                " AND nurture_trace.state = 'cancelled'"
                " AND nurture_trace.reason = 'parent_failed'"
            ),
            source=planned,
            state=SQL("planned.state"),
            reason=None,
            base_date=SQL("planned.base_date"),
            schedule_date=SQL(
                "CASE WHEN planned.schedule_date IS NOT NULL THEN %s END", self._sql_due(now)
            ),
            expire_date=SQL("planned.expire_date"),
        )

    @api.model
    def _sql_consent_exclusions(self):
        """Why a due message is not written to the address, see :meth:`_sql_exclusions`: its
        company may not, it was asked and has not confirmed, or it would be asked again."""
        home = SQL(
            "COALESCE(participant.company_id, lead.company_id, %s)",
            self.env["nurture.sequence"]._sql_home(),
        )
        consents = self.env["nurture.consent"]
        consents.flush_model()
        no_basis = consents._sql_no_basis(home)
        conditions = [
            (
                "not_confirmed",
                SQL(
                    "step.step_type = 'email' AND EXISTS (SELECT 1 FROM nurture_step question"
                    " WHERE question.sequence_id = sequence.id AND question.step_type = 'opt_in'"
                    " AND question.active)"
                    " AND EXISTS (SELECT 1 FROM nurture_trace asked"
                    " JOIN nurture_step question ON question.id = asked.step_id"
                    " AND question.step_type = 'opt_in' AND question.active"
                    # those who have not been asked yet, or will not be, had nothing to confirm
                    " WHERE asked.participant_id = participant.id AND (asked.state = 'processed'"
                    " OR asked.reason = 'asked_before')) AND NOT %s",
                    consents._sql_is_basis(home, "confirmed"),
                ),
            ),
            (
                "asked_before",
                SQL("step.step_type = 'opt_in' AND %s", consents._sql_is_pending(home)),
            ),
        ]
        if no_basis:
            does_not = SQL(" OR ").join(no_basis)
            conditions.append(("no_basis", SQL("step.step_type = 'email' AND (%s)", does_not)))
        return conditions
