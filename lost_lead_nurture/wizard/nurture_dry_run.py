from odoo import api, fields, models
from odoo.fields import Command
from odoo.tools import SQL

from ..tools.arguments import check_records
from ..tools.pace import Places
from ..tools.reasons import EXCLUSION_REASONS

#: For how many leads it is reckoned at a time what they would be sent: about a second.
SLICE = 20_000
#: What comes of a customer whom nothing excludes.
ENTERS = "enters"


class NurtureDryRun(models.TransientModel):
    """Who would enter a sequence now, who would not and why, and what would be sent when."""

    _name = "nurture.dry.run"
    _inherit = ["nurture.choice.mixin"]
    _description = "Nurture Dry Run"

    sequence_id = fields.Many2one("nurture.sequence", required=True, ondelete="cascade")
    entry = fields.Selection(related="sequence_id.entry", related_sudo=False)
    entering_count = fields.Integer(string="Enter", readonly=True)
    held_out_count = fields.Integer(string="Held Out", readonly=True)
    inside_count = fields.Integer(string="Already Inside", readonly=True)
    excluded_count = fields.Integer(string="Excluded", readonly=True)
    customer_count = fields.Integer(
        string="Silent Customers", readonly=True, help="Those who become leads first."
    )
    customer_entering_count = fields.Integer(readonly=True, help="How many of them would enter.")
    message_count = fields.Integer(string="Messages", readonly=True)
    profile_ids = fields.One2many("nurture.dry.run.profile", "dry_run_id", readonly=True)
    line_ids = fields.One2many("nurture.dry.run.line", "dry_run_id", readonly=True)
    send_ids = fields.One2many("nurture.dry.run.send", "dry_run_id", readonly=True)
    # how far it is
    state = fields.Selection(
        [("counting", "Counting"), ("reckoning", "Reckoning"), ("done", "Done")],
        required=True,
        default="counting",
        readonly=True,
    )
    coming_lead_ids = fields.Json(
        readonly=True, help="Ids of the leads for which it is to be reckoned what they are sent."
    )
    coming_count = fields.Integer(readonly=True, help="How many of them there are.")
    starts = fields.Json(
        readonly=True,
        help="When they enter, by the ids of those that wait for the turn of their profile.",
    )
    places = fields.Json(
        readonly=True,
        help="Where the mails of those for whom it is known have their place under the limits.",
    )
    reckoned_count = fields.Integer(readonly=True, help="For how many of them it is known.")

    @api.model_create_multi
    def create(self, vals_list):
        dry_runs = super().create(vals_list)
        for dry_run in dry_runs:
            if not dry_run._has_many_leads():
                while dry_run.state != "done":
                    dry_run.action_go_on()
        return dry_runs

    def _has_many_leads(self):
        """Whether it takes so long that it is done bit by bit."""
        return self._get_sequence()._has_many_leads()

    def action_go_on(self):
        """Do the next bit: first count who would enter, then reckon for some leads at a time what
        they would be sent. With few leads all is done when the dry run is made; else whoever shows
        it calls this until the state is ``done``."""
        check_records(self, one=True)
        self.sequence_id.check_access("write")
        # whose it is may read it only: it is reckoned with all rights for whom it names
        dry_run = self.sudo()
        if dry_run.state == "counting":
            dry_run._count()
        elif dry_run.state == "reckoning":
            dry_run._reckon()
        is_done = dry_run.reckoned_count == dry_run.coming_count
        dry_run.state = "done" if is_done else "reckoning"
        return True

    def _count(self):
        """Count who would enter and who would not."""
        groups = self._group_by_exclusion()
        sequence = self._get_sequence()
        waves = sequence._get_waves(groups)
        starts = sequence._get_starts(waves)
        coming, held_out = sequence._split_holdout(groups.pop(None, []))
        # those of a profile whose turn has not come are written to when it has
        later, _held_out = sequence._split_holdout(sorted(starts))
        inside = groups.pop("inside", [])
        customers = sequence._group_silent()
        self._keep_customers(customers)
        self.write(
            {
                "customer_count": sum(map(len, customers.values())),
                "customer_entering_count": len(customers.get(None, [])),
                "entering_count": len(coming),
                "held_out_count": len(held_out),
                "inside_count": len(inside),
                "excluded_count": sum(map(len, groups.values())),
                "coming_lead_ids": coming + later,
                "coming_count": len(coming) + len(later),
                "starts": {
                    str(lead_id): fields.Datetime.to_string(starts[lead_id]) for lead_id in later
                },
                "profile_ids": [
                    Command.create(
                        {"preset_id": profile.preset_id.id, "date": date, "lead_count": len(ids)}
                    )
                    for profile, date, ids in waves
                ],
                "line_ids": [
                    Command.create({"reason": reason, "lead_count": len(ids)})
                    for reason, ids in groups.items()
                ],
            }
        )

    def _keep_customers(self, groups):
        """Keep what would come of each customer, by name.

        :param groups: see :meth:`nurture.sequence._group_silent`
        """
        self.flush_recordset()
        for reason, ids in groups.items():
            self.env.execute_query(
                SQL(
                    "INSERT INTO nurture_dry_run_customer (dry_run_id, partner_id, outcome,"
                    " create_uid, create_date, write_uid, write_date)"
                    " SELECT %(dry_run)s, unnest(%(ids)s::int[]), %(outcome)s, %(uid)s, %(now)s,"
                    " %(uid)s, %(now)s RETURNING id",
                    dry_run=self.id,
                    ids=ids,
                    outcome=reason or ENTERS,
                    uid=self.env.uid,
                    now=fields.Datetime.now(),
                )
            )

    def _reckon(self):
        """Add what the next leads would be sent."""
        end = self.reckoned_count + SLICE
        lead_ids = self.coming_lead_ids[self.reckoned_count : end]
        places = Places(self.places)
        starts = {
            int(lead_id): fields.Datetime.to_datetime(date)
            for lead_id, date in (self.starts or {}).items()
        }
        sends = self.sequence_id.sudo()._forecast(lead_ids, places, starts)
        known = {(send.date, send.step_id.id): send for send in self.send_ids}
        for (day, step_id), count in sends.items():
            if send := known.get((day, step_id)):
                send.message_count += count
        self.write(
            {
                "reckoned_count": self.reckoned_count + len(lead_ids),
                "places": places.dump(),
                "message_count": self.message_count + sum(sends.values()),
                "send_ids": [
                    Command.create({"date": day, "step_id": step_id, "message_count": count})
                    for (day, step_id), count in sorted(sends.items())
                    if (day, step_id) not in known
                ],
            }
        )

    def action_view_entering(self):
        """Open the leads that would enter."""
        self.ensure_one()
        return self.sequence_id._open_entering(self._group_by_exclusion().get(None, []))

    def action_view_held_out(self):
        """Open the leads that would be held out for comparison."""
        self.ensure_one()
        return self.sequence_id._open_held_out(self._group_by_exclusion().get(None, []))

    def action_view_inside(self):
        """Open the leads that are or were inside, and would not enter again."""
        self.ensure_one()
        return self.sequence_id._open_excluded(self._group_by_exclusion(), "inside")

    def action_view_excluded(self):
        """Open all leads that are excluded, whatever the reason."""
        self.ensure_one()
        groups = self._group_by_exclusion()
        groups.pop(None, None)
        return self.sequence_id._open_excluded(groups)

    def action_view_customers(self):
        """Open the customers who become leads first, each with what would come of it."""
        self.ensure_one()
        # whose rights have changed since sees nobody
        self._get_sequence()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Silent Customers: %s", self.sequence_id.name),
            "res_model": "nurture.dry.run.customer",
            "view_mode": "list,kanban",
            "domain": [("dry_run_id", "=", self.id)],
            "context": {"create": False, "edit": False},
        }

    def action_view_sends(self):
        """Open what would be sent, as a calendar."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Expected Messages: %s", self.sequence_id.name),
            "res_model": "nurture.dry.run.send",
            "view_mode": "calendar,graph,list",
            "domain": [("dry_run_id", "=", self.id)],
            "context": {"create": False, "edit": False},
        }

    def _group_by_exclusion(self):
        return self._get_sequence()._group_by_exclusion()

    def _get_sequence(self):
        """The sequence, for who may run it: with the user's rights, as the user looks on."""
        sequence = self.sequence_id.sudo(False)
        sequence.check_access("write")
        return sequence


