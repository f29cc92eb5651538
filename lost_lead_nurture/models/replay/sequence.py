from dateutil.relativedelta import relativedelta

from odoo import fields, models
from odoo.exceptions import UserError

from ...tools.arguments import check_records, read_choice, read_number

#: The longest time that is replayed.
MAX_MONTHS = 24


class NurtureSequence(models.Model):
    """What would have come of a sequence, if it had been running."""

    _inherit = "nurture.sequence"

    def action_replay(self):
        """Ask which months are replayed, and what is assumed of who reacts."""
        check_records(self, one=True)
        self.check_access("write")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Replay “%s”", self.name),
            "res_model": "nurture.replay.choose",
            "view_mode": "form",
            "target": "new",
            "context": {"default_sequence_id": self.id},
        }

    def replay(self, months=MAX_MONTHS, assumption="rates", since_start=False):
        """Play the sequence over the last months of real leads, as if it had been started then:
        nothing is sent, and nothing is written but the result, which is kept for some hours.

        :param months: how many, from 1 to 24
        :param assumption: what is assumed of mails that were never sent: ``rates`` (as many people
            react as to the mails so far), ``nobody`` (reacts) or ``everybody`` (opens)
        :param since_start: begin when the sequence was really started, instead
        :return: ``{"id": id of the ``nurture.replay``, "state": "done", or "playing" where it takes
            longer: then call its ``action_go_on`` until it is done, and ``get_result``,
            "progress": percent, "since_date", "until_date", "entered_count", "backlog_count",
            "held_out_count", "mail_count", "sms_count", "unsent_count", "collision_count",
            "busiest_date", "busiest_count", "lost_count", "back_count", "won_count", "notes": what
            it cannot know, in words, "periods": list of months and weeks}``; the leads are in
            ``nurture.replay.entry``
        :raise UserError: when the sequence is a template, or has no steps
        :raise AccessError: for who may not change the sequence
        """
        check_records(self, one=True)
        months = read_number(self.env, months, 1, MAX_MONTHS)
        model = self.env["nurture.replay"]
        choices = [value for value, _label in model._fields["assumption"].selection]
        assumption = read_choice(self.env, assumption, choices)
        return self._replay(months, assumption, bool(since_start))._get_result()

    def _replay(self, months, assumption, since_start=False):
        """Begin a replay, and go as far as somebody waits for it.

        :return: the ``nurture.replay``
        """
        self.ensure_one()
        self.check_access("write")
        problems = self.sudo()._get_own_problems()
        if self.is_template or problems:
            raise UserError(
                "\n".join(problems) or self.env._("It is a template. Make a sequence from it.")
            )
        until = fields.Datetime.now()
        since = until - relativedelta(months=months)
        if since_start and self.start_date:
            since = self.start_date
        replays = self.env["nurture.replay"].sudo()
        replay = replays.create(
            {
                "sequence_id": self.id,
                "currency_id": self.currency_id.id,
                "set_up": self._get_set_up_checksum(),
                "since_date": since,
                "until_date": until,
                "assumption": assumption,
                "assumed": replays._get_assumed(assumption, self._get_companies()),
            }
        )
        replay._go_on()
        return replay.sudo(False)

    def _get_set_up_checksum(self):
        """A checksum of how the sequence is set up: of all that a copy of it would have."""
        sequence = self.sudo()
        steps = sequence.step_ids
        lines = sequence._get_lines()
        presets = lines.preset_id | sequence.excluded_preset_ids
        set_up = presets.mapped("full_domain")
        for records in (sequence, steps, steps.variant_ids, lines):
            names = [
                name
                for name, field in records._fields.items()
                if field.store
                and field.copy
                and field.type != "one2many"
                and name not in models.LOG_ACCESS_COLUMNS
            ]
            set_up += records.read(names, load=None)
        return self._get_checksum(set_up)

    def _waits_in_past(self):
        """In a replay: whether those whom nothing excludes may have to wait all the same, so that
        :meth:`_has_past_changed` says when they are looked at."""
        return False

    def _has_past_changed(self, _since):
        """In a replay: whether those who may enter today have to be looked at, as something has
        changed since that no condition tells. Other add-ons know of what."""
        return False
