from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import format_date

from ..tools.arguments import read_id
from .nurture_report_mixin import HOURS, WEEKDAYS

#: The funnel: how far participants got, by the measure that counts them.
STAGES = (
    *("written_to", "journeys_sent", "journeys_delivered", "journeys_opened", "journeys_clicked"),
    *("journeys_replied", "won_back_entered", "journeys_quotation", "journeys_order"),
    "journeys_paid",
)
#: The list of records that are participants.
_PARTICIPANTS = "nurture_report_view_list_participants"
#: How many months of loss are shown, and how many months after it.
MONTHS = 12


class NurtureReport(models.Model):
    """Pages made of the analysis: the funnel, when people read, and what became of the leads lost
    in a month. Each number has the domain of the records that it counts."""

    _inherit = "nurture.report"

    @api.model
    def get_funnel(self, sequence_id=False):
        """How many participants got how far, those held out left aside: were written to, opened a
        message, …, paid. A participant counts at each stage that it has reached, whatever became of
        the ones before.

        :param sequence_id: id of the sequence to look at; all, if not given
        :return: ``{"stages": [{"name", "label", "count", "rate", "domain"}], "count_date",
            "view_id"}``; the rate is of the participants, in percent
        :raise UserError: when that is no id
        """
        domain = self._get_page_domain(sequence_id) & Domain("kind", "=", "entered")
        ((*numbers,),) = self._read_group(domain, [], [f"{name}:sum" for name in STAGES])
        labels = self._get_stage_labels()
        whole = numbers[0] or 0
        stages = [
            {
                "name": name,
                "label": labels[name],
                "count": number or 0,
                "rate": 100.0 * (number or 0) / whole if whole else 0.0,
                "domain": list(domain & Domain(name, "=", 1)),
            }
            for name, number in zip(STAGES, numbers, strict=True)
        ]
        return self._get_page(_PARTICIPANTS, stages=stages)

    @api.model
    def _get_stage_labels(self):
        return {
            "written_to": self.env._("Participants"),
            "journeys_sent": self.env._("Sent"),
            "journeys_delivered": self.env._("Delivered"),
            "journeys_opened": self.env._("Opened"),
            "journeys_clicked": self.env._("Clicked"),
            "journeys_replied": self.env._("Replied"),
            "won_back_entered": self.env._("Won back"),
            "journeys_quotation": self.env._("Quotation"),
            "journeys_order": self.env._("Order"),
            "journeys_paid": self.env._("Paid"),
        }

    @api.model
    def get_hours(self, sequence_id=False):
        """When people read: how many messages were opened first, and how many of these were
        clicked in, by weekday and hour on the recipient's clock.

        :param sequence_id: as :meth:`get_funnel`
        :return: ``{"columns": [label], "rows": [{"label", "cells": [{"opened", "clicked",
            "domains": {"opened", "clicked"}}]}], "count_date", "view_id"}``
        :raise UserError: when that is no id
        """
        domain = self._get_page_domain(sequence_id)
        domain &= Domain("kind", "=", "mail") & Domain("read_hour", "!=", False)
        found = {
            (weekday, hour): (opened, clicked)
            for weekday, hour, opened, clicked in self._read_group(
                domain, ["read_weekday", "read_hour"], ["opened:sum", "clicked:sum"]
            )
        }
        weekdays = dict(self._fields["read_weekday"]._description_selection(self.env))
        rows = []
        for weekday, _label in WEEKDAYS:
            cells = []
            for hour, _label in HOURS:
                opened, clicked = found.get((weekday, hour), (0, 0))
                own = Domain("read_weekday", "=", weekday) & Domain("read_hour", "=", hour)
                domains = {
                    name: list(domain & own & Domain(name, "=", 1))
                    for name in ("opened", "clicked")
                }
                cells.append({"opened": opened, "clicked": clicked, "domains": domains})
            rows.append({"label": weekdays[weekday], "cells": cells})
        return self._get_page(
            "nurture_report_view_list", columns=[label for _hour, label in HOURS], rows=rows
        )

    @api.model
    def get_cohorts(self, sequence_id=False):
        """What became of the leads lost in a month: how many participants were won back until the
        end of that month, of the next one, and so on.

        :param sequence_id: as :meth:`get_funnel`
        :return: ``{"rows": [{"label", "count", "domain", "cells": [{"count", "rate", "domain"}]}],
            "count_date", "view_id"}`` for the last months in which leads were lost, the newest
            first. A cell for each month since, that of the loss first; the rate is in percent of
            the participants less those held out.
        :raise UserError: when that is no id
        """
        domain = self._get_page_domain(sequence_id) & Domain("lost_month", "!=", False)
        entered = self._read_group(
            domain & Domain("kind", "=", "entered"),
            ["lost_month:month"],
            ["written_to:sum"],
            order="lost_month:month desc",
            limit=MONTHS,
        )
        won_back = {}
        for lost, month, number in self._read_group(
            domain & Domain("kind", "=", "won_back"),
            ["lost_month:month", "date:month"],
            ["won_back:sum"],
        ):
            won_back.setdefault(lost, {})[month] = number
        rows = [
            self._get_cohort(domain, month, number or 0, won_back.get(month, {}))
            for month, number in entered
        ]
        return self._get_page(_PARTICIPANTS, rows=rows)

    def _get_cohort(self, domain, month, number, won_back):
        """The row of the leads lost in ``month``.

        :param won_back: ``{month: how many were won back in it}``
        """
        cohort = domain & Domain("lost_month", "=", month)
        today = fields.Datetime.context_timestamp(self, fields.Datetime.now()).date()
        cells = []
        for later in range(MONTHS + 1):
            end = month + relativedelta(months=later + 1)
            count = sum(number_in for month_in, number_in in won_back.items() if month_in < end)
            until = Domain("kind", "=", "won_back") & Domain("date", "<", end)
            cells.append(
                {
                    "count": count,
                    "rate": 100.0 * count / number if number else 0.0,
                    "domain": list(cohort & until),
                }
            )
            if end > today:
                break
        written_to = Domain("kind", "=", "entered") & Domain("written_to", "=", 1)
        return {
            "label": format_date(self.env, month, date_format="MMM y"),
            "count": number,
            "domain": list(cohort & written_to),
            "cells": cells,
        }

    @api.model
    def _get_page_domain(self, sequence_id):
        if not sequence_id:
            return Domain.TRUE
        return Domain("sequence_id", "=", read_id(self.env, sequence_id))

    def _get_page(self, list_view, **values):
        """A page with what all have: of when it is, and the list that its numbers open."""
        return values | {
            "count_date": fields.Datetime.to_string(self.get_count_date()),
            "view_id": self.env.ref(f"lost_lead_nurture.{list_view}").id,
        }
