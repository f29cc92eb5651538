import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from ...tools.arguments import check_records, read_choice
from ...tools.transaction import attempt
from ...tools.versions import FIRST, LETTERS, get_split

_logger = logging.getLogger(__name__)

#: So often it is looked at whether a test is decided, at most. Looking more often would do no harm.
LOOK_PAUSE = timedelta(hours=1)
#: What the test itself writes.
SETTLED = (
    "ab_start_date",
    "ab_end_date",
    "ab_winner",
    "ab_reason",
    "ab_look_date",
    "ab_split",
)


class NurtureStep(models.Model):
    """A/B test of a step: some leads get its message in another version, until it is known which
    one does best, and from then on everybody gets that one.

    Which version a lead gets is drawn when the step is planned (``trace/variant.py``); what came of
    each, and what may be said of it, is in ``ab_statistics.py``."""

    _inherit = "nurture.step"

    variant_ids = fields.One2many(
        "nurture.variant",
        "step_id",
        string="Further Versions",
        copy=True,
        help="Other versions of the message: some leads get one of these instead of the step's "
        "own, which is version A.",
    )
    ab_share = fields.Integer(
        string="Share of Version A (%)",
        required=True,
        default=50,
        help="How many of 100 leads get the step's own message. Shares that do not add up to 100 "
        "are taken in proportion. At 0 nobody gets it.",
    )
    ab_criterion = fields.Selection(
        [
            ("clicked", "Click Rate"),
            ("click_to_open", "Click-to-Open Rate"),
            ("replied", "Reply Rate"),
            ("won_back", "Leads Won Back"),
            ("revenue", "Revenue per Recipient"),
        ],
        string="Winner Is",
        required=True,
        default="clicked",
        help="By what the versions are compared. Click rate, reply rate, leads won back and "
        "revenue are of those delivered, the click-to-open rate of those opened.",
    )
    ab_until_date = fields.Date(
        string="Until",
        help="If no version has won by this day, version A stays. Empty: it is compared until one "
        "has, or somebody chooses.",
    )
    ab_max_recipients = fields.Integer(
        string="At Most (Recipients)",
        help="If no version has won when so many leads have got the message and had a day to "
        "react, and some have got each version, version A stays. It is looked at once an hour, and "
        "does not stop the sending. 0: no matter how many.",
    )
    ab_start_date = fields.Datetime(
        string="Compared Since",
        readonly=True,
        copy=False,
        help="Who got the message before is not compared.",
    )
    ab_end_date = fields.Datetime(
        string="Decided On",
        readonly=True,
        copy=False,
        help="Who has got the message since is not compared: all get the same.",
    )
    ab_winner = fields.Selection(
        [(letter, letter) for letter in LETTERS],
        string="Winner",
        readonly=True,
        copy=False,
        help="The version that everybody gets who has not got one yet. Empty: it is not decided.",
    )
    ab_reason = fields.Selection(
        [
            ("better", "Did better"),
            ("no_difference", "No difference in time"),
            ("by_hand", "Chosen by hand"),
        ],
        string="Decided Because",
        readonly=True,
        copy=False,
    )
    ab_look_date = fields.Datetime(
        readonly=True, copy=False, help="When it was last looked at whether it is decided."
    )
    ab_split = fields.Json(
        compute="_compute_ab_split",
        store=True,
        exportable=False,
        help="Which version is drawn for whom, see tools/versions.py; empty without versions.",
    )

    @api.depends("ab_share", "ab_winner", "step_type", "variant_ids.letter", "variant_ids.share")
    def _compute_ab_split(self):
        for step in self:
            if not step.variant_ids or not step._is_message():
                step.ab_split = None
            elif step.ab_winner:
                step.ab_split = get_split({step.ab_winner: 1})
            else:
                step.ab_split = get_split(step._get_wanted_shares())

    @api.constrains("ab_share", "ab_max_recipients")
    def _check_ab_test(self):
        for step in self:
            if not 0 <= step.ab_share <= 100:
                raise ValidationError(
                    self.env._("Step “%s”: the share of version A is from 0 to 100 %%.", step.name)
                )
            if step.ab_max_recipients < 0:
                raise ValidationError(
                    self.env._("Step “%s”: an A/B test has no negative recipients.", step.name)
                )

    @api.model
    def _check_settled(self, vals):
        """Nobody writes by hand what the test does.

        :raise AccessError: when ``vals`` do
        """
        if not self.env.su and any(name in vals for name in SETTLED):
            raise AccessError(
                self.env._(
                    "How an A/B test stands is not written by hand. Choose a version, or start it "
                    "again."
                )
            )

    def _get_wanted_shares(self):
        """How many are to get each version.

        :return: ``{letter: number}``
        """
        self.ensure_one()
        return {FIRST: self.ab_share} | {
            variant.letter: variant.share for variant in self.variant_ids
        }

    def _get_mail_by_letter(self):
        """The mail of each version, the step's own first.

        :return: ``{letter: mailing.mailing}``
        """
        self.ensure_one()
        return {FIRST: self.mailing_id} | {
            variant.letter: variant.mailing_id for variant in self.variant_ids
        }

    def _get_delay_of(self, letter):
        """How long after its trigger the step is due for who gets a version.

        :param letter: of the version; its own delay where that is empty, or has none
        :return: number and unit
        """
        self.ensure_one()
        variant = letter and self.variant_ids.filtered(
            lambda variant: variant.has_delay and variant.letter == letter
        )
        return [(variant or self).delay, (variant or self).delay_unit]

    # ------------------------------------------------------------
    # ACTIONS
    # ------------------------------------------------------------

    def action_add_variant(self):
        """Add a version that says the same as version A, to be edited; all get the same share, and
        are compared from now on.

        :return: id of the ``nurture.variant``
        :raise UserError: when the step has no message, or as many versions as there can be
        """
        check_records(self, one=True)
        self.check_access("write")
        if not self._is_message() or not self.mailing_id:
            raise UserError(
                self.env._("“%s” has no message yet: write version A first.", self.name)
            )
        # the same text, which may be copied by people who may not write such placeholders
        mailing = self.mailing_id.sudo().copy({"user_id": self.env.uid})
        variant = self.env["nurture.variant"].create({"step_id": self.id, "mailing_id": mailing.id})
        return variant.id

    def button_add_variant(self):
        """:meth:`action_add_variant`, for people, who stay where they are."""
        self.action_add_variant()
        return True

    def action_choose_variant(self, variant):
        """Decide the A/B test: everybody who has not got the message yet gets this version, and so
        does whoever gets there later.

        :param variant: its letter
        :raise UserError: when the step has no such version
        """
        check_records(self, one=True)
        self.check_access("write")
        self._check_has_versions()
        read_choice(self.env, variant, list(self._get_mail_by_letter()))
        self._decide_ab_test(variant, "by_hand")
        return True

    def _check_has_versions(self):
        """:raise UserError: when the step has one version only"""
        if not self.variant_ids:
            raise UserError(self.env._("“%s” has one version only.", self.name))

    def button_choose_first(self):
        """Let version A win."""
        return self.action_choose_variant(FIRST)

    def action_restart_ab_test(self):
        """Compare the versions anew, from now on: whoever got one before does not count any more.

        :raise UserError: when the step has one version only
        """
        check_records(self, one=True)
        self.check_access("write")
        self._check_has_versions()
        self._start_ab_test()
        return True

    # ------------------------------------------------------------
    # BUSINESS
    # ------------------------------------------------------------

    def _share_evenly(self):
        for step in self:
            share = 100 // (1 + len(step.variant_ids))
            step.variant_ids.share = share
            step.ab_share = share

    def _start_ab_test(self):
        """Compare the versions from now on. Whoever is at the step and has not got its message yet
        is drawn anew."""
        tested = self.filtered("variant_ids")
        nothing = dict.fromkeys(SETTLED[:-1], False)
        # what people may not write by hand
        tested.sudo().write({**nothing, "ab_start_date": fields.Datetime.now()})
        (self - tested).sudo().write(nothing)
        if self:
            self.env["nurture.trace"].sudo()._draw_for(self, "ab_started")

    def _decide_ab_test(self, letter, reason):
        """Have everybody get this version who has not got one yet.

        :param reason: a value of ``ab_reason``
        """
        self.ensure_one()
        self.sudo().write(
            {
                # who got a version after the first decision did not get it by chance
                "ab_end_date": self.ab_end_date or fields.Datetime.now(),
                "ab_winner": letter,
                "ab_reason": reason,
            }
        )
        self.env["nurture.trace"].sudo()._draw_for(self, "ab_decided")
        self._post_decision()

    def _post_decision(self):
        """Say in the chatter of the sequence what was decided; the responsible is notified, unless
        somebody chose."""
        sequence = self.sudo().sequence_id
        body = self.env._(
            "A/B test of “%(step)s”: %(verdict)s", step=self.name, verdict=self._say_decision()
        )
        if self.ab_reason == "by_hand":
            sequence._message_log(body=body)
            return
        sequence.message_post(
            body=body,
            author_id=self.env.ref("base.partner_root").id,
            partner_ids=sequence.user_id.filtered("active").partner_id.ids,
        )

    @api.model
    def _settle_ab_tests(self, sequences):
        """Decide the A/B tests of running ``sequences`` in which a version has won, or for which
        the time is up. Commits."""
        now = fields.Datetime.now()
        steps = self.search(
            [
                ("sequence_id", "in", sequences.ids),
                ("variant_ids", "!=", False),
                ("ab_winner", "=", False),
                *("|", ("ab_look_date", "=", False), ("ab_look_date", "<=", now - LOOK_PAUSE)),
            ]
        )
        if not steps:
            return
        try:
            for step, judged in steps._count_judged().items():
                step._try_to_settle(judged)
            steps.write({"ab_look_date": now})
            self.env["ir.cron"]._commit_progress()
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            # somebody edits one of them just now: the next run looks at them again
            self.env.cr.rollback()

    def _try_to_settle(self, judged):
        """:meth:`_settle_ab_test`, where a test that cannot be decided does not stand in the way of
        what is due."""

        def on_error(_error):
            _logger.exception("The A/B test of %s could not be decided", self)

        with attempt(self.env, on_error):
            self._settle_ab_test(judged)

    def _settle_ab_test(self, judged):
        """Decide the test if it can be.

        :param judged: see :meth:`_count_judged`
        """
        verdict = self._judge_versions(judged)
        if verdict.winner:
            self._decide_ab_test(verdict.winner, "better")
        elif self._is_ab_test_over(judged):
            self._decide_ab_test(FIRST, "no_difference")

    def _is_ab_test_over(self, judged):
        """Whether the time, or the number of recipients, is up that a version was given to win."""
        sent = [
            judged[letter]["sent"] for letter, share in self._get_wanted_shares().items() if share
        ]
        # a batch is of one version: the first ones may all be
        number = sum(sent) if all(sent) else 0
        today = fields.Date.context_today(self, fields.Datetime.now())
        return bool(
            (self.ab_max_recipients and number >= self.ab_max_recipients)
            or (self.ab_until_date and today >= self.ab_until_date)
        )
