from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command, Domain
from odoo.tools import SQL

from ...tools.arguments import read_ids
from ...tools.dates import on_day
from ..step.step import MAX_DELAY


class NurtureSequence(models.Model):
    """Profiles: a sequence may be for several presets, one after the other or all at once. A lead
    that fits two of them enters with the first."""

    _inherit = "nurture.sequence"

    profile_mode = fields.Selection(
        [
            ("one", "One choice of leads"),
            ("in_turn", "Several presets, one after the other"),
            ("at_once", "Several presets at the same time"),
        ],
        string="For",
        required=True,
        default="one",
        help="One after the other: the leads of the first preset enter at once, those of the next "
        "one some days later, and so on. A lead that fits two enters with the first.",
    )
    profile_ids = fields.One2many(
        "nurture.profile",
        "sequence_id",
        string="Profiles",
        copy=True,
        # salespeople do not see presets, and could not read a sequence with all its fields
        groups="lost_lead_nurture.group_user",
    )
    profile_days = fields.Integer(
        string="Days between Profiles",
        default=7,
        help="So many days after the profile before, the leads of the next one enter.",
    )
    profiles_since = fields.Datetime(
        string="Profiles Counted From",
        readonly=True,
        copy=False,
        help="When the first profile had its turn: when the sequence was started, or profiles take "
        "turns since. A pause moves it where the dates of steps are moved.",
    )

    # ------------------------------------------------------------
    # CONSTRAINTS, SETTINGS
    # ------------------------------------------------------------

    @api.constrains("profile_mode", "profile_days")
    def _check_profile_days(self):
        for sequence in self:
            days = sequence.profile_days
            if sequence.profile_mode == "in_turn" and not 1 <= days <= MAX_DELAY["days"]:
                raise ValidationError(
                    self.env._(
                        "“%s”: from one profile to the next it is one day at least, and ten years "
                        "at most.",
                        sequence.name,
                    )
                )

    @api.constrains("company_id")
    def _check_preset_companies(self):
        """Check that who works for the sequence may see the presets in its list, and those that it
        leaves out: a company that changes, of the sequence or of a preset, leaves none behind.

        :raise ValidationError: in words
        """
        for sequence in self.sudo():
            companies = sequence._get_companies()
            presets = sequence.profile_ids.preset_id | sequence.excluded_preset_ids
            for preset in presets:
                if preset.company_id and preset.company_id not in companies:
                    raise ValidationError(
                        self.env._(
                            "“%(sequence)s” is not for leads of %(company)s, and “%(preset)s” is "
                            "of that company: take the preset out there first.",
                            sequence=sequence.name,
                            company=preset.company_id.name,
                            preset=preset.name,
                        )
                    )

    @api.constrains("profile_mode", "profile_ids")
    def _check_profiles_runnable(self):
        self._check_runnable()

    @api.onchange("profile_mode")
    def _onchange_profile_mode(self):
        """The preset that was chosen is the first profile; the filter then asks for nothing more
        than what all of them have in common."""
        preset = self.preset_id
        if self.profile_mode == "one" or not preset:
            return
        if not self.profile_ids:
            self.profile_ids = [Command.create({"preset_id": preset.id})]
        if self.domain == preset.full_domain:
            self.domain = repr(self.env["crm.lead"]._nurture_lost_domain())
        self.preset_id = False

    def _note_profiles_changed(self):
        """Whom it is for has changed: leads inside are where the profiles of before had them, and
        the next ones may enter at another time."""
        self._mark_edited()
        self._wake_for_turns()

    def _begin_turns(self):
        """Profiles take turns from now on, where they have not yet."""
        fresh = self.filtered(lambda one: one.profile_mode == "in_turn" and not one.profiles_since)
        fresh.sudo().profiles_since = fields.Datetime.now()
        self._wake_for_turns()

    def _end_turns(self):
        """Profiles take no turns any more. When they do again, those of before are long over."""
        self.filtered("profiles_since").sudo().profiles_since = False

    def _wake_for_turns(self):
        """Let the leads of each profile enter when its turn comes."""
        now = fields.Datetime.now()
        running = self.filtered(lambda one: one.state == "running")
        dates = {date for one in running for date in one._get_turns().values()}
        for date in dates:
            if date > now:
                self._wake_cron(date)

    def _get_profile_problems(self):
        if self.profile_mode == "one":
            return []
        problems = []
        if not self._get_profiles():
            problems.append(
                self.env._("Its list of profiles has no preset whose leads enter: add one.")
            )
        archived = self.sudo().profile_ids.preset_id.filtered(lambda preset: not preset.active)
        problems += [
            self.env._("The preset “%s” in its list of profiles is archived.", preset.name)
            for preset in archived
        ]
        return problems

    # ------------------------------------------------------------
    # WHOSE TURN IT IS
    # ------------------------------------------------------------

    def _get_lines(self):
        """The list of profiles in its order, with all rights, for who sees no presets is chosen by
        them, too; none where the sequence has one choice of leads."""
        self.ensure_one()
        if self.profile_mode == "one":
            return self.env["nurture.profile"].sudo()
        lines = self.sudo().profile_ids.filtered("preset_id")
        # those of a draft that is not saved have no ids yet
        return lines.sorted(lambda line: (line.position, line._origin.id or 0))

    def _get_profiles(self):
        """The profiles whose leads enter, in the order of their turns."""
        return self._get_lines().filtered(lambda line: not line.excludes)

    def _get_presets(self):
        """The presets that it is for: the one that was chosen, or those of its profiles."""
        return self.preset_id if self.profile_mode == "one" else self._get_profiles().preset_id

    def _say_presets(self):
        """What the presets that it is for are called: as far as they are the user's to see."""
        presets = self.env["nurture.preset"].browse(self._get_presets().ids)
        return ", ".join(presets._filtered_access("read").mapped("name"))

    def _get_excluding_lines(self):
        """The lines of the list whose leads are excluded."""
        return self._get_lines().filtered("excludes")

    def _get_turns(self):
        """From when on the leads of each profile enter: ``{profile: date}``, the first one first.
        A sequence that has not been started yet would be started now."""
        begin = self.profiles_since or fields.Datetime.now()
        days = self.profile_days if self.profile_mode == "in_turn" else 0
        return {
            profile: begin + timedelta(days=days * place)
            for place, profile in enumerate(self._get_profiles())
        }

    def _get_open_profiles(self):
        """The profiles whose turn has come."""
        turns = self._get_turns()
        # in this order: where all have it now, a second that passes in between shuts none out
        now = fields.Datetime.now()
        return (
            self.env["nurture.profile"]
            .sudo()
            .concat(*(profile for profile, date in turns.items() if date <= now))
        )

    def _get_profile_choice(self):
        """The leads that any of the profiles chooses, whoever's turn it is; everybody where there
        is one choice of leads."""
        if self.profile_mode == "one":
            return Domain.TRUE
        return Domain.OR(profile._get_choice(self) for profile in self._get_profiles())

    def _get_profile_checksum(self):
        """What of the profiles says who may enter now."""
        return [
            self.profile_mode,
            [
                (line.preset_id.id, line.excludes, line.preset_id.full_domain)
                + (line.author_id.id, line.preset_id.author_id.id)
                for line in self._get_lines()
            ],
            self._get_open_profiles().preset_id.ids,
        ]

    # ------------------------------------------------------------
    # WHO ENTERS BY WHICH
    # ------------------------------------------------------------

    def _sql_place(self, profiles):
        """The place in the list of the first of ``profiles`` that chooses the lead ``lead``; null
        for none."""
        if not profiles:
            return SQL("NULL::int")
        leads = self.env["crm.lead"]
        return SQL(
            "CASE %s END",
            SQL(" ").join(
                SQL("WHEN %s THEN %s", leads._nurture_sql_chosen(profile._get_choice(self)), place)
                for place, profile in enumerate(profiles)
            ),
        )

    def _sql_profile(self, by_hand):
        """The id of the preset by which the lead ``lead`` enters now; null where it does not enter
        by a profile."""
        profiles = self._get_open_profiles()
        if by_hand or not profiles:
            return SQL("NULL::int")
        return SQL("(%s::int[])[%s + 1]", profiles.preset_id.ids, self._sql_place(profiles))

    def _sql_not_turn(self):
        """Whether the lead ``lead`` waits for the turn of the first profile that it fits; None
        where nobody does. Customers who are no leads yet do not: they become leads when it
        comes."""
        opened = self._get_open_profiles()
        coming = self._get_profiles() - opened
        if not coming:
            return None
        return SQL(
            "(%s) IS NULL AND (%s) IS NOT NULL", self._sql_place(opened), self._sql_place(coming)
        )

    def _get_places(self, lead_ids):
        """By which profile each of these leads would enter: ``{lead id: profile}``. Of several
        leads with one address there is the one that enters first."""
        profiles = self._get_profiles()
        if not profiles or not lead_ids:
            return {}
        dedup_key = self.env["nurture.participant"]._sql_dedup_key(self)
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT ON (dedup_key) id, place
                  FROM (SELECT lead.id, lead.date_closed, %s AS dedup_key, %s AS place
                          FROM crm_lead lead WHERE lead.id = ANY(%s)) placed
                 WHERE place IS NOT NULL
              ORDER BY dedup_key, place, date_closed DESC NULLS LAST, id DESC
                """,
                dedup_key,
                self._sql_place(profiles),
                list(lead_ids),
            )
        )
        return {lead_id: profiles[place] for lead_id, place in rows}

    def _get_waves(self, groups):
        """When which profile lets in whom, held-out leads included.

        :param groups: as :meth:`_group_by_exclusion` has them
        :return: list of (profile, date, ids of leads), in the order of the list
        """
        coming = [*groups.get(None, []), *groups.get("not_turn", [])]
        places = self._get_places(coming)
        waves = {profile: [] for profile in self._get_profiles()}
        for lead_id, profile in places.items():
            waves[profile].append(lead_id)
        turns = self._get_turns()
        return [(profile, turns[profile], sorted(ids)) for profile, ids in waves.items()]

    def _open_wave(self, groups, profile):
        """Open the leads that ``profile`` lets in, held-out ones included.

        :param groups: as :meth:`_group_by_exclusion` has them
        """
        waves = {one: ids for one, _date, ids in self._get_waves(groups)}
        return self._open_leads(waves.get(profile, []), profile.preset_id.display_name)

    def _get_starts(self, waves):
        """When each lead of ``waves`` enters whose turn has not come: ``{lead id: date}``."""
        now = fields.Datetime.now()
        return {lead_id: date for _one, date, ids in waves if date > now for lead_id in ids}

    # ------------------------------------------------------------
    # IN WORDS
    # ------------------------------------------------------------

    def _describe_waves(self, groups):
        """:meth:`_get_waves` as plain values: dates are UTC strings, False for now."""
        waves = self._get_waves(groups)
        now = fields.Datetime.now()
        return [
            {
                "preset_id": profile.preset_id._origin.id,
                "name": profile.preset_id.display_name,
                "date": fields.Datetime.to_string(date) if date > now else False,
                "day": on_day(self.env, date) if date > now else False,
                "count": len(ids),
            }
            for profile, date, ids in waves
        ]

    def _describe_profiles(self):
        """The profiles on the axis of days of the workflow, with how many have entered by each."""
        profiles = self._get_profiles()
        turns = self._get_turns()
        begin = min(turns.values(), default=None)
        return [
            {
                "id": profile.id,
                "name": profile.preset_id.display_name,
                "day": (turns[profile] - begin).days,
                "date": on_day(self.env, turns[profile]) if self.profiles_since else False,
            }
            for profile in profiles
        ]

    def _explain_profiles(self, lead):
        """Which profile the lead fits, the one by which it would enter: as plain values, or False.

        :return: ``{"preset_id", "name", "date": from when on its leads enter, a UTC string}``
        """
        profile = self._get_places(lead.ids).get(lead.id)
        if not profile:
            return False
        return {
            "preset_id": profile.preset_id.id,
            "name": profile.preset_id.display_name,
            "date": fields.Datetime.to_string(self._get_turns()[profile]),
        }

    def _explain_turn(self, lead):
        """Which profile the lead waits for, and until when."""
        profile = self._get_places(lead.ids).get(lead.id)
        if not profile:
            return []
        return [
            {
                "domain": profile.preset_id.full_domain,
                "text": self.env._(
                    "It fits “%(profile)s”, whose turn comes on %(date)s",
                    profile=profile.preset_id.display_name,
                    date=on_day(self.env, self._get_turns()[profile]),
                ),
            }
        ]

    def _explain_no_profile(self, lead):
        """What of each profile does not hold for the lead, where none chooses it."""
        profiles = self._get_profiles()
        parts = []
        for profile in profiles:
            failing = lead._nurture_find_failing(
                profile.preset_id.full_domain,
                [profile.preset_id.author_id, profile.author_id],
                self._get_companies(),
                self._get_viewer(),
            )
            if not failing:
                return []
            words = [lead._nurture_describe_part(part) for part, _leads in failing]
            parts.append(
                {
                    "domain": repr(Domain.AND(part for part, _leads in failing)),
                    "text": self.env._(
                        "Not in “%(profile)s”: %(rules)s",
                        profile=profile.preset_id.display_name,
                        rules="; ".join(words),
                    ),
                }
            )
        return parts

    # ------------------------------------------------------------
    # A DRAFT
    # ------------------------------------------------------------

    def _read_profiles(self, pairs):
        """A list of profiles that is being edited, as commands for a draft.

        :param pairs: pairs of the id of a preset, and whether it excludes, in their order
        """
        if not isinstance(pairs, (list, tuple)) or any(
            not isinstance(pair, (list, tuple)) or len(pair) != 2 or not isinstance(pair[1], bool)
            for pair in pairs
        ):
            raise UserError(self.env._("These are no values of a sequence."))
        presets = self.env["nurture.preset"].browse(
            read_ids(self.env, [preset_id for preset_id, _excludes in pairs])
        )
        presets.check_access("read")
        known = {line.preset_id.id: line.author_id.id for line in self.sudo().profile_ids}
        return [Command.clear()] + [
            Command.create(
                {
                    "preset_id": preset_id,
                    "excludes": excludes,
                    "position": place,
                    # what was not changed is still its author's
                    "author_id": known.get(preset_id, self.env.uid),
                }
            )
            for place, (preset_id, excludes) in enumerate(pairs)
        ]
