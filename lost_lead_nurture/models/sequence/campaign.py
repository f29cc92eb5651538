import re
from unicodedata import normalize

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

#: How long a code is that is made of a name.
PROPOSED_LENGTH = 20
#: The context in which campaigns get their title: the same in all languages, and the identifier
#: that core makes of it is not that of an archived one either.
TITLED = {"lang": None, "active_test": False}
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
    has_own_campaign = fields.Boolean(
        readonly=True,
        copy=False,
        help="The campaign was made for this sequence: another code renames it.",
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
        nameless = self.filtered(lambda sequence: sequence.is_template or not sequence.name)
        nameless.campaign_code = False
        # of one that was saved without a code somebody has taken it away
        (self - nameless).filtered(lambda sequence: not sequence._origin.id)._propose_codes()

    def _propose_codes(self):
        """Give a code to those that have none; templates have none."""
        codeless = self.filtered(lambda one: not one.campaign_code and not one.is_template)
        taken = self._get_taken_codes() if codeless else set()
        for sequence in codeless:
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
            free = sequence._get_unsent_mailings(self.env["utm.campaign"])
            free.campaign_id = sequence._have_campaign()

    def _get_unsent_mailings(self, campaign):
        """Mails of this campaign, or of none where it is empty, that nobody has got yet."""
        return self._get_mailings().filtered(
            lambda mailing: mailing.campaign_id == campaign and mailing.state == "draft"
        )

    def _have_campaign(self):
        """The campaign of the sequence: one that somebody has made for it, or else its own."""
        if not self.campaign_id:
            found = self._find_campaign()
            found.filtered(lambda campaign: not campaign.active).action_unarchive()
            campaign = found or self._make_campaign()
            self.write({"campaign_id": campaign.id, "has_own_campaign": not found})
        return self.campaign_id

    def _find_campaign(self):
        """A campaign of this name that no sequence has, for the company or for all."""
        sequences = self.with_context(active_test=False)
        taken = sequences.search([("campaign_id", "!=", False)])
        return sequences.env["utm.campaign"].search(
            [
                ("name", "=ilike", self.campaign_code),
                ("id", "not in", taken.campaign_id.ids),
                ("company_id", "in", (False, self.company_id.id)),
            ],
            order="active DESC, id",
            limit=1,
        )

    def _make_campaign(self):
        values = {
            "title": self.campaign_code,
            "company_id": self.company_id.id,
            "user_id": (self.user_id or self.env.user).id,
        }
        return self.env["utm.campaign"].with_context(**TITLED).create(values)

    def _get_campaign(self):
        """The campaign of what comes of the sequence; none where somebody took its code away."""
        return self.campaign_id if self.campaign_code else self.campaign_id.browse()

    def _rename_campaign(self):
        """Another code is another name of the sequence's own campaign, also on what was sent
        before. A campaign that somebody else made keeps its name, and what was sent."""
        # whoever writes the code may write what was made of it
        for sequence in self.sudo().filtered("campaign_code"):
            campaign = sequence.campaign_id.with_context(**TITLED)
            if campaign and sequence.has_own_campaign:
                campaign.title = sequence.campaign_code
                # core numbers it now, past those that are archived
                campaign.flush_recordset(["name"])
            elif campaign or sequence.state == "running":
                sequence.campaign_id = False
                sequence._get_unsent_mailings(campaign).campaign_id = False
                sequence._spread_campaign()
