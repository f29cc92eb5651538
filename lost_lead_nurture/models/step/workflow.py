from dateutil.relativedelta import relativedelta
from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools.misc import file_open

from ...tools.arguments import check_records, read_choice, read_number
from ...tools.links import without_links
from ...tools.triggers import ROOT, TRIGGERS
from ...tools.versions import FIRST
from ..mail.mailing_trace_statistics import STATISTICS

#: No step has so many siblings.
MAX_PLACES = 10_000
#: Days that the line on a card shows.
CHART_DAYS = 15
#: Minutes of each unit of delay, for the place on the axis of time. A month is 30 days there.
MINUTES = {"hours": 60, "days": 1440, "weeks": 10080, "months": 43200}


def chart_days(records):
    """The days that charts show, the user's today last.

    :param records: recordset whose environment tells the time zone
    """
    today = fields.Datetime.context_timestamp(records, fields.Datetime.now()).date()
    return [today - relativedelta(days=back) for back in reversed(range(CHART_DAYS))]


class NurtureStep(models.Model):
    """A step as a card of the workflow builder, and what is done with it there."""

    _inherit = "nurture.step"

    @api.model
    def _get_type_icons(self):
        """Font Awesome class of the icon of each step type."""
        return {
            "email": "fa-envelope",
            "action": "fa-cog",
            "activity": "fa-calendar-check-o",
            "opt_in": "fa-check-square-o",
        }

    @api.model
    def _get_types(self):
        """Label and icon of each step type, and whether it sends something."""
        icons = self._get_type_icons()
        messages = self._get_message_types()
        return {
            value: {
                "label": label,
                "icon": icons.get(value, "fa-paper-plane"),
                "message": value in messages,
            }
            for value, label in self._fields["step_type"]._description_selection(self.env)
        }

    @api.model
    def _get_offers(self):
        """The triggers that each step type offers to what follows it; those of :data:`ROOT` begin
        a sequence."""
        labels = dict(self._fields["trigger"]._description_selection(self.env))
        places = [ROOT, *self._fields["step_type"].get_values(self.env)]
        return {
            place: [
                {
                    "value": value,
                    "label": labels[value],
                    "icon": trigger.icon,
                    "kind": trigger.kind,
                }
                for value, trigger in TRIGGERS.items()
                if trigger.offered_by(place) and value in labels
            ]
            for place in places
        }

    # ------------------------------------------------------------
    # CARDS
    # ------------------------------------------------------------

    def _get_cards(self, statistics):
        """These steps as the builder draws them, in their order.

        :param statistics: of their sequence, see ``nurture.sequence._count_statistics``
        """
        problems = self._get_problems_by_step()
        return [
            {
                **step._describe_card(),
                "counts": statistics["steps"].get(str(step.id), {}),
                "mails": step._add_up(statistics["mails"]),
                "chart": step._get_chart(statistics["days"]),
                "ab_test": step._describe_versions(statistics),
                "problems": problems.get(step.id, []),
            }
            for step in self
        ]

    def _describe_card(self):
        """What is on the card of the step, but for its statistics."""
        self.ensure_one()
        trigger = TRIGGERS[self.trigger]
        return {
            "id": self.id,
            "parent": self.parent_id.id,
            "active": self.active,
            "name": self.name,
            "type": self.step_type,
            "trigger": self.trigger,
            "icon": trigger.icon,
            "kind": trigger.kind,
            "label": self._get_trigger_label(),
            "wait": self._get_wait(),
            "untimed": trigger.parent == ROOT and bool(trigger.events),
            "when": self.when,
            "minutes": self.delay * MINUTES[self.delay_unit],
            "mailing": self.mailing_id.id,
            "languages": self.translation_ids.lang_id.mapped("name"),
            "filtered": (self.filter_domain or "[]").strip() != "[]",
        }

    def _add_up(self, statistics):
        """Statistics of the step's mails in all languages and versions, if it sends any.

        :param statistics: ``{mailing id: {statistic: number}}``
        """
        if not self._is_message() or not self.sudo().mailing_id:
            return False
        own = [statistics.get(str(mailing.id), {}) for mailing in self.sudo()._get_mailings()]
        return {name: sum(one.get(name, 0) for one in own) for name in STATISTICS}

    def _get_versions(self, statistics):
        """The step's mails, where it has several.

        :param statistics: as for :meth:`_add_up`
        :return: list of (what the mail is called, its statistics)
        """
        translations = self.sudo().translation_ids
        if not translations or not self._is_message():
            return []
        versions = [(self.env._("All other languages"), self.sudo().mailing_id)]
        versions += [(line.lang_id.name, line.mailing_id) for line in translations]
        return [
            (name, dict.fromkeys(STATISTICS, 0) | statistics.get(str(mailing.id), {}))
            for name, mailing in versions
        ]

    def _get_chart(self, counts):
        """What was done and what was rejected on each of the last days, the user's today last.

        :param counts: ``{step id: {state: {day: number}}}``
        """
        by_state = counts.get(str(self.id))
        if not by_state:
            return False
        days = chart_days(self)
        return {
            state: [by_state.get(state, {}).get(str(day), 0) for day in days]
            for state in ("processed", "rejected")
        }

    def _get_problems_by_step(self):
        """What keeps each step from running; only those who can mend it see it."""
        if not self.has_access("write"):
            return {}
        # all at once: each step looks at its own mails only
        self._get_mailings().fetch()
        return {step.id: step._get_problems() for step in self if step.active}

    # ------------------------------------------------------------
    # ACTIONS
    # ------------------------------------------------------------

    def action_view_statistic(self, statistic):
        """Open what is behind a number on the card: a state of traces, or a statistic of mails.

        :raise UserError: when it is none of them
        """
        check_records(self, one=True)
        states = dict(self.env["nurture.trace"]._fields["state"]._description_selection(self.env))
        names = self.env["mailing.trace"]._nurture_get_statistic_names()
        read_choice(self.env, statistic, {name: names[name] for name in STATISTICS} | states)
        if statistic in STATISTICS:
            own = self.sequence_id._own_mailing_traces_domain()
            return self._get_mailings()._nurture_open_mailing_traces(statistic, own)
        return self.sequence_id._open_list(
            "nurture.trace",
            f"{self.name}: {states[statistic]}",
            [("step_id", "=", self.id), ("state", "=", statistic)],
        )

    def action_duplicate(self, branch=False):
        """Duplicate the step beside itself, its mail included.

        :param branch: whether what follows it is duplicated, too
        :return: id of the new step
        """
        check_records(self, one=True)
        copied = self.copy({"name": self.env._("%s (copy)", self.name)})
        if branch:
            self.sequence_id._copy_steps(self.child_ids, self.sequence_id, copied)
        return copied.id

    def action_reorder(self, by):
        """Move the step up or down among those that follow the same step, or begin the sequence.

        :param by: how many places; negative: up. It goes no further than to the end
        :raise UserError: when ``by`` is no number, or the step is archived
        """
        check_records(self, one=True)
        self.check_access("write")
        read_number(self.env, by, -MAX_PLACES, MAX_PLACES)
        if not self.active:
            raise UserError(self.env._("“%s” is archived. Restore it first.", self.name))
        siblings = self.search(
            [("sequence_id", "=", self.sequence_id.id), ("parent_id", "=", self.parent_id.id)]
        )
        others = list(siblings - self)
        place = max(0, list(siblings).index(self) + by)
        for index, step in enumerate([*others[:place], self, *others[place:]], start=1):
            step.position = 10 * index
        return True

    # ------------------------------------------------------------
    # PREVIEW
    # ------------------------------------------------------------

    @api.readonly
    def get_preview(self, variant=FIRST):
        """What the step sends, with the values of a lead that the sequence is for. Nothing is
        sent, nothing is written, and its links do nothing.

        :param variant: the letter of the version that is wanted; of the first one that in the
            lead's language, where there is one
        :raise UserError: when there is nothing to show, or no lead to show it for
        """
        check_records(self, one=True)
        self.check_access("read")
        versions = self._get_mail_by_letter()
        read_choice(self.env, variant, list(versions))
        lead = self.sequence_id._find_recipient()
        if not lead:
            raise UserError(self.env._("There is no lead to show it for. Create one first."))
        mailing = versions[variant]
        if variant == FIRST:
            translations = self.translation_ids.filtered(lambda line: line.lang_id == lead.lang_id)
            mailing = translations.mailing_id or mailing
        if not mailing:
            raise UserError(self.env._("“%s” has no message yet.", self.name))
        mailing.check_access("read")
        return {
            "lead": lead.display_name,
            "address": lead.email_from or "",
            "language": lead.lang_id.name or "",
            "subject": mailing._render_field("subject", lead.ids)[lead.id],
            "html": without_links(self._render_message(mailing, lead)),
        }

    def _render_message(self, mailing, lead):
        """The page that a recipient of ``mailing`` sees, as core composes it."""
        body = mailing._render_field(
            "body_html", lead.ids, options={"preserve_comments": True, "post_process": True}
        )[lead.id]
        return self._make_page(body)

    @api.model
    def _make_page(self, body):
        """The page that the body of a mail is, as core composes it."""
        with file_open("mass_mailing/static/src/scss/mass_mailing_mail.scss") as file:
            style = Markup("<style>%s</style>") % Markup(file.read())
        return self.env["ir.qweb"]._render(
            "mass_mailing.mass_mailing_mail_layout",
            {"body": body, "mailing_style": style},
            minimal_qcontext=True,
        )
