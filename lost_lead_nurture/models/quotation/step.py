from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import ValidationError

from ...tools.quotations import names_quotation


class NurtureStep(models.Model):
    """Mails that show the refused quotation as it would be today, and the step that grants the
    smallest discount with which it beats what was refused."""

    _inherit = "nurture.step"

    action_kind = fields.Selection(
        selection_add=[("discount", "Grant the smallest discount")],
        ondelete={"discount": "set null"},
    )

    shows_quotation = fields.Boolean(
        compute="_compute_shows_quotation",
        help="By a link in its mail customers ask for quotations, which are made with the rights "
        "of who has set the step up.",
    )

    @api.depends("step_type", "mailing_id.body_html", "variant_ids", "translation_ids")
    def _compute_shows_quotation(self):
        for step in self:
            step.shows_quotation = step._shows_quotation()

    def _shows_quotation(self):
        """Whether one of its mails shows the refused quotation or links to it."""
        self.ensure_one()
        # also for salespeople, who see the step but no mailings: no more than this comes of it
        mailings = self.sudo()._get_mailings()
        return self.step_type == "email" and any(
            mailing._nurture_shows_quotation() for mailing in mailings
        )

    # ------------------------------------------------------------
    # WHO
    # ------------------------------------------------------------

    def _take_quotation_over(self, mailings):
        """Whoever puts one of ``mailings`` into these steps answers for what customers ask for by
        it: has set them up from then on, as who puts the quotation into the text of one has."""
        if not self.env.su and any(
            mailing._nurture_shows_quotation() for mailing in mailings.sudo()
        ):
            self.sudo().author_id = self.env.user

    # ------------------------------------------------------------
    # CHECKS
    # ------------------------------------------------------------

    def _get_quotation_problems(self):
        """The quotation where it cannot be shown, in the user's words."""
        return [
            self.env._(
                "Step “%s” names the refused quotation where only words are possible: it is a "
                "table, for the text of a mail.",
                step.name,
            )
            for step in self
            if any(
                names_quotation(line)
                for mailing in step._get_mailings()
                for line in mailing._nurture_get_lines()
            )
        ]

    def _check_allowed_quotation(self):
        """What customers ask for by the link in a mail is made with the rights of who has set up
        its step.

        :raise ValidationError: when this person may make no quotations
        """
        if self._shows_quotation() and not self._may_quote():
            raise ValidationError(
                self.env._(
                    "Step “%(step)s”: its mail lets customers ask for a quotation, and %(user)s, "
                    "who has set it up, may make none. Somebody of Sales has to take the step "
                    "over.",
                    step=self.name,
                    user=self.author_id.sudo().name,
                )
            )

    def _check_allowed_discount(self):
        """A discount on what others sell is not for everybody to grant.

        :raise ValidationError: when who has set the step up, or changed the terms since, may make
            no quotations
        """
        if not self._may_quote():
            raise ValidationError(
                self.env._(
                    "Step “%(step)s”: it grants a discount, and %(user)s, who has set it or its "
                    "terms up, may make no quotations. Somebody of Sales has to take the step "
                    "over.",
                    step=self.name,
                    user=self.author_id.sudo().name,
                )
            )

    def _may_quote(self):
        """Whether who has set the step up may make quotations.

        :raise ValidationError: when this person is not there any more
        """
        self._check_author()
        return self._as_author(self.env["sale.order"]).has_access("create")

    def _refuse_quotation(self, leads):
        """Those whose refused quotation, or who themselves, who has set up the step does not
        see."""
        orders = self.env["sale.order"].sudo()
        refused = orders._nurture_find_refused(leads, self.sequence_id._get_companies())
        foreign = leads.filtered(
            lambda lead: lead.id in refused and not self._may_renew(refused[lead.id], lead)
        )
        words = self.env._(
            "%s, who has set the step up, does not see the quotation of this lead.",
            self.author_id.sudo().name,
        )
        return {words: foreign} if foreign else {}

    def _may_renew(self, refused, lead):
        """Whether who has set up the step may make ``refused`` again for ``lead``."""
        author = self.author_id.sudo()
        if not (author.active or author.id == SUPERUSER_ID):
            return False
        orders = self._as_author(refused)
        leads = self._as_author(lead.with_context(active_test=False))
        return all(
            (orders.has_access("create"), orders.has_access("read"), leads.has_access("read"))
        )

    # ------------------------------------------------------------
    # DO
    # ------------------------------------------------------------

    def _act_discount(self, leads):
        """Grant it to those for whom there is one; the others do not get here."""
        participants = self.env["nurture.participant"].search(
            [
                ("sequence_id", "=", self.sequence_id.id),
                ("lead_id", "in", leads.ids),
                ("state", "=", "running"),
            ]
        )
        participants._grant_discounts()
