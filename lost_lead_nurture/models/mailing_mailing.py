from odoo import api, fields, models
from odoo.exceptions import MissingError, UserError
from odoo.fields import Domain

from ..tools.arguments import read_choice
from ..tools.inside import Carried, Inside
from ..tools.links import links_in
from ..tools.mail_texts import fill_text
from ..tools.rehearsal import is_rehearsal

_SENT = Domain("sent_datetime", "!=", False) & Domain("is_test_trace", "=", False)
#: Domains on ``mailing.trace`` behind each figure of a mailing or a sequence. A mail is ignored
#: when it arrived and was neither opened, clicked nor answered; core marks a clicked or answered
#: mail as opened too.
FIGURES = {
    "sent": _SENT,
    "opened": _SENT & Domain("open_datetime", "!=", False),
    "clicked": _SENT & Domain("links_click_datetime", "!=", False),
    "replied": _SENT & Domain("reply_datetime", "!=", False),
    # pending: an SMS that the provider has sent
    "ignored": _SENT & Domain("trace_status", "in", ("pending", "sent")),
    "bounced": _SENT & Domain("trace_status", "=", "bounce"),
}


class MailingMailing(models.Model):
    _inherit = "mailing.mailing"

    nurture_step_ids = fields.One2many("nurture.step", "mailing_id", string="Nurture Steps")
    nurture_translation_ids = fields.One2many(
        "nurture.step.translation", "mailing_id", string="Nurture Steps in Another Language"
    )
    nurture_sequence_id = fields.Many2one(
        "nurture.sequence",
        compute="_compute_nurture_sequence_id",
        # whoever uses mailings has to know that this one is not sent by hand
        compute_sudo=True,
        search="_search_nurture_sequence_id",
        help="The sequence that sends this mail.",
    )
    ignored = fields.Integer(
        compute="_compute_ignored",
        help="Mails that arrived and were neither opened, clicked nor answered.",
    )

    @api.depends("nurture_step_ids.sequence_id", "nurture_translation_ids.step_id.sequence_id")
    def _compute_nurture_sequence_id(self):
        for mailing in self:
            mailing.nurture_sequence_id = mailing._nurture_get_steps().sequence_id

    def _search_nurture_sequence_id(self, operator, value):
        if operator not in ("in", "any"):
            return NotImplemented
        if False in value:
            return Domain("nurture_step_ids", "=", False) & Domain(
                "nurture_translation_ids", "=", False
            )
        return Domain("nurture_step_ids.sequence_id", operator, value) | Domain(
            "nurture_translation_ids.step_id.sequence_id", operator, value
        )

    def _nurture_get_steps(self):
        """The steps that send this mail, archived ones too."""
        mailings = self.with_context(active_test=False)
        return mailings.nurture_step_ids | mailings.nurture_translation_ids.step_id

    def _compute_ignored(self):
        for mailing in self:
            mailing.ignored = mailing._nurture_figures()["ignored"]

    # ------------------------------------------------------------
    # RESULTS: core credits by UTM source, which a lead that is won back does not change
    # ------------------------------------------------------------

    def _compute_crm_lead_count(self):  # pylint: disable=missing-return
        super()._compute_crm_lead_count()
        counts = dict(
            self.env["nurture.participant"]
            .sudo()
            ._read_group(
                [("credited_step_id.mailing_id", "in", self.ids)],
                ["credited_step_id"],
                ["__count"],
            )
        )
        for step, count in counts.items():
            step.mailing_id.crm_lead_count += count

    def _compute_sale_quotation_count(self):  # pylint: disable=missing-return
        super()._compute_sale_quotation_count()
        orders = self.env["sale.order"].sudo()
        for mailing in self.filtered("nurture_sequence_id"):
            mailing.sale_quotation_count = orders.search_count(mailing._nurture_order_domain())

    def _compute_sale_invoiced_amount(self):  # pylint: disable=missing-return
        super()._compute_sale_invoiced_amount()
        orders = self.env["sale.order"].sudo()
        for mailing in self.filtered("nurture_sequence_id"):
            mailing.sale_invoiced_amount = orders._nurture_invoiced_amount(
                mailing._nurture_order_domain()
            )

    def _nurture_order_domain(self):
        """Quotations credited to this mail, as a step or as core does, by its UTM source."""
        return Domain(
            "nurture_participant_id.credited_step_id.mailing_id", "in", self.ids
        ) | Domain("source_id", "in", self.source_id.ids)

    def action_redirect_to_leads_and_opportunities(self):
        action = super().action_redirect_to_leads_and_opportunities()
        if self.nurture_sequence_id:
            action["domain"] = list(
                Domain(action["domain"])
                | Domain("nurture_participant_ids.credited_step_id.mailing_id", "in", self.ids)
            )
        return action

    def action_redirect_to_quotations(self):
        if not self.nurture_sequence_id:
            return super().action_redirect_to_quotations()
        return self.env["nurture.sequence"]._open_list(
            "sale.order", self.env._("Quotations"), self._nurture_order_domain()
        )

    def action_redirect_to_invoiced(self):
        if not self.nurture_sequence_id:
            return super().action_redirect_to_invoiced()
        return self.env["sale.order"]._nurture_open_invoices(self._nurture_order_domain())

    def _nurture_figures(self):
        """Counts of the mails of ``self`` by figure, see :data:`FIGURES`."""
        by_mailing = self._nurture_figures_by_mailing().values()
        return {name: sum(figures[name] for figures in by_mailing) for name in FIGURES}

    def _nurture_figures_by_mailing(self):
        """Counts of the mails of each of these mailings: ``{mailing: {figure: number}}``."""
        counts = {mailing: dict.fromkeys(FIGURES, 0) for mailing in self}
        rows = (
            self.env["mailing.trace"]
            .sudo()
            ._read_group(
                Domain("mass_mailing_id", "in", self.ids) & FIGURES["sent"],
                ["mass_mailing_id", "trace_status"],
                [
                    "__count",
                    "open_datetime:count",
                    "links_click_datetime:count",
                    "reply_datetime:count",
                ],
            )
        )
        for mailing, status, sent, opened, clicked, replied in rows:
            figures = counts[mailing]
            figures["sent"] += sent
            figures["opened"] += opened
            figures["clicked"] += clicked
            figures["replied"] += replied
            if status in ("pending", "sent"):
                figures["ignored"] += sent
            elif status == "bounce":
                figures["bounced"] += sent
        return counts

    def _nurture_open_mails(self, figure):
        """Open the mails of ``self`` behind one of :data:`FIGURES`."""
        read_choice(self.env, figure, FIGURES)
        action = self.env["ir.actions.actions"]._for_xml_id("mass_mailing.mailing_trace_action")
        action["name"] = self.env._("Mails")
        action["domain"] = list(Domain("mass_mailing_id", "in", self.ids) & FIGURES[figure])
        action["context"] = {"create": False}
        return action

    def action_view_nurture_mails(self):
        """Open the mails behind a figure; the context key ``nurture_figure`` says which."""
        return self._nurture_open_mails(self.env.context.get("nurture_figure", "sent"))

    @api.depends("subject")
    def _compute_display_name(self):  # pylint: disable=missing-return
        """A subject with placeholders reads as somebody gets it of whom nothing is known."""
        super()._compute_display_name()
        for mailing in self:
            if name := mailing.display_name:
                mailing.display_name = fill_text(name).strip() or "…"

    @api.constrains("mailing_model_id", "mailing_type")
    def _check_nurture_step(self):
        self._nurture_get_steps()._check_mailing()

    @api.constrains("active", "body_html")
    def _check_nurture_runnable(self):
        self.nurture_sequence_id._check_runnable()

    # ------------------------------------------------------------
    # SENDING: the sequence decides who gets the mail of a step
    # ------------------------------------------------------------

    def action_launch(self):
        self._check_not_nurture()
        return super().action_launch()

    def action_schedule(self):
        self._check_not_nurture()
        return super().action_schedule()

    def action_put_in_queue(self):
        self._check_not_nurture()
        return super().action_put_in_queue()

    def action_retry_failed(self):
        nurtured = self.filtered("nurture_sequence_id")
        failed = nurtured.mailing_trace_ids.filtered(lambda mail: mail.trace_status == "error")
        # one that may have arrived is not sent again among many
        traces = failed.nurture_trace_id
        traces.filtered(lambda trace: trace.reason != "mail_in_doubt").action_retry()
        if others := self - nurtured:
            return super(MailingMailing, others).action_retry_failed()
        return True

    def _check_not_nurture(self):
        for mailing in self:
            if mailing.nurture_sequence_id:
                raise UserError(
                    self.env._(
                        "“%(mailing)s” is a step of the sequence “%(sequence)s”, which sends it to "
                        "each lead in its time. Duplicate the mail to send it by itself.",
                        mailing=mailing.display_name,
                        sequence=mailing.sudo().nurture_sequence_id.name,
                    )
                )

    def _get_recipients_domain(self):
        """The mail of a step has no recipients of its own."""
        if self.nurture_sequence_id:
            return Domain.FALSE
        return super()._get_recipients_domain()

    def _nurture_get_links(self):
        """The addresses of the links in the text, as they are written there."""
        self.ensure_one()
        return links_in(self.body_html)

    def _nurture_queue(self, trace_by_lead):
        """Compose and queue this mail for the leads of ``trace_by_lead`` (``nurture.trace`` ids by
        lead id). Core commits once at the end."""
        self.ensure_one()
        self.with_context(
            nurture_trace_by_lead=trace_by_lead,
            nurture_links=Carried(),
            nurture_compiled=Carried(),
        )._action_send_mail(list(trace_by_lead))

    # ------------------------------------------------------------
    # LINKS: on the website of the lead's company, as all other links in the mail
    # ------------------------------------------------------------

    def get_base_url(self):
        url = self.env.context.get("nurture_base_url")
        # nobody who calls from outside says where the links of a mail lead
        return str(url) if isinstance(url, Inside) else super().get_base_url()

    def _get_unsubscribe_oneclick_url(self, email_to, res_id):
        mailing = self._nurture_at_home_of(res_id)
        return super(MailingMailing, mailing)._get_unsubscribe_oneclick_url(email_to, res_id)

    def _get_unsubscribe_url(self, email_to, res_id):
        mailing = self._nurture_at_home_of(res_id)
        return super(MailingMailing, mailing)._get_unsubscribe_url(email_to, res_id)

    def _get_view_url(self, email_to, res_id):
        mailing = self._nurture_at_home_of(res_id)
        return super(MailingMailing, mailing)._get_view_url(email_to, res_id)

    def _nurture_at_home_of(self, res_id):
        """This mailing with its links where those of the lead ``res_id`` lead to."""
        if self.mailing_model_real != "crm.lead":
            return self
        return self.with_context(nurture_base_url=Inside(self._nurture_get_base_url(res_id)))

    def _nurture_get_base_url(self, res_id):
        """The base address of the website of the lead ``res_id``, else of this mailing."""
        try:
            return self.env["crm.lead"].sudo().browse(res_id and int(res_id)).get_base_url()
        except MissingError:
            return self.get_base_url()

    @api.model
    def action_fetch_favorites(self, extra_domain=None):
        """Built-in templates are offered in the user's language."""
        favorites = super().action_fetch_favorites(extra_domain)
        mailings = self.with_context(active_test=False).browse(each["id"] for each in favorites)
        steps = mailings.sudo().nurture_step_ids.filtered("text_view_id").grouped("mailing_id")
        for favorite, mailing in zip(favorites, mailings, strict=True):
            if step := steps.get(mailing):
                favorite.update(step._prepare_favorite())
        return favorites

    def write(self, vals):
        if {"subject", "preview", "body_arch", "body_html"} & vals.keys():
            # also for those who only use mailings
            self.sudo()._nurture_get_steps()._forget_text()
        if "nurture_trace_by_lead" in self.env.context and set(self.mapped("state")) == {"done"}:
            # Core notes after each batch that the mailing is sent: for a step that would be one
            # row for all workers to fight over.
            vals = {
                name: value
                for name, value in vals.items()
                if name not in ("state", "sent_date", "kpi_mail_required")
            }
            if not vals:
                # writing nothing touches the row, too
                return True
        return super().write(vals)

    def _get_seen_list(self):
        # Who gets the mail once is decided by the participants. Core's list of all who ever got
        # it grows with every batch.
        if "nurture_trace_by_lead" in self.env.context:
            return set()
        return super()._get_seen_list()

    def _get_mass_mailing_context(self):
        context = super()._get_mass_mailing_context()
        if "nurture_trace_by_lead" in self.env.context:
            # queue, also when the batch is small
            context["default_force_send"] = False
        if is_rehearsal(self.env):
            # the copy outlives the short links that would be made for it
            context.pop("post_convert_links", None)
        return context
