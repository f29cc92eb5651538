import re
from unicodedata import normalize

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

#: How long a code is that is made of a name.
PROPOSED_LENGTH = 20
CODE = re.compile(r"[A-Za-z0-9]{1,40}")


class NurtureSequence(models.Model):
    """The code by which a sequence is known outside of it: it is a campaign of Odoo's, that of its
    mails and their links, and of the quotations that come of them."""

    _inherit = "nurture.sequence"

    campaign_code = fields.Char(
        compute="_compute_campaign_code",
        store=True,
        readonly=False,
        precompute=True,
        copy=False,
        tracking=True,
        help="Letters and digits. The mails of the sequence, their links (utm_campaign) and the "
        "quotations credited to it are of the campaign with this name. Empty: of no campaign.",
    )
    campaign_id = fields.Many2one(
        "utm.campaign", readonly=True, copy=False, index="btree_not_null", ondelete="set null"
    )

    _campaign_code_unique = models.UniqueIndex(
        "(COALESCE(company_id, 0), UPPER(campaign_code)) WHERE campaign_code != ''",
        "Another sequence of the company has this campaign code.",
    )

    # ------------------------------------------------------------
    # CODE
    # ------------------------------------------------------------

    @api.depends("name", "is_template")
    def _compute_campaign_code(self):
        taken = None
        for sequence in self:
            if sequence.is_template or not sequence.name:
                sequence.campaign_code = False
            elif not sequence.campaign_code and not sequence.campaign_id:
                # where there is a campaign, somebody has taken its code away
                taken = self._get_taken_codes() if taken is None else taken
                sequence.campaign_code = self._propose_code(sequence.name, taken)
                taken.add(sequence.campaign_code)

    @api.model
    def _get_taken_codes(self):
        """The codes of all sequences, in capitals: those of other companies are not proposed
        either."""
        self.flush_model(["campaign_code"])
        rows = self.env.execute_query(
            SQL("SELECT UPPER(campaign_code) FROM nurture_sequence WHERE campaign_code IS NOT NULL")
        )
        return {code for (code,) in rows}

    @api.model
    def _propose_code(self, name, taken):
        """A code for a sequence of this name that is none of ``taken``."""
        letters = normalize("NFKD", name).encode("ascii", "ignore").decode()
        code = re.sub(r"[^A-Za-z0-9]", "", letters).upper()[:PROPOSED_LENGTH] or "SEQUENCE"
        number, proposed = 1, code
        while proposed in taken:
            number += 1
            proposed = f"{code}{number}"
        return proposed

    @api.constrains("campaign_code")
    def _check_campaign_code(self):
        for sequence in self:
            if sequence.campaign_code and not CODE.fullmatch(sequence.campaign_code):
                raise ValidationError(
                    self.env._(
                        "“%s” is no campaign code: that is letters and digits, 40 at most.",
                        sequence.campaign_code,
                    )
                )

    # ------------------------------------------------------------
    # CAMPAIGN
    # ------------------------------------------------------------

    def _spread_campaign(self):
        """Let mails that nobody has got yet be of the campaign, unless somebody chose another."""
        # whoever runs the sequence may send its mails
        for sequence in self.sudo().filtered("campaign_code"):
            free = sequence._get_mailings().filtered(
                lambda mailing: not mailing.campaign_id and mailing.state == "draft"
            )
            if free:
                free.campaign_id = sequence._have_campaign()

    def _have_campaign(self):
        """The campaign of the sequence; it is made when there is none yet."""
        if not self.campaign_id:
            self.campaign_id = self._find_campaign() or self.env["utm.campaign"].with_context(
                lang=None
            ).create(
                {
                    "title": self.campaign_code,
                    "company_id": self.company_id.id,
                    "user_id": (self.user_id or self.env.user).id,
                }
            )
        return self.campaign_id

    def _find_campaign(self):
        """A campaign of this name that no sequence has, for the company or for all."""
        taken = self.with_context(active_test=False).search([("campaign_id", "!=", False)])
        return self.env["utm.campaign"].search(
            [
                ("name", "=ilike", self.campaign_code),
                ("id", "not in", taken.campaign_id.ids),
                ("company_id", "in", (False, self.company_id.id)),
            ],
            limit=1,
        )

    def _get_campaign(self):
        """The campaign of what comes of the sequence; none where somebody took its code away."""
        return self.campaign_id if self.campaign_code else self.campaign_id.browse()

    def _rename_campaign(self):
        """Another code is another name of the campaign, also on what was sent before."""
        # the campaign is the sequence's own; its title is the same in all languages
        for sequence in self.sudo().with_context(lang=None).filtered("campaign_code"):
            if sequence.campaign_id:
                sequence.campaign_id.title = sequence.campaign_code
            elif sequence.state == "running":
                sequence._spread_campaign()
