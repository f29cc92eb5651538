from collections import Counter, defaultdict
from dataclasses import replace
from functools import partial

from pytz import timezone, utc

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools.arguments import check_records, read_id
from ...tools.forecast import Cap, forecast
from ...tools.sending_hours import share_of
from ...tools.zones import recipient_zone


class NurtureSequence(models.Model):
    """Why a lead got it or did not, and what would come if leads entered now."""

    _inherit = "nurture.sequence"

    # ------------------------------------------------------------
    # WHY
    # ------------------------------------------------------------

    def explain(self, lead_id):
        """Why a lead enters this sequence or does not, and what was decided about it inside.

        :param lead_id: id of a ``crm.lead`` that the user may read
        :return: ``{"enters": whether it would enter automatically now, "conditions": [{"reason",
            "label", "ok", "parts": [{"domain", "text"}]}], "journeys": [{"enrolment_number",
            "state", "exit_reason", "profile", "entered_date", "exit_date", "steps": [{"step",
            "state", "reason", "schedule_date", "decisions": [{"date", "what", "detail"}]}]}],
            "profile": which one the lead fits, {"preset_id", "name", "date" from when on its leads
            enter}, or False}``; dates are UTC strings, what is missing is False. ``parts`` are what
            does not hold of a filter, in words and as a domain
        :raise UserError: when there is no such lead
        :raise AccessError: for who may not read the sequence or the lead
        """
        check_records(self, one=True)
        self.check_access("read")
        lead = self.env["crm.lead"].browse(read_id(self.env, lead_id)).exists()
        if not lead:
            raise UserError(self.env._("There is no such lead."))
        lead.check_access("read")
        self._work_out_prices()
        conditions = self._explain_entry(lead)
        journeys = self.env["nurture.participant"].search(
            [("sequence_id", "=", self.id), ("lead_id", "=", lead.id)], order="id"
        )
        return {
            "enters": all(condition["ok"] for condition in conditions),
            "conditions": conditions,
            "profile": self._explain_profiles(lead),
            "journeys": [journey._explain() for journey in journeys],
        }

    def _explain_entry(self, lead):
        """Each condition of entry, in words, and whether the lead meets it."""
        labels = self._get_condition_labels()
        conditions = [
            {"reason": "running", "label": labels["running"], "ok": self.state == "running"},
            {"reason": "automatic", "label": labels["automatic"], "ok": self.entry != "manual"},
        ]
        self.env.flush_all()
        exclusions = defaultdict(list)
        for reason, condition in self.env["crm.lead"].sudo()._nurture_exclusions(self):
            exclusions[reason].append(condition)
        row = self.env.execute_query(
            SQL(
                "SELECT %s FROM crm_lead lead WHERE lead.id = %s",
                SQL(", ").join(
                    SQL("NOT (%s)", SQL(" OR ").join(SQL("(%s)", one) for one in exclusion))
                    for exclusion in exclusions.values()
                ),
                lead.id,
            )
        )[0]
        conditions += [
            {"reason": reason, "label": labels[reason], "ok": ok}
            for reason, ok in zip(exclusions, row, strict=True)
        ]
        if self.entry_per == "address":
            ok = not self._has_rival(lead, exclusions)
            conditions.append({"reason": "duplicate", "label": labels["duplicate"], "ok": ok})
        conditions += self._explain_waiting(lead, labels)
        for condition in conditions:
            condition["parts"] = [] if condition["ok"] else self._explain_parts(condition, lead)
        return conditions

    def _explain_waiting(self, lead, labels):
        """The conditions behind :meth:`_sort_free`, in the same form as those of entry."""
        return []

    def _explain_parts(self, condition, lead):
        """What exactly of a filter excludes the lead."""
        if condition["reason"] == "unmatched":
            return self._explain_choice(lead)
        if condition["reason"] == "suppressed":
            return self._explain_suppressed(lead)
        if condition["reason"] in ("not_below", "under_margin"):
            return self._explain_price(lead)
        if condition["reason"] == "not_turn":
            return self._explain_turn(lead)
        return []

    def _explain_choice(self, lead):
        """The parts of the sequence's filter that do not hold for the lead; of one that meets it,
        what keeps it from each profile."""
        sequence = self.sudo()
        failing = lead._nurture_find_failing(
            sequence._get_filter(),
            [sequence.domain_author_id],
            self._get_companies(),
            self._get_viewer(),
        )
        parts = [
            {"domain": repr(part), "text": lead._nurture_describe_part(part)}
            for part, _leads in failing
        ]
        return parts or self._explain_no_profile(lead)

    def _explain_suppressed(self, lead):
        """The excluded presets that choose the lead, for who may see presets."""
        if not self.env["nurture.preset"].has_access("read"):
            return []
        leads = self.env["crm.lead"].sudo().with_context(active_test=False)
        presets = self._get_suppressing_presets()
        return [
            {"domain": preset.full_domain, "text": self.env._("In “%s”", preset.name)}
            for preset, domain in zip(presets, self._get_suppressed_domains(), strict=True)
            if leads.search_count(domain & Domain("id", "=", lead.id), limit=1)
        ]

    def _has_rival(self, lead, exclusions):
        """Whether another lead with the same address would enter instead: it may, and was lost
        later."""
        return bool(
            self.env.execute_query(
                SQL(
                    """
                    SELECT 1
                      FROM crm_lead lead
                      JOIN crm_lead this ON this.id = %s
                     WHERE lead.email_normalized = this.email_normalized
                       AND lead.id != this.id
                       AND (COALESCE(lead.date_closed, '-infinity'), lead.id)
                         > (COALESCE(this.date_closed, '-infinity'), this.id)
                       AND NOT (%s)
                     LIMIT 1
                    """,
                    lead.id,
                    SQL(" OR ").join(
                        SQL("(%s)", one) for exclusion in exclusions.values() for one in exclusion
                    ),
                )
            )
        )

    def _get_condition_labels(self):
        """What each condition of entry asks for, in words."""
        inside = self._get_reentry_labels()[self.reentry]
        if self._is_yearly():
            inside = self.env._("It is not in the sequence, nor did it enter this year")
        return {
            "running": self.env._("The sequence is running"),
            "automatic": self.env._("Leads enter automatically, not only by hand"),
            "not_lost": self.env._("The lead is lost"),
            "not_open": self.env._("The lead is open")
            if self.entry == "welcome"
            else self.env._("The lead is open or won"),
            "company": self.env._("It belongs to the company of the sequence, or to none"),
            "unmatched": self.env._("It matches the sequence's choice of leads"),
            "not_due": self.env._("Its date has come, and is not long past"),
            "not_possible": self.env._(
                "What was missing when it was lost has been marked as possible again since"
            ),
            "no_quotation": self.env._("A quotation was made for it, and not ordered"),
            "not_priced": self.env._(
                "What its quotation costs today has been worked out, and is more than nothing"
            ),
            "not_sold": self.env._("All products of its quotation are still sold"),
            "no_cost": self.env._("It is known what the products of its quotation cost you"),
            "not_below": self.env._(
                "Its quotation costs at least %s%% less today", self._say_percent(self.price_below)
            ),
            "under_margin": self.env._(
                "Its quotation keeps a margin of %s%% today", self._say_percent(self.margin_floor)
            ),
            "no_event": self._get_event_label(),
            "no_address": self.env._("It has an email address"),
            "complained": self.env._("Nobody with this address has called a mail spam"),
            "blacklisted": self.env._("The address is not blacklisted"),
            "opted_out": self.env._(
                "The recipient has not said to want no mails of this sequence, or on its topic"
            ),
            "forgotten": self.env._("Nobody with this address has asked to be forgotten"),
            "no_basis": self.env._("There is a lawful basis on which the company writes"),
            "inside": inside,
            "other_sequence": self.env._("The address is in no other running sequence"),
            "bounced": self.env._(
                "No mail to the address has bounced, or somebody there has engaged since"
            ),
            "left": self.env._("Its contact is not archived"),
            "role": self.env._("The address is a person's, not one of a role such as info@"),
            "customer": self.env._("The customer has not ordered since it was lost"),
            "open_deal": self.env._("No other opportunity with this customer is open"),
            "suppressed": self.env._("No excluded preset chooses it"),
            "silent": self.env._(
                "The address did not end a sequence in silence, or has engaged since"
            ),
            "not_turn": self.env._("The turn of the first profile that it fits has come"),
            "duplicate": self.env._(
                "No other lead with this address enters instead, being lost later"
            ),
        }

    def _get_reentry_labels(self):
        """What has to be for a lead to enter again, in words, by when it may."""
        return {
            "never": self.env._("It has not been in the sequence before"),
            "days": self.env._(
                "It is not in the sequence, nor was it in the last %s days", self.reentry_days
            ),
            "lost": self.env._(
                "It is not in the sequence, or has been lost again since it entered"
            ),
            "price": self.env._(
                "It is not in the sequence, and the price had risen since it was written to last, "
                "or it has refused another quotation since"
            ),
            "event": self.env._("It is not in the sequence now"),
        }

    # ------------------------------------------------------------
    # DRY RUN
    # ------------------------------------------------------------

    def action_dry_run(self):
        """Show who would enter now, who would not and why, and what would be sent when. Nothing is
        sent or written."""
        check_records(self, one=True)
        self.check_access("write")
        dry_run = self.env["nurture.dry.run"].sudo().create({"sequence_id": self.id})
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Dry Run of “%s”", self.name),
            "res_model": "nurture.dry.run",
            "res_id": dry_run.id,
            "view_mode": "form",
            "target": "new",
        }

    def _get_held_out(self, lead_ids):
        """Those of the leads who would be held out, as a set of ids."""
        participants = self.env["nurture.participant"]
        rows = self.env.execute_query(
            SQL(
                "SELECT lead.id FROM crm_lead lead CROSS JOIN LATERAL %s"
                " WHERE lead.id IN %s AND held_out",
                participants._sql_draw(self, participants._sql_dedup_key(self)),
                tuple(lead_ids) or (0,),
            )
        )
        return {lead_id for (lead_id,) in rows}

    def _split_holdout(self, lead_ids):
        """Those of the leads who would be written to, and those who would be held out."""
        held_out = self._get_held_out(lead_ids)
        return [id_ for id_ in lead_ids if id_ not in held_out], sorted(held_out)

    def _forecast(self, lead_ids, places=None, starts=None):
        """What would be sent when to leads that enter now and never react, under sending hours,
        frequency cap, and the limits of sequence, mail providers and mail servers.

        :param starts: ``{lead id: when it enters}`` of those that enter later
        :param places: ``{key: Slots}``: where mails of other leads have their place already; those
            of these leads are added
        :return: ``{(day, step id): number of messages}``; days are those of the company's clock
        """
        return self._by_local_day(self._get_sends(lead_ids, places, starts))

    def _get_sends(self, lead_ids, places=None, starts=None):
        """``{(moment, step id): number of messages}``, see :meth:`_forecast`."""
        self.ensure_one()
        number, days = self._get_cap()
        cap = Cap(number, days) if number else None
        schedule = self._get_sending_hours()
        trees = self._get_silent_trees(lead_ids)
        # who is silent gets it when its time comes, not by the clock
        last_chance = [
            replace(step, trigger_timed=True) for step in self._get_last_chance()._get_plan(())
        ]
        messages = {step.id for step in self.step_ids if step._is_message()}
        ends = set(self.step_ids.filtered(lambda step: step._ends_journey()).ids)
        now = fields.Datetime.now()
        paces = self._get_paces(lead_ids, places)
        sends = Counter()
        for lead_id, *recipient, contacts in self._get_recipients(lead_ids, days if number else 0):
            zone = recipient_zone(*recipient)
            walk = partial(
                forecast,
                schedule=schedule,
                zone=zone,
                share=partial(share_of, lead_id),
                cap=cap,
                pace=paces and partial(paces, lead_id, zone),
            )
            contacts = contacts or []
            sent = []
            entry = (starts or {}).get(lead_id, now)
            for one in walk(trees[lead_id], entry, contacts=contacts):
                if one.step_id in ends and one.outcome == "done":
                    break
                if one.step_id not in messages or one.outcome != "sent":
                    continue
                if self.silent_limit and len(sent) == self.silent_limit:
                    # instead of this one
                    contacts = contacts + [before.moment for before in sent]
                    sent += walk(last_chance, one.moment, contacts=contacts)
                    break
                sent.append(one)
            for one in sent:
                if one.outcome == "sent":
                    sends[one.moment, one.step_id] += 1
        return sends

    def _get_paces(self, lead_ids, places=None):
        """The limits that mails have to keep, as :meth:`_get_sends` wants them: a function of lead
        id, time zone, step id and moment; None where there are none."""
        places = {} if places is None else places
        pace = self.env["nurture.pace"].sudo()
        steps = self.step_ids.filtered(lambda step: step.step_type == "email")
        # a version, or another language, may leave by another mail server
        pacers = {
            mailing: pacer
            for mailing in steps._get_mailings()
            if (pacer := pace._make_pacer(self, mailing, places))
        }
        if not pacers:
            return None
        own = {step.id: step.mailing_id for step in steps}
        further = self._get_further_mailings(steps, lead_ids)
        leads = self.env["crm.lead"].sudo().browse(lead_ids)
        addresses = {lead.id: lead.email_normalized for lead in leads}
        codes = self.env["nurture.provider"].sudo()._get_codes(set(addresses.values()))
        schedule = self._get_sending_hours()

        def find_place(lead_id, zone, step_id, moment):
            mailing = further.get((lead_id, step_id)) or own.get(step_id)
            if not (pacer := pacers.get(mailing)):
                return moment
            place = schedule and partial(schedule.place, zone=zone)
            return pacer.forecast(codes.get(addresses[lead_id]), moment, place)

        return find_place

    @api.model
    def _get_further_mailings(self, steps, lead_ids):
        """Which mail these leads would get of ``steps`` where it is not the step's own: the version
        that they would be drawn for, or that in their language.

        :return: ``{(lead id, step id): mailing}``
        """
        further = {}
        if tested := steps.filtered("variant_ids"):
            mailings = {step.id: step._get_mail_by_letter() for step in tested}
            for lead_id, step_id, letter in self._draw_versions(tested, lead_ids):
                further[lead_id, step_id] = mailings[step_id].get(letter)
        leads = self.env["crm.lead"].sudo().browse(lead_ids)
        for line in steps.translation_ids:
            for lead in leads.filtered(lambda lead, line=line: lead.lang_id == line.lang_id):
                further[lead.id, line.step_id.id] = line.mailing_id
        return further

    def _draw_versions(self, steps, lead_ids):
        """For which version of these steps each lead would be drawn.

        :return: rows of lead id, step id and letter, None where there is none
        """
        traces, participants = self.env["nurture.trace"], self.env["nurture.participant"]
        traces._flush_versions()
        key = participants._sql_dedup_key(self)
        return self.env.execute_query(
            SQL(
                "SELECT lead.id, step.id, %s FROM crm_lead lead CROSS JOIN nurture_step step"
                " WHERE lead.id IN %s AND step.id IN %s",
                traces._sql_draw(SQL("(SELECT %s AS dedup_key, lead.id AS lead_id)", key)),
                tuple(lead_ids) or (0,),
                tuple(steps.ids),
            )
        )

    def _by_local_day(self, sends):
        """``{(moment, step id): number}`` as ``{(day, step id): number}``."""
        zone = timezone(self._get_company_zone() or "UTC")
        days = Counter()
        for (moment, step_id), number in sends.items():
            days[utc.localize(moment).astimezone(zone).date(), step_id] += number
        return days

    def _get_silent_trees(self, lead_ids):
        """The steps that each lead would go through without reacting, those left out whose filter
        it does not match.

        :return: ``{lead id: list of PlannedStep}``
        """
        leads = self.env["crm.lead"].sudo().browse(lead_ids)
        refusing = defaultdict(set)
        for step in self.step_ids:
            # somebody looks on
            matching = set(step.sudo(False)._get_matching(leads).ids)
            if len(matching) < len(leads):
                for lead_id in set(lead_ids) - matching:
                    refusing[lead_id].add(step.id)
        delays = self._get_version_delays(lead_ids)
        begun = self.step_ids.filtered(lambda step: step.trigger == "begin")
        keys = {
            lead_id: (frozenset(refusing.get(lead_id, ())), frozenset(delays.get(lead_id, ())))
            for lead_id in lead_ids
        }
        trees = {key: begun._get_plan(*key) for key in set(keys.values())}
        return {lead_id: trees[key] for lead_id, key in keys.items()}

    def _get_version_delays(self, lead_ids):
        """How long the leads would wait for the version that they would be drawn for, where that
        is not as long as for the step's own.

        :return: ``{lead id: {(step id, (amount, unit))}}``
        """
        versions = self.step_ids.variant_ids.filtered("has_delay")
        if not versions:
            return {}
        by_letter = {(version.step_id.id, version.letter): version for version in versions}
        delays = defaultdict(set)
        for lead_id, step_id, letter in self._draw_versions(versions.step_id, lead_ids):
            if version := by_letter.get((step_id, letter)):
                delays[lead_id].add((step_id, (version.delay, version.delay_unit)))
        return delays

    def _get_recipients(self, lead_ids, days):
        """Rows of lead id, time zone of the contact, country, time zone of the company, and the
        dates of the messages that the address got in the last ``days``, in order."""
        contacts = SQL("NULL")
        if days:
            contacts = SQL(
                "(SELECT array_agg(contact.date ORDER BY contact.date) FROM (%s) contact"
                " WHERE contact.date > %s)",
                SQL(" UNION ALL ").join(self.env["crm.lead"]._nurture_sql_contacts()),
                fields.Datetime.subtract(fields.Datetime.now(), days=days),
            )
        recipient, recipient_joins = self._sql_recipient()
        return self.env.execute_query(
            SQL(
                """
                SELECT lead.id, %(recipient)s, %(contacts)s
                  FROM crm_lead lead
                       %(recipient_joins)s
                 WHERE lead.id IN %(ids)s
                """,
                recipient=recipient,
                recipient_joins=recipient_joins,
                contacts=contacts,
                ids=tuple(lead_ids) or (0,),
            )
        )
