from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import format_time

from ...tools.dates import on_day
from ...tools.domains import ERRORS, named_ids, read_domain

#: So many leads are named, the others are counted.
NAMED_LEADS = 3
#: So many of the leads that are about to be lost are looked at for whether a sequence chooses them.
JUDGED_LEADS = 200


class NurtureSequence(models.Model):
    """What somebody is shown before leads enter by hand: which sequences are meant for them, what
    they would get, and who cannot enter and why."""

    _inherit = "nurture.sequence"

    # ------------------------------------------------------------
    # WHICH ONES
    # ------------------------------------------------------------

    @api.model
    def _get_fitting(self, leads, lost_for=None):
        """Running sequences whose choice of leads names the lost reason and takes one of ``leads``
        at least; first those for the fewest reasons.

        :param lost_for: the ``crm.lost.reason`` for which they are about to be lost; without it
            they are lost already
        """
        running = self.search([("state", "=", "running")])
        fitting = running._meant_for(lost_for or leads.lost_reason_id).filtered(
            lambda sequence: sequence._get_chosen(leads, lost_for)
        )
        return fitting.sorted(lambda sequence: len(sequence._get_named_reasons()))

    def _pick_offer(self, leads, losing=False):
        """The first of these sequences that one of ``leads`` can enter; else the first, of which it
        is shown why none can.

        :param losing: see :meth:`_preview_entry`
        """
        for sequence in self:
            if sequence._can_enter(sequence._preview_entry(leads, losing)):
                return sequence
        return self[:1]

    @api.model
    def _is_any_running(self):
        return bool(self.search_count([("state", "=", "running")], limit=1))

    def _meant_for(self, reasons):
        """Those whose choice of leads names one of ``reasons``."""
        return self.filtered(lambda sequence: sequence._get_named_reasons() & set(reasons.ids))

    def _get_named_reasons(self):
        """Ids of the lost reasons that the choice of leads, or a profile, names."""
        named = set(self._get_profiles().preset_id.lost_reason_ids.ids)
        try:
            return named | named_ids(read_domain(self.domain), "lost_reason_id")
        except ERRORS:
            return named

    def _get_chosen(self, leads, lost_for=None):
        """Those of ``leads`` that the sequence chooses, see :meth:`_get_fitting`. That an address
        is blacklisted is shown as a reason why it cannot enter."""
        self.ensure_one()
        leads.check_access("read")
        if lost_for and not self._takes_lost():
            return leads.browse()
        sequence = self.sudo()
        chosen = self._choose_of(leads, sequence.domain, [sequence.domain_author_id], lost_for)
        if self.profile_mode == "one":
            return chosen
        found = leads.browse()
        for profile in self._get_profiles():
            authors = [profile.preset_id.author_id, profile.author_id]
            found |= self._choose_of(chosen, profile.preset_id.full_domain, authors, lost_for)
        return found

    def _choose_of(self, leads, choice, authors, lost_for=None):
        """Those of ``leads`` that a filter of the sequence chooses, see :meth:`_get_chosen`."""
        all_leads = leads.sudo().with_context(active_test=False)
        rights = authors, self._get_companies(), self._get_viewer()
        try:
            domain = read_domain(choice).map_conditions(_whatever_is_blacklisted)
            if lost_for:
                judged = all_leads[:JUDGED_LEADS]
                chosen = judged._nurture_choose_as_lost(domain, lost_for, *rights)
            else:
                domain = all_leads._nurture_choose(domain, *rights)
                with self.env.cr.savepoint(flush=False):
                    chosen = all_leads.search(domain & Domain("id", "in", leads.ids))
        except (*ERRORS, UserError):
            # a choice that cannot be read any more, or not by the user, chooses nobody
            return leads.browse()
        return leads.browse(chosen.ids)

    @api.model
    @api.readonly
    def name_search(self, name="", domain=None, operator="ilike", limit=100):
        """Those meant for the lost reasons of the context key ``nurture_reason_ids`` come first."""
        reasons = self.env.context.get("nurture_reason_ids")
        if not reasons:
            return super().name_search(name, domain, operator, limit)
        found = super().name_search(name, domain, operator, None)
        sequences = self.browse(id_ for id_, _name in found)
        meant = set(sequences._meant_for(self.env["crm.lost.reason"].browse(reasons)).ids)
        return sorted(found, key=lambda pair: pair[0] not in meant)[:limit]

    # ------------------------------------------------------------
    # WHO
    # ------------------------------------------------------------

    def _preview_entry(self, leads, losing=False):
        """Who of ``leads`` would enter now, whatever the sequence's choice of leads is.

        :param losing: judge them as if they had just been lost
        :return: ``{reason: leads}``, see :meth:`_group_by_exclusion`; the reason of those who would
            enter is None, of those held out for comparison ``holdout``
        :raise AccessError: for who may not read both
        """
        self.ensure_one()
        self.check_access("read")
        leads.check_access("read")
        sequence = self.sudo()
        groups = sequence._group_by_exclusion(leads.sudo(), losing)
        entering, held_out = sequence._split_holdout(groups.pop(None, []))
        groups = {None: entering, "holdout": held_out, **groups}
        return {reason: leads.browse(ids) for reason, ids in groups.items() if ids}

    def _describe_entry(self, preview):
        """What those who would enter get, in words; False when nobody would.

        :param preview: see :meth:`_preview_entry`
        """
        entering, held_out = preview.get(None), preview.get("holdout")
        count = sum(map(len, preview.values()))
        texts = []
        if entering and count > 1:
            texts.append(
                self.env._("%(some)s of %(all)s leads enter:", some=len(entering), all=count)
            )
        if entering:
            texts.append(self._describe_messages(entering[0]))
        if held_out:
            texts.append(
                self.env._(
                    "Held out for comparison, getting nothing: %s.", self._name_leads(held_out)
                )
            )
        return " ".join(texts) or False

    def _describe_excluded(self, preview):
        """Who could not enter and why, in words; False when all could.

        :param preview: see :meth:`_preview_entry`
        """
        labels = self._get_exclusion_labels()
        groups = [(labels[reason], leads) for reason, leads in preview.items() if reason in labels]
        if not groups:
            return False
        heading = self.env._("Cannot enter “%s”:", self.name)
        if sum(map(len, preview.values())) == 1:
            return f"{heading} {groups[0][0]}"
        lines = [f"{label}: {self._name_leads(leads)}" for label, leads in groups]
        return "\n".join([heading, *lines])

    @api.model
    def _can_enter(self, preview):
        """Whether one of the leads could enter, held out ones included; see
        :meth:`_preview_entry`."""
        return None in preview or "holdout" in preview

    @api.model
    def _name_leads(self, leads):
        names = ", ".join(leads[:NAMED_LEADS].mapped("name"))
        if len(leads) <= NAMED_LEADS:
            return names
        return self.env._(
            "%(names)s and %(count)s more", names=names, count=len(leads) - NAMED_LEADS
        )

    # ------------------------------------------------------------
    # WHAT
    # ------------------------------------------------------------

    def _describe_messages(self, lead):
        """What ``lead`` would get if it entered now and never reacted, in words."""
        self.ensure_one()
        try:
            sends = sorted(self.sudo()._get_sends(lead.ids))
        except UserError:
            return self.env._(
                "It cannot be said what they get: the filter of a step cannot be used."
            )
        types = set(self.step_ids.browse(step_id for _moment, step_id in sends).mapped("step_type"))
        text = self._describe_sends([moment for moment, _step_id in sends], types == {"email"})
        if self.exit_on_replied and sends:
            text += " " + self.env._("It stops as soon as they answer.")
        return text

    def _describe_sends(self, moments, only_mails):
        count = len(moments)
        if not count:
            return self.env._("Who does not react gets no message.")
        if only_mails:
            messages = self.env._("1 mail") if count == 1 else self.env._("%s mails", count)
        else:
            messages = self.env._("1 message") if count == 1 else self.env._("%s messages", count)
        first = self._describe_moment(moments[0])
        days = (moments[-1] - moments[0]).days
        if count == 1:
            return self.env._("%(messages)s, %(first)s.", messages=messages, first=first)
        if days <= 1:
            return self.env._(
                "%(messages)s within a day or two, the first %(first)s.",
                messages=messages,
                first=first,
            )
        return self.env._(
            "%(messages)s over %(days)s days, the first %(first)s.",
            messages=messages,
            days=days,
            first=first,
        )

    @api.model
    def _describe_moment(self, moment):
        """When something is sent, by the user's clock."""
        if moment <= fields.Datetime.now():
            return self.env._("at once")
        local = fields.Datetime.context_timestamp(self, moment)
        time = format_time(self.env, local.time(), time_format="short")
        days = (local.date() - fields.Date.context_today(self, fields.Datetime.now())).days
        if days == 0:
            return self.env._("today at %s", time)
        if days == 1:
            return self.env._("tomorrow at %s", time)
        return self.env._("on %(date)s at %(time)s", date=on_day(self.env, local.date()), time=time)


def _whatever_is_blacklisted(condition):
    return Domain.TRUE if condition.field_expr == "is_blacklisted" else condition
