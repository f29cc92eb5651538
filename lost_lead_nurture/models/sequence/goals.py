from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ...tools.links import is_about
from ..step.step import MAX_DELAY

#: The most mails in a row without engagement that can be asked for.
MAX_SILENT = 1000


class NurtureSequence(models.Model):
    """Goals and exit conditions: what ends a lead's journey, and what then becomes of the lead."""

    _inherit = "nurture.sequence"

    # who leaves
    exit_on_replied = fields.Boolean(
        string="Leave on Reply",
        default=True,
        help="A step with the trigger Replied is still done. Off: a reply is an event like others.",
    )
    exit_on_restored = fields.Boolean(string="Leave when Restored", default=True)
    exit_on_won = fields.Boolean(string="Leave when Won", default=True)
    exit_on_quotation = fields.Boolean(
        string="Leave on Quotation", default=True, help="Made for the opportunity or its customer."
    )
    exit_on_order = fields.Boolean(
        string="Leave on Order", default=True, help="Confirmed, of the opportunity or its customer."
    )
    exit_on_meeting = fields.Boolean(
        string="Leave on Meeting",
        default=True,
        help="About the opportunity, or with its contact or address.",
    )
    exit_on_open_deal = fields.Boolean(
        string="Leave on Another Open Deal",
        default=True,
        help="Somebody works on another lead or opportunity with the same address, or with the "
        "same customer or one of its colleagues. Looked at before each step.",
    )
    exit_on_blacklisted = fields.Boolean(
        string="Leave when Blacklisted",
        default=True,
        help="Off: the lead stays for steps that are no mails. Mails are never sent to blacklisted "
        "addresses.",
    )
    exit_on_bounced = fields.Boolean(
        string="Leave on Bounce",
        default=True,
        help="A step with the trigger Bounced is still done.",
    )
    exit_on_unmatched = fields.Boolean(
        string="Leave when Not Matching",
        help="Who does not match the sequence's choice of leads any more, when a step is due.",
    )
    goal_link = fields.Char(
        string="Clicked Link",
        help="A click on this link in one of the mails is a goal, too. * stands for anything, as "
        "in https://shop.example.com/checkout*.",
    )
    silent_limit = fields.Integer(
        string="Silent Mails",
        help="Who has not opened so many mails in a row gets no more of them. 0: no limit.\n"
        "A step with the trigger “Too many mails without engagement” is the last-chance mail: it "
        "is sent first, and who opens it stays.",
    )
    silent_days = fields.Integer(
        string="Days to Open the Last-Chance Mail",
        default=15,
        help="Who has not opened the last-chance mail after so many days leaves in silence, and "
        "enters no sequence again before opening a mail.",
    )

    # what becomes of the lead
    goal_restore = fields.Boolean(
        string="Restore the Lead", default=True, help="Put it back into the pipeline."
    )
    goal_stage_id = fields.Many2one(
        "crm.stage",
        string="Into Stage",
        domain="[('is_won', '=', False)]",
        ondelete="restrict",
        help="Empty: the stage in which it was lost.",
    )
    goal_assign = fields.Selection(
        [
            ("keep", "Its salesperson"),
            ("user", "Somebody else"),
            ("team", "The team in turn"),
        ],
        string="Handed To",
        required=True,
        default="keep",
        help="Its salesperson: if gone, the leader of the sales team.\n"
        "The team in turn: the member who has waited longest for a lead that was won back.",
    )
    goal_user_id = fields.Many2one(
        "res.users", string="Salesperson", domain="[('share', '=', False)]", ondelete="restrict"
    )
    goal_team_id = fields.Many2one(
        "crm.team", string="Sales Team", ondelete="restrict", help="Empty: the lead's own."
    )
    goal_activity_type_id = fields.Many2one(
        "mail.activity.type",
        string="Activity",
        domain="[('res_model', 'in', [False, 'crm.lead'])]",
        ondelete="restrict",
        default=lambda self: self.env.ref("mail.mail_activity_data_call", raise_if_not_found=False),
        help="What whoever takes over has to do. Empty: nothing.",
    )
    goal_activity_summary = fields.Char(string="Summary")
    goal_tag_ids = fields.Many2many(
        "crm.tag", "nurture_sequence_goal_tag_rel", string="Add Tags", ondelete="restrict"
    )

    @api.constrains("silent_limit", "silent_days")
    def _check_silence(self):
        for sequence in self:
            if (
                not 0 <= sequence.silent_limit <= MAX_SILENT
                or not 1 <= sequence.silent_days <= MAX_DELAY["days"]
            ):
                raise ValidationError(
                    self.env._(
                        "“%(sequence)s”: the limit of silent mails is from 0 to %(most)s, and a "
                        "last-chance mail has from one day to ten years to be opened.",
                        sequence=sequence.name,
                        most=MAX_SILENT,
                    )
                )

    @api.constrains("goal_assign", "goal_user_id", "silent_limit")
    def _check_goals_runnable(self):
        self._check_runnable()

    def _get_goal_problems(self):
        problems = []
        if self.goal_assign == "user" and not self.goal_user_id:
            problems.append(
                self.env._("It does not say whom leads that are won back are handed to.")
            )
        last_chance = self._get_last_chance()
        if not all(step._is_message() for step in last_chance):
            problems.append(self.env._("Its last-chance mail is no message."))
        if last_chance and not self.silent_limit:
            problems.append(
                self.env._(
                    "It has a last-chance mail, but no limit of silent mails after which it is "
                    "sent."
                )
            )
        return problems

    def _is_goal_link(self, url):
        """Whether a click on ``url`` is a goal."""
        self.ensure_one()
        return is_about(self.goal_link, url)

    def _get_last_chance(self):
        """The steps that are sent to those who are silent for too long."""
        return self.step_ids.filtered(lambda step: step.trigger == "silent")
