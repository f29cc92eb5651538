from odoo import fields, models
from odoo.tools import formatLang

from ...tools import inference
from ...tools.shares import say_percent
from .mailing_trace_statistics import RATE_DEFINITIONS, rate

#: What the versions of an A/B test are compared by: core's criterion, and the statistics that are
#: of others. Other criteria are amounts or numbers that are of no whole.
COMPARED = {
    "opened_ratio": ("opened", "delivered"),
    "clicks_ratio": ("clicked", "delivered"),
    "replied_ratio": ("replied", "delivered"),
    "nurture_click_to_open_ratio": ("clicked", "opened"),
}


class UtmCampaign(models.Model):
    _inherit = "utm.campaign"

    ab_testing_winner_selection = fields.Selection(
        selection_add=[("nurture_click_to_open_ratio", "Highest Click-to-Open Rate")],
        ondelete={"nurture_click_to_open_ratio": "set default"},
    )


class MailingMailing(models.Model):
    """Core's A/B test for one-off mailings: another criterion, and what may be said of the
    difference. Core sends the version with the higher number, be it by one click."""

    _inherit = "mailing.mailing"

    nurture_click_to_open_ratio = fields.Float(
        string="Click-to-Open Rate (%)",
        compute="_compute_nurture_click_to_open_ratio",
        help=RATE_DEFINITIONS["click_to_open"],
    )
    nurture_ab_verdict = fields.Html(
        compute="_compute_nurture_ab_verdict",
        help="Whether the versions of the A/B test differ, as far as can be said.",
    )

    def _compute_nurture_click_to_open_ratio(self):
        for mailing, statistics in self._nurture_statistics_by_mailing().items():
            mailing.nurture_click_to_open_ratio = rate(statistics, "click_to_open")

    def _compute_nurture_ab_verdict(self):
        for mailing in self:
            compared = COMPARED.get(mailing.ab_testing_winner_selection, COMPARED["clicks_ratio"])
            versions = mailing.ab_testing_enabled and mailing._nurture_get_versions(*compared)
            mailing.nurture_ab_verdict = bool(versions) and self.env["ir.qweb"]._render(
                "lost_lead_nurture.nurture_ab_verdict",
                {"versions": versions, "verdict": self._nurture_say_ab_verdict(versions)},
            )

    def _nurture_get_versions(self, statistic, whole):
        """What came of each version that was sent, where two were; with how many did it of how
        many, the interval of the rate, and how probable it is that it is the best one. The winner
        that went to all others is a copy, and no version."""
        sent = self._get_ab_testing_siblings_mailings().filtered(
            lambda mailing: (
                mailing.state in ("sending", "done") and not mailing.ab_testing_is_winner_mailing
            )
        )
        counts = {
            mailing: (statistics[statistic], statistics[whole])
            for mailing, statistics in sent._nurture_statistics_by_mailing().items()
        }
        if len(counts) < 2 or not all(number for _did, number in counts.values()):
            return []
        chances = inference.probability_best(list(counts.values()))
        versions = []
        for (mailing, (did, number)), chance in zip(counts.items(), chances, strict=True):
            interval = inference.wilson(did, number)
            versions.append(
                {
                    "name": mailing.display_name,
                    "did": did,
                    "whole": number,
                    "rate": say_percent(self.env, did / number),
                    "low": say_percent(self.env, interval.low),
                    "high": say_percent(self.env, interval.high),
                    "best": say_percent(self.env, chance),
                }
            )
        return versions

    def _nurture_say_ab_verdict(self, versions):
        counts = [version["did"] for version in versions]
        wholes = [version["whole"] for version in versions]
        if inference.is_decided(counts, wholes):
            best = max(versions, key=lambda version: version["did"] / version["whole"])
            return self.env._("They differ, and “%s” is ahead.", best["name"])
        if missing := inference.missing(counts, wholes):
            return self.env._(
                "Not enough yet to say: about %s recipients more, if it goes on like this.",
                formatLang(self.env, missing, digits=0),
            )
        return self.env._("Not enough yet to say, and no difference to be seen so far.")
