from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ...tools.arguments import check_records


class MailingMailing(models.Model):
    """A mail that was written for a step is sent by its sequence and by nobody else: from its first
    moment, before the step is saved, and after it is gone."""

    _inherit = "mailing.mailing"

    nurture_only = fields.Boolean(
        string="For a Sequence",
        readonly=True,
        copy=False,
        help="Written for a step of a sequence: it cannot be sent or scheduled on its own.",
    )
    nurture_is_free = fields.Boolean(
        string="Free for a Step",
        compute="_compute_nurture_is_free",
        compute_sudo=True,
        search="_search_nurture_is_free",
        help="Written for leads, not sent yet and not the mail of a step.",
    )

    def _compute_nurture_is_free(self):
        free = self.search(Domain("id", "in", self.ids) & self._nurture_free_domain())
        for mailing in self:
            mailing.nurture_is_free = mailing in free

    def _search_nurture_is_free(self, operator, value):
        if operator != "in":
            return NotImplemented
        domain = self._nurture_free_domain()
        return domain if True in value else ~domain

    @api.model
    def _nurture_free_domain(self):
        domain = Domain(
            [
                ("mailing_model_id", "=", self.env["ir.model"]._get_id("crm.lead")),
                ("state", "=", "draft"),
                ("ab_testing_enabled", "=", False),
                ("active", "=", True),
            ]
        )
        for model in ("nurture.step", "nurture.step.translation", "nurture.variant"):
            # the steps that a mail belongs to may be archived, or another company's
            steps = self.env[model].sudo().with_context(active_test=False)
            used = steps._search([("mailing_id", "!=", False)]).subselect("mailing_id")
            domain &= Domain("id", "not in", used)
        return domain

    # ------------------------------------------------------------
    # MARK
    # ------------------------------------------------------------

    def _nurture_mark(self):
        """Make these the mails of steps. An A/B test would send what it finds best
        automatically."""
        # whoever makes the step may use the mail in it; nobody writes the mark by hand
        new = self.sudo().filtered(lambda mailing: not mailing.nurture_only)
        if new:
            new.write({"nurture_only": True, "ab_testing_enabled": False})
            new.nurture_sequence_id._spread_sender(new)
            running = new.nurture_sequence_id.filtered(lambda one: one.state == "running")
            running._spread_campaign()

    def _nurture_guarded(self):
        """Those that only a sequence sends."""
        return self.filtered(lambda mailing: mailing.nurture_only or mailing.nurture_sequence_id)

    def _nurture_check_mark(self, vals):
        """Nobody writes by hand that a mail is for a sequence, or is not."""
        if "nurture_only" in vals and not self.env.su:
            raise UserError(
                self.env._(
                    "Whether a mail is for a sequence is not written by hand. Choose it in a step, "
                    "or release it."
                )
            )

    def copy_data(self, default=None):
        """What a person duplicates is a mailing of its own, and begins with lost leads as its
        recipients; the copy of a step marks the copy of its mail."""
        vals_list = super().copy_data(default)
        guarded = self._nurture_guarded()
        for mailing, vals in zip(self, vals_list, strict=True):
            # said, or the dialog in which it is duplicated would say otherwise
            vals["nurture_only"] = False
            if mailing in guarded and "mailing_domain" not in (default or {}):
                vals.update(self._nurture_prepare_free())
        return vals_list

    def _nurture_prepare_free(self):
        """Whom a mail that was a step's is for, until somebody says otherwise."""
        lost = self.env["crm.lead"]._nurture_lost_domain()
        return {"mailing_filter_id": False, "mailing_domain": repr(lost)}

    def action_nurture_release(self):
        """Make these mails, which belong to no step any more, mailings of their own.

        :raise UserError: when one of them is the mail of a step
        """
        check_records(self)
        self.check_access("write")
        for mailing in self:
            if steps := mailing.sudo()._nurture_get_steps():
                raise UserError(
                    self.env._(
                        "“%(mailing)s” is the mail of the step “%(step)s”. Duplicate it to send it "
                        "on its own.",
                        mailing=mailing.display_name,
                        step=steps[0].name,
                    )
                )
        # the mark alone is not the user's to write
        self.sudo().write({"nurture_only": False, **self._nurture_prepare_free()})
        return True

    @api.ondelete(at_uninstall=False)
    def _unlink_except_nurture_awaited(self):
        """Where leads enter by what they do in some mails, none that is named goes: without any
        they would enter by whatever mail."""
        sequences = self.env["nurture.sequence"].sudo().with_context(active_test=False)
        sequence = sequences.search([("entry_mailing_ids", "in", self.ids)], limit=1)
        if sequence:
            mailing = self & sequence.entry_mailing_ids
            raise UserError(
                self.env._(
                    "“%(mailing)s” cannot be deleted: leads enter the sequence “%(sequence)s” by "
                    "what they do in it.",
                    mailing=mailing[0].display_name,
                    sequence=sequence.name,
                )
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_nurture_step(self):
        for mailing in self:
            # archived steps and those of other companies, too
            steps = mailing.sudo()._nurture_get_steps()
            if steps:
                raise UserError(
                    self.env._(
                        "“%(mailing)s” cannot be deleted: it is the mail of the step “%(step)s” of "
                        "the sequence “%(sequence)s”.",
                        mailing=mailing.display_name,
                        step=steps[0].name,
                        sequence=steps[0].sequence_id.name,
                    )
                )

    # ------------------------------------------------------------
    # SENDING: the sequence decides who gets the mail of a step
    # ------------------------------------------------------------

    @api.constrains("state", "ab_testing_enabled", "nurture_only")
    def _check_nurture_guarded(self):
        self.filtered(
            lambda mailing: mailing.state in ("in_queue", "sending") or mailing.ab_testing_enabled
        )._check_not_nurture()

    def _check_not_nurture(self):
        """
        :raise UserError: when one of these is sent by a sequence only
        """
        for mailing in self._nurture_guarded():
            if not mailing.nurture_sequence_id:
                raise UserError(
                    self.env._(
                        "“%s” was written for a sequence and belongs to no step: nobody gets it. "
                        "Choose it in a step, or release it as a mailing of its own.",
                        mailing.display_name,
                    )
                )
            raise UserError(
                self.env._(
                    "“%(mailing)s” is a step of the sequence “%(sequence)s”, which sends it to "
                    "each lead in its time. Duplicate the mail to send it on its own.",
                    mailing=mailing.display_name,
                    sequence=mailing.sudo().nurture_sequence_id.name,
                )
            )

    def action_launch(self):
        self._check_not_nurture()
        question = self._nurture_ask("action_launch")
        return question or super(MailingMailing, self._nurture_asked()).action_launch()

    def action_schedule(self):
        self._check_not_nurture()
        if not self.schedule_date or self.schedule_date <= fields.Datetime.now():
            # core asks for a date first
            return super().action_schedule()
        question = self._nurture_ask("action_schedule")
        return question or super(MailingMailing, self._nurture_asked()).action_schedule()

    def action_put_in_queue(self):
        self._check_not_nurture()
        question = self._nurture_ask("action_put_in_queue")
        return question or super(MailingMailing, self._nurture_asked()).action_put_in_queue()

    def action_send_mail(self, res_ids=None):
        self._check_not_nurture()
        if not res_ids and (question := self._nurture_ask("action_send_mail")):
            return question
        return super(MailingMailing, self._nurture_asked()).action_send_mail(res_ids)

    def action_select_as_winner(self):
        self._check_not_nurture()
        question = self._nurture_ask("action_select_as_winner")
        return question or super(MailingMailing, self._nurture_asked()).action_select_as_winner()

    def action_send_winner_mailing(self):
        self._check_not_nurture()
        question = self._nurture_ask("action_send_winner_mailing")
        return question or super(MailingMailing, self._nurture_asked()).action_send_winner_mailing()

    def _get_ab_testing_siblings_mailings(self):
        siblings = super()._get_ab_testing_siblings_mailings()
        return siblings - siblings._nurture_guarded()

    def _action_send_mail(self, res_ids=None):
        if not self._nurture_is_engine():
            self._check_not_nurture()
        return super()._action_send_mail(res_ids)

    def action_retry_failed(self):
        """Retry what failed; the mails of a step by its sequence."""
        nurtured = self._nurture_guarded()
        if nurtured:
            nurtured.filtered(lambda mailing: not mailing.nurture_sequence_id)._check_not_nurture()
            failed = nurtured.mailing_trace_ids.filtered(lambda one: one.trace_status == "error")
            # one that may have arrived is not sent again among many
            traces = failed.nurture_trace_id
            traces.filtered(lambda trace: trace.reason != "mail_in_doubt").action_retry()
        if others := self - nurtured:
            return super(MailingMailing, others).action_retry_failed()
        return True

    def _get_recipients_domain(self):
        """The mail of a step has no recipients of its own."""
        if self._nurture_guarded():
            return Domain.FALSE
        return super()._get_recipients_domain()
