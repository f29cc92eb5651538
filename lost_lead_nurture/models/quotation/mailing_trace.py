import logging
from dataclasses import dataclass
from datetime import timedelta

from markupsafe import Markup

from odoo import api, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL, consteq, hmac
from odoo.tools.urls import urljoin

_logger = logging.getLogger(__name__)


@dataclass
class QuotationPage:
    """What the recipient of a mail finds behind its link to the refused quotation."""

    #: ``open``: it can be asked for; ``made``: it was, and waits; else why there is none
    state: str
    #: whose it is
    company: object
    #: ``sale.order`` that the customer asked for
    order: object = None
    #: see :class:`Renewal`
    renewal: object = None
    #: the last day on which it can be asked for
    last_day: object = None


class MailingTrace(models.Model):
    """The link in a mail to the quotation that its recipient refused, as it would be today. Whoever
    opens the page only looks; a quotation is made when the recipient asks for it there."""

    _inherit = "mailing.trace"

    # ------------------------------------------------------------
    # LINK
    # ------------------------------------------------------------

    def _nurture_get_quotation_token(self):
        self.ensure_one()
        return hmac(self.env(su=True), "lost_lead_nurture-quotation", self.id)

    def _nurture_is_quotation_signed(self, token):
        return consteq(self._nurture_get_quotation_token().encode(), token.encode())

    def _nurture_get_quotation_url(self):
        """The recipient's own page, on the website of the lead's company."""
        path = f"nurture/quotation/{self.id}/{self._nurture_get_quotation_token()}"
        return urljoin(self.mass_mailing_id._nurture_get_base_url(self.res_id), path)

    # ------------------------------------------------------------
    # PAGE
    # ------------------------------------------------------------

    def _nurture_get_quotation_page(self):
        """What the recipient finds there now. Nothing is written.

        :return: :class:`QuotationPage`
        """
        self.ensure_one()
        participant = self.nurture_trace_id.participant_id
        lead, refused = participant.lead_id, participant.refused_order_id
        page = QuotationPage("gone", self._nurture_get_company() or self.env.company)
        page.last_day = self._nurture_get_last_quotation_day()
        page.state = self._nurture_refuse_quotation(participant) or "open"
        if page.state != "open":
            return page
        page.company = refused.company_id
        page.order = self._nurture_find_asked(lead, refused)
        if page.order:
            page.state = self._nurture_get_state_of_asked(page.order)
        elif page.last_day < participant.sequence_id._get_local_day():
            page.state = "expired"
        elif not self.nurture_trace_id.step_id._may_renew(refused, lead):
            page.state = "not_offered"
        else:
            page.renewal = participant._renew()[participant]
            if page.renewal.reason:
                page.state = "not_offered"
        return page

    def _nurture_refuse_quotation(self, participant):
        """Why the recipient gets no quotation by this mail, whatever it would cost; None when
        nothing stands against it."""
        lead = participant.lead_id
        addresses = [one for one in {self.email, lead.email_normalized} if one]
        if self.env["nurture.forgotten"]._find_forgotten(addresses):
            return "forgotten"
        if not lead or not self.sent_datetime or self.is_test_trace:
            return "gone"
        if participant._is_forgotten():
            return "forgotten"
        listed = [("email", "in", addresses)]
        if self.env["mail.blacklist"].search_count(listed, limit=1):
            return "blacklisted"
        if lead.won_status == "won" or participant.refused_order_id.state == "sale":
            return "ordered"
        return None if participant._get_refused() else "deleted"

    def _nurture_get_last_quotation_day(self):
        """The last day on which the link of this mail works, on the clock of its company."""
        sequence = self.nurture_trace_id.sequence_id
        if not (self.sent_datetime and sequence):
            return None
        return sequence._get_local_day(self.sent_datetime) + timedelta(days=sequence.fresh_days)

    def _nurture_find_asked(self, lead, refused):
        """The quotation that was asked for in place of ``refused``: one that still stands, else the
        last one, unless that has ended: then another one can be asked for."""
        asked = refused._nurture_find_fresh().filtered(lambda one: one.opportunity_id == lead)
        today = self.nurture_trace_id.sequence_id._get_local_day()
        standing = asked.filtered(
            lambda one: (
                one.state == "sale"
                or (
                    one.state in ("draft", "sent")
                    and not (one.validity_date and one.validity_date < today)
                )
            )
        )
        withdrawn = asked.filtered(
            lambda one: one.state == "cancel" and one.create_date >= self.sent_datetime
        )
        return standing[:1] or withdrawn[:1]

    @api.model
    def _nurture_get_state_of_asked(self, order):
        if order.state == "cancel":
            return "withdrawn"
        return "ordered" if order.state == "sale" else "made"

    # ------------------------------------------------------------
    # ASK FOR IT
    # ------------------------------------------------------------

    def _nurture_ask_for_quotation(self):
        """Make the quotation that the recipient asks for on the page, once: whoever asks again, or
        at the same moment, gets the same one.

        :return: :class:`QuotationPage`, with the order where there is one now
        """
        self.ensure_one()
        refused = self.nurture_trace_id.participant_id.refused_order_id
        if refused:
            self.env.flush_all()
            # who does so at the same time has to look again: what one has made the other one sees
            # then, and does not make it once more
            self.env.cr.execute(
                SQL("UPDATE sale_order SET write_date = write_date WHERE id = %s", refused.id),
                log_exceptions=False,
            )
        page = self._nurture_get_quotation_page()
        if page.state != "open":
            return page
        # it is a person who asks, and has the mail open: whatever was clicked before was before
        self.set_clicked()
        try:
            with self.env.cr.savepoint():
                page.order = self._nurture_make_quotation(page.renewal)
                self.env.flush_all()
        except (AccessError, UserError) as error:
            _logger.warning("No quotation could be made for %s: %s", self, error)
            self._nurture_warn_no_quotation(error)
            page.state = "not_offered"
        else:
            page.state = "made"
        return page

    def _nurture_make_quotation(self, renewal):
        """The quotation, made with the rights of who has set up the step that sent this mail."""
        participant = self.nurture_trace_id.participant_id
        step, lead = self.nurture_trace_id.step_id, participant.lead_id
        step._check_author()
        refused = step._as_author(renewal.refused)
        refused.check_access("read")
        step._as_author(lead.with_context(active_test=False)).check_access("read")
        made = refused.copy(refused._nurture_prepare_fresh(self._nurture_prepare_asked(lead)))
        # what it costs is not the author's choice: it is worked out as it was shown
        fresh = made.sudo()._nurture_at_home()
        fresh.nurture_refused_id = refused
        fresh._nurture_price_again(refused)
        sequence = participant.sequence_id
        if participant.granted_date:
            fresh._nurture_beat(refused.amount_untaxed, sequence.price_below, sequence._get_floor())
        if not (fresh.require_signature or fresh.require_payment):
            # else the customer could only read it
            fresh.require_signature = True
        fresh.action_quotation_sent()
        fresh._message_log(body=self._nurture_describe_asked(refused))
        self._nurture_hand_over(fresh, lead)
        return fresh

    def _nurture_prepare_asked(self, lead):
        """Values of a quotation that was asked for: whose it is, and what it came of."""
        mailing = self.mass_mailing_id
        sequence = self.nurture_trace_id.sequence_id
        company = self.nurture_trace_id.participant_id.refused_order_id.company_id
        values = {
            "opportunity_id": lead.id,
            "campaign_id": (mailing.campaign_id or sequence.campaign_id).id,
            "source_id": mailing.source_id.id,
            "medium_id": mailing.medium_id.id,
            "validity_date": sequence._get_local_day() + timedelta(days=sequence.fresh_days),
        }
        # who had made the refused one may have left
        sellers = lead.user_id | self.nurture_trace_id.participant_id.refused_order_id.user_id
        values["user_id"] = sellers._nurture_at_work(company)[:1].id
        return values

    def _nurture_describe_asked(self, refused):
        return Markup("<p>%s</p>") % self.env._(
            "The customer asked for it by the link in the mail “%(mail)s” of the sequence "
            "“%(sequence)s”, in place of %(refused)s.",
            mail=self.mass_mailing_id.display_name,
            sequence=self.nurture_trace_id.sequence_id.name,
            refused=refused._get_html_link(),
        )

    @api.model
    def _nurture_hand_over(self, fresh, lead):
        """Who has got the lead by it gets the quotation, too."""
        seller = lead.user_id._nurture_at_work(fresh.company_id)
        if seller and seller != fresh.user_id:
            fresh.user_id = seller

    def _nurture_warn_no_quotation(self, error):
        sequence = self.nurture_trace_id.sequence_id
        sequence._warn_once(
            self.env._("A customer wants a quotation, and none could be made"),
            Markup("<p>%s</p><p>%s</p>") % (self.nurture_trace_id.participant_id.lead_name, error),
        )