class NurtureDryRunLine(models.TransientModel):
    """Leads that would be excluded for one reason."""

    _name = "nurture.dry.run.line"
    _description = "Nurture Dry Run: Leads Excluded"

    dry_run_id = fields.Many2one("nurture.dry.run", required=True, ondelete="cascade")
    reason = fields.Selection(EXCLUSION_REASONS, required=True)
    lead_count = fields.Integer(string="Leads")

    def action_view_leads(self):
        """Open the leads that are excluded for this reason."""
        self.ensure_one()
        dry_run = self.dry_run_id
        return dry_run.sequence_id._open_excluded(dry_run._group_by_exclusion(), self.reason)


class NurtureDryRunProfile(models.TransientModel):
    """How many leads one profile would let in, and when."""

    _name = "nurture.dry.run.profile"
    _description = "Nurture Dry Run: Profile"

    dry_run_id = fields.Many2one("nurture.dry.run", required=True, ondelete="cascade")
    preset_id = fields.Many2one("nurture.preset", string="Profile", ondelete="cascade")
    date = fields.Datetime(string="From", help="From when on its leads enter.")
    lead_count = fields.Integer(
        string="Leads", help="That enter then, held-out ones included, if nothing else happens."
    )

    def action_view_leads(self):
        """Open the leads that this profile would let in."""
        self.ensure_one()
        dry_run = self.dry_run_id
        sequence = dry_run._get_sequence()
        profile = sequence._get_profiles().filtered(lambda one: one.preset_id == self.preset_id)
        return sequence._open_wave(dry_run._group_by_exclusion(), profile)


