from odoo import models

from ...tools.offers import shows_offer


class NurtureStep(models.Model):
    """Mails that show what the sequence offers."""

    _inherit = "nurture.step"

    def _get_offer_problems(self):
        """Mails that show an offer that there is not, or show it where it cannot be shown, in the
        user's words."""
        problems = []
        for step in self:
            mailings = step._get_mailings()
            lines = [line for mailing in mailings for line in mailing._nurture_get_lines()]
            if any(map(shows_offer, lines)):
                problems.append(
                    self.env._(
                        "Step “%s” names the offer where only words are possible: it is a table, "
                        "for the text of a mail.",
                        step.name,
                    )
                )
            if any(mailing._nurture_shows_offer() for mailing in mailings):
                problems += step._get_missing_offer_problems()
        return problems

    def _get_missing_offer_problems(self):
        sequence = self.sequence_id
        if not sequence.offer_ids:
            return [
                self.env._(
                    "The mail of step “%s” shows the offer, and the sequence offers nothing: add "
                    "products under Money.",
                    self.name,
                )
            ]
        companies = sequence._get_companies().sudo()
        missing = sequence._get_sellers_without_offer(companies)
        if missing == companies:
            return [
                self.env._(
                    "The mail of step “%s” shows the offer, and all that is offered has ended or "
                    "is archived.",
                    self.name,
                )
            ]
        return [
            self.env._(
                "The mail of step “%(step)s” shows the offer, and leads of %(company)s are offered "
                "nothing.",
                step=self.name,
                company=company.name,
            )
            for company in missing
        ]
