from odoo import api, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import SQL

from ...tools.arguments import check_records, read_choice, read_ids
from ...tools.domains import check_domain
from .sequence import MANY_LEADS, PROFILES

#: What the form may tell of a sequence that is being edited, beside its choice of leads.
DRAFT_FIELDS = ("company_id", "user_id", "excluded_preset_ids", PROFILES)


class NurtureSequence(models.Model):
    """Audience: how many leads the sequence chooses, how many of them would enter, and why the
    others would not."""

    _inherit = "nurture.sequence"

    @api.readonly
    def get_audience(self, values=None):
        """Count the leads that the sequence chooses, as far as the user may see them. Of many
        those are looked at that were lost last.

        :param values: what was edited and is not saved yet, for who may edit sequences; without a
            sequence it counts for a new one
        :return: ``{"matching", "is_capped": whether more match than are looked at, "entering",
            "held_out", "is_drawn": whether it is known who is held out, "excluded": [{"reason",
            "label", "count"}], "customers": how many silent customers become leads first,
            "customers_entering": how many of these would enter}``; or ``{"error": what is wrong
            with the values, in words}``; where the sequence has profiles, also ``"profiles":
            [{"preset_id", "name", "date": when its leads enter, a UTC string, False for now,
            "day": that in words, "count": how many, held-out ones included}]``
        :raise AccessError: for who may not read sequences and leads, or gives values and may not
            edit them
        """
        if self:
            check_records(self, one=True)
        try:
            draft = self._with_draft(values or {})
            draft._work_out_prices()
            return draft._count_audience()
        except AccessError:
            raise
        except UserError as error:
            return {"error": str(error)}

    def _with_draft(self, values):
        """The sequence as it would be with these values, which are checked as if they were
        saved."""
        self.browse().check_access("write" if values or not self else "read")
        if self and not (values and self.has_access("write")):
            # who may not change it does not change the question either
            self.check_access("read")
            return self
        self.check_access("write")
        known = self._read_draft(values)
        # to the cache all drafts of a sequence are one
        self.new(origin=self).invalidate_recordset(flush=False)
        try:
            draft = self.new(known, origin=self)
        except (TypeError, ValueError) as error:
            raise UserError(self.env._("These are no values of a sequence.")) from error
        if (draft.company_id, draft.user_id) != (self.company_id, self.user_id):
            draft._check_company_allowed()
        self._check_draft_domain(draft)
        draft._check_numbers()
        draft._check_reentry_days()
        draft._check_entry_offset()
        draft._check_entry_field()
        draft._check_profile_days()
        draft._check_behaviour()
        return draft

    def _check_draft_domain(self, draft):
        """Check a filter that is being written, as when it is saved. What was not changed is still
        its author's.

        :raise UserError: in short: it is shown while somebody types
        """
        if draft.domain == self.domain:
            return
        try:
            check_domain(self.env["crm.lead"], draft.domain)
        except ValidationError as error:
            raise UserError(
                self.env._("The filter cannot be used. Change it, or choose a preset.")
            ) from error

    def _read_draft(self, values):
        """The values that matter. Records are given by their ids: what a preset chooses is looked
        up with all rights, so it has to be one that was checked when it was saved."""
        if not isinstance(values, dict):
            raise UserError(self.env._("These are no values of a sequence."))
        names = {*self._get_choice_fields(), *DRAFT_FIELDS}
        known = {name: value for name, value in values.items() if name in names}
        profiles = known.pop(PROFILES, None)
        for name, value in known.items():
            if not self._fields[name].relational or value is False or value is None:
                continue
            try:
                read_ids(self.env, value)
            except UserError as error:
                raise UserError(self.env._("These are no values of a sequence.")) from error
        presets = self.env["nurture.preset"].browse(known.get("excluded_preset_ids"))
        presets.check_access("read")
        mailings = self.env["mailing.mailing"].browse(known.get("entry_mailing_ids"))
        mailings.check_access("read")
        if profiles is not None:
            known[PROFILES] = self._read_profiles(profiles)
        if "domain" in known and known["domain"] != self.domain:
            known["domain_author_id"] = self.env.uid
        if set(presets.ids) - set(self.sudo().excluded_preset_ids.ids):
            known["exclusion_author_id"] = self.env.uid
        return known

    def _get_holdout_share(self):
        """Which part of the leads is held out, by the sequence or globally, about."""
        own, everywhere = self.holdout_percent / 100, self.global_holdout_percent / 100
        return own + everywhere - own * everywhere

    def _count_audience(self):
        found = self._get_audience()
        matching = sum(map(len, found.values()))
        profiles = self._describe_waves(found)
        entering = found.pop(None, [])
        is_drawn = bool(self._origin)
        if is_drawn:
            held_out = len(self.sudo()._get_held_out(entering))
        else:
            held_out = round(len(entering) * self._get_holdout_share())
        labels = self._get_exclusion_labels()
        customers, customers_entering = self._count_silent()
        return {
            "matching": matching,
            "is_capped": matching == MANY_LEADS and self._has_many_leads(),
            "entering": len(entering) - held_out,
            "held_out": held_out,
            "is_drawn": is_drawn,
            "excluded": [
                {"reason": reason, "label": labels[reason], "count": len(ids)}
                for reason, ids in found.items()
            ],
            "customers": customers,
            "customers_entering": customers_entering,
            "profiles": profiles,
        }

    def _get_audience(self):
        """The leads that the sequence chooses and the user may see, sorted out as
        :meth:`_group_by_exclusion` does; of many those that were lost last."""
        self._origin.check_access("read")
        leads = self.env["crm.lead"].with_context(active_test=False)
        domain = self._get_audience_domain()
        lost_last = leads._search(domain, order="date_closed desc, id desc", limit=MANY_LEADS)
        return self._sort_out(lost_last.select())

    def _get_audience_domain(self):
        """The leads that the sequence chooses and the user may see.

        :raise UserError: when its filter cannot be used
        """
        try:
            return self._get_lead_domain()
        except ValidationError as error:
            raise UserError(
                self.env._("The filter cannot be used. Change it, or choose a preset.")
            ) from error
        except AccessError as error:
            # the sequence may be read, what its filter looks at may not
            raise UserError(str(error)) from error

    def _has_many_leads(self):
        """Whether it chooses more than :data:`MANY_LEADS` of the leads that the user may see."""
        leads = self.env["crm.lead"].with_context(active_test=False)
        domain = self._get_audience_domain()
        return leads.search_count(domain, limit=MANY_LEADS + 1) > MANY_LEADS

    def _get_exclusion_by_lead(self, leads):
        """``{lead id: reason}`` of those of ``leads`` that the sequence chooses and excludes."""
        query = leads.with_context(active_test=False)._search(self._get_lead_domain())
        # Whom else the address belongs to decides who of them enters. An expression, because
        # core's index of addresses is for parts of them: it takes seconds for a page of leads.
        query.add_where(
            SQL(
                "(crm_lead.id = ANY(%s) OR COALESCE(crm_lead.email_normalized, '') = ANY(%s))",
                leads.ids,
                [address for address in leads.mapped("email_normalized") if address],
            )
        )
        found = self._sort_out(query.select())
        return {id_: reason for reason, ids in found.items() if reason for id_ in ids}

    def action_view_audience(self, what):
        """Open the leads behind a number of :meth:`get_audience`.

        :param what: ``matching``, ``entering``, ``held_out``, ``excluded`` for all that are
            excluded, whoever is inside already left out, ``customers``, the reason, or
            ``profile_`` and the id of a preset for the leads that this profile lets in"""
        check_records(self, one=True)
        self.check_access("read")
        groups = dict.fromkeys(("matching", "entering", "held_out", "excluded", "customers"))
        profiles = {f"profile_{one.preset_id.id}": one for one in self._get_profiles()}
        read_choice(self.env, what, groups | self._get_exclusion_labels() | dict.fromkeys(profiles))
        if what == "matching":
            return self.action_view_matching_leads()
        if what == "customers":
            return self._open_silent()
        found = self._get_audience()
        if what in profiles:
            return self._open_wave(found, profiles[what])
        entering = found.pop(None, [])
        if what == "entering":
            return self._open_entering(entering)
        if what == "held_out":
            return self._open_held_out(entering)
        return self._open_excluded(found, what)

    def _open_entering(self, lead_ids):
        """Open those of the leads, whom nothing excludes, that would be written to."""
        entering, _held_out = self.sudo()._split_holdout(lead_ids)
        return self._open_leads(entering, self.env._("Leads That Would Enter"))

    def _open_held_out(self, lead_ids):
        """Open those of the leads, whom nothing excludes, that would be held out."""
        _entering, held_out = self.sudo()._split_holdout(lead_ids)
        return self._open_leads(held_out, self.env._("Held Out for Comparison"))

    def _open_excluded(self, found, reason="excluded"):
        """Open the leads that are excluded for ``reason``, or for any; the list says why.

        :param found: ``{reason: ids of leads}``
        """
        if reason == "excluded":
            ids = [id_ for one, ids in found.items() if one != "inside" for id_ in ids]
            name = self.env._("Leads Excluded")
        else:
            ids = found.get(reason, [])
            label = self._get_exclusion_labels().get(reason, reason)
            name = label if reason == "inside" else self.env._("Excluded: %s", label)
        action = self._open_leads(ids, name)
        views = {
            kind: self.env.ref(f"lost_lead_nurture.crm_lead_view_{kind}_excluded").id
            for kind in ("list", "kanban")
        }
        action["views"] = [(views["list"], "list"), (views["kanban"], "kanban"), (False, "form")]
        action["mobile_view_mode"] = "kanban"
        action["context"]["nurture_excluded_from"] = self.id
        return action

    def _open_leads(self, ids, name):
        return self._open_list("crm.lead", name, [("id", "in", ids)])
