from urllib.parse import urlsplit

from odoo import api, fields, models
from odoo.exceptions import MissingError
from odoo.fields import Domain
from odoo.tools.urls import urljoin

from ...tools.links import links_in
from ...tools.mail_texts import fill_text
from ...tools.offers import shows_offer
from ...tools.quotations import shows_quotation
from ...tools.send_batch import SendBatch, get_composed


class MailingMailing(models.Model):
    _inherit = "mailing.mailing"

    # whoever reads all of a mailing without being a marketer gets it without these
    nurture_step_ids = fields.One2many(
        "nurture.step",
        "mailing_id",
        string="Nurture Steps",
        groups="lost_lead_nurture.group_user",
    )
    nurture_translation_ids = fields.One2many(
        "nurture.step.translation",
        "mailing_id",
        string="Nurture Steps in Another Language",
        groups="lost_lead_nurture.group_user",
    )
    nurture_variant_ids = fields.One2many(
        "nurture.variant",
        "mailing_id",
        string="Versions of Nurture Steps",
        groups="lost_lead_nurture.group_user",
    )
    nurture_sequence_id = fields.Many2one(
        "nurture.sequence",
        compute="_compute_nurture_sequence_id",
        # whoever uses mailings has to know that this one is not sent by hand
        compute_sudo=True,
        search="_search_nurture_sequence_id",
        help="The sequence that sends this mail.",
    )

    @api.depends(
        "nurture_step_ids.sequence_id",
        "nurture_translation_ids.step_id.sequence_id",
        "nurture_variant_ids.step_id.sequence_id",
    )
    def _compute_nurture_sequence_id(self):
        for mailing in self:
            mailing.nurture_sequence_id = mailing._nurture_get_steps().sequence_id

    def _search_nurture_sequence_id(self, operator, value):
        if operator not in ("in", "any"):
            return NotImplemented
        if operator == "any":
            # what a sequence is like is found out with the rights of the user
            value = self.sudo(False).env["nurture.sequence"]._search(value)
        domains = []
        if operator == "in" and False in value:
            value = [one for one in value if one]
            domains.append(~self._nurture_used_domain(Domain.TRUE))
        return Domain.OR([*domains, self._nurture_used_domain(Domain("sequence_id", "in", value))])

    @api.model
    def _nurture_used_domain(self, steps_domain):
        """The mails of the steps in ``steps_domain``, archived ones too, in all languages and
        versions. Whoever uses mailings has to know them."""
        steps = self.env["nurture.step"].sudo().with_context(active_test=False)
        translations = self.env["nurture.step.translation"].sudo()
        variants = self.env["nurture.variant"].sudo()
        found = steps._search(steps_domain)
        domain = Domain.FALSE
        for query in (
            steps._search([("id", "in", found), ("mailing_id", "!=", False)]),
            translations._search([("step_id", "in", found)]),
            variants._search([("step_id", "in", found)]),
        ):
            domain |= Domain("id", "in", query.subselect("mailing_id"))
        return domain

    def _nurture_get_steps(self):
        """The steps that send this mail, archived ones too."""
        mailings = self.with_context(active_test=False)
        return (
            mailings.nurture_step_ids
            | mailings.nurture_translation_ids.step_id
            | mailings.nurture_variant_ids.step_id
        )

    def _nurture_count_places(self):
        """In how many places this mail is chosen: as the message of a step, in a language, or as a
        version."""
        self.ensure_one()
        mailing = self.with_context(active_test=False)
        return sum(
            len(places)
            for places in (
                mailing.nurture_step_ids,
                mailing.nurture_translation_ids,
                mailing.nurture_variant_ids,
            )
        )

    @api.depends("subject")
    def _compute_display_name(self):  # pylint: disable=missing-return
        """A subject with placeholders reads as somebody gets it of whom nothing is known."""
        super()._compute_display_name()
        for mailing in self:
            if name := mailing.display_name:
                mailing.display_name = fill_text(name).strip() or "…"

    @api.constrains("mailing_model_id", "mailing_type")
    def _check_nurture_step(self):
        # whoever writes mails need not see the steps, or those of another company
        self.sudo()._nurture_get_steps()._check_mailing()

    @api.constrains("active", "body_html", "subject", "preview")
    def _check_nurture_runnable(self):
        self.sudo().nurture_sequence_id._check_runnable()

    def _nurture_open_form(self):
        """Open this mail in the editor."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.display_name,
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
        }

    def _nurture_get_sequence_of_text(self):
        return self.nurture_sequence_id

    def _nurture_shows_offer(self):
        """Whether the text shows what the sequence offers."""
        self.ensure_one()
        return shows_offer(self.body_html)

    def _nurture_shows_quotation(self):
        """Whether the text shows what the recipient refused as it would be today, or links to
        it."""
        self.ensure_one()
        return shows_quotation(self.body_html)

    def _nurture_get_lines(self):
        """What it says in words alone, without tables."""
        self.ensure_one()
        return [self.subject, self.preview]

    def _nurture_get_links(self):
        """The addresses of the links in the text, as they are written there."""
        self.ensure_one()
        return links_in(self.body_html)

    def _nurture_queue(self, trace_by_lead):
        """Compose and queue this mail for the leads of ``trace_by_lead`` (``nurture.trace`` ids by
        lead id). Core commits once at the end."""
        self.ensure_one()
        # queue, also when the batch is small
        queueing = self.with_context(default_force_send=False)
        SendBatch(trace_by_lead).carried_by(queueing)._action_send_mail(list(trace_by_lead))

    def _nurture_get_server(self):
        """The outgoing mail server by which this mail leaves, empty for that of the
        configuration."""
        self.ensure_one()
        if self.mail_server_id:
            return self.mail_server_id
        server, _sender = self.env["ir.mail_server"]._find_mail_server(self.email_from)
        return server or self.mail_server_id

    def _nurture_is_engine(self):
        """Whether it is the engine that sends: no client can say so, see `tools/send_batch.py`."""
        return get_composed(self.env) is not None

    # ------------------------------------------------------------
    # LINKS: on the website of the lead's company, as all other links in the mail
    # ------------------------------------------------------------

    def _get_unsubscribe_oneclick_url(self, email_to, res_id):
        url = super()._get_unsubscribe_oneclick_url(email_to, res_id)
        return self._nurture_move_home(url, res_id)

    def _get_unsubscribe_url(self, email_to, res_id):
        url = super()._get_unsubscribe_url(email_to, res_id)
        return self._nurture_move_home(url, res_id)

    def _get_view_url(self, email_to, res_id):
        url = super()._get_view_url(email_to, res_id)
        return self._nurture_move_home(url, res_id)

    def _nurture_move_home(self, url, res_id):
        """``url``, which leads to where this mailing is at home, where the lead ``res_id`` is."""
        if self.mailing_model_real != "crm.lead":
            return url
        base, home = self.get_base_url(), self._nurture_get_base_url(res_id)
        if base == home:
            return url
        path = urlsplit(url).path.removeprefix(urlsplit(base).path.rstrip("/"))
        return urljoin(home, f"{path}?{urlsplit(url).query}")

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
        self._nurture_check_mark(vals)
        if {"subject", "preview", "body_arch", "body_html"} & vals.keys():
            # also for those who only use mailings
            self.sudo()._nurture_get_steps()._forget_text()
        if self._nurture_is_engine() and set(self.mapped("state")) == {"done"}:
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
        silent = self.browse()
        if "body_html" in vals and not self.env.su:
            silent = self.filtered(lambda mailing: not mailing._nurture_shows_quotation())
        result = super().write(vals)
        # also those who only use mailings answer for what they promise
        for mailing in silent.filtered(lambda mailing: mailing._nurture_shows_quotation()):
            steps = mailing.sudo()._nurture_get_steps().with_env(self.env)
            steps._take_quotation_over(mailing)
        return result