class NurtureDryRunCustomer(models.TransientModel):
    """A silent customer who is no lead yet, and what would come of it."""

    _name = "nurture.dry.run.customer"
    _description = "Nurture Dry Run: Silent Customers"
    _order = "outcome, partner_id, id"
    _rec_name = "partner_id"

    dry_run_id = fields.Many2one(
        "nurture.dry.run", required=True, index=True, readonly=True, ondelete="cascade"
    )
    partner_id = fields.Many2one(
        "res.partner", string="Customer", required=True, readonly=True, ondelete="cascade"
    )
    email = fields.Char(related="partner_id.email")
    outcome = fields.Selection(
        "_get_outcomes", string="What Comes of It", required=True, readonly=True
    )

    @api.model
    def _get_outcomes(self):
        """It enters, or the reason for which it does not, those of other add-ons included."""
        reasons = self.env["nurture.dry.run.line"]._fields["reason"]
        enters = (ENTERS, self.env._("Becomes a lead and enters"))
        return [enters, *reasons._description_selection(self.env)]

    def action_explain(self):
        """Open Why? for the customer."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Why?"),
            "res_model": "nurture.explain",
            "view_mode": "form",
            "target": "new",
            "context": {
                "default_sequence_id": self.dry_run_id.sequence_id.id,
                "default_partner_id": self.partner_id.id,
            },
        }


class NurtureDryRunSend(models.TransientModel):
    """Messages of one step that would be sent on one day."""

    _name = "nurture.dry.run.send"
    _description = "Nurture Dry Run: Expected Messages"
    _order = "date, id"

    dry_run_id = fields.Many2one("nurture.dry.run", required=True, ondelete="cascade")
    date = fields.Date(string="Day")
    step_id = fields.Many2one("nurture.step", ondelete="cascade")
    message_count = fields.Integer(string="Messages", aggregator="sum")

    @api.depends("step_id", "message_count")
    def _compute_display_name(self):
        for send in self:
            send.display_name = f"{send.message_count} × {send.step_id.name}"
