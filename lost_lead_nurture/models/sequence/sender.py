from collections import defaultdict

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import email_normalize, formataddr

from odoo.addons.base.models.ir_mail_server import MailDeliveryException

from ...tools.arguments import check_records
from ...tools.dates import on_clock
from ...tools.dns import MISSING, OK, check_sender

#: So many of those who report are named.
MAX_REPORTERS = 4


class NurtureSequence(models.Model):
    """From whom, and by which mail server, the mails of a sequence leave."""

    _inherit = "nurture.sequence"

    mail_server_id = fields.Many2one(
        "ir.mail_server",
        ondelete="restrict",
        domain="[('owner_user_id', '=', False)]",
        groups="lost_lead_nurture.group_user",
        help="All mails of the sequence leave by this outgoing mail server. Empty: each mail has "
        "its own, as other mailings.",
    )
    email_from = fields.Char(
        string="Sender",
        groups="lost_lead_nurture.group_user",
        help="From whom all mails of the sequence are. Empty: each mail has its own sender.",
    )
    sender_check = fields.Html(
        readonly=True,
        copy=False,
        groups="lost_lead_nurture.group_user",
        help="What the DNS said of the sender's domain when the last test mail was sent.",
    )
    auth_failures = fields.Char(
        compute="_compute_auth_failures",
        groups="lost_lead_nurture.group_user",
        help="How many mails of the sequence mail servers reported in the last 30 days because "
        "their SPF, DKIM or DMARC had failed, and which servers. A few are usual, where recipients "
        "forward mails. Many say that the sending domain is not set up for your mail server.",
    )

    @api.depends_context("lang", "uid", "allowed_company_ids")
    def _compute_auth_failures(self):
        failures = self.env["nurture.auth.failure"]
        counts = defaultdict(list)
        for sequence, reporter, count in failures._read_group(
            failures._get_recent() & Domain("sequence_id", "in", self.ids),
            ["sequence_id", "reporter"],
            ["__count"],
            order="__count DESC, reporter",
        ):
            counts[sequence.id].append((reporter, count))
        for sequence in self:
            sequence.auth_failures = self._say_auth_failures(counts.get(sequence._origin.id))

    @api.model
    def _say_auth_failures(self, counts):
        """How many reports of failed authentication there are, in words; False for none.

        :param counts: list of (who reports, how many), the most first
        """
        if not counts:
            return False
        total = sum(count for _reporter, count in counts)
        named = [f"{reporter} ({count})" for reporter, count in counts[:MAX_REPORTERS]]
        if more := len(counts) - len(named):
            named.append(self.env._("%s more", more))
        values = {"total": total, "reporters": ", ".join(named)}
        if total == 1:
            return self.env._("1 report in 30 days, from %(reporters)s", **values)
        return self.env._("%(total)s reports in 30 days, from %(reporters)s", **values)

    def action_view_auth_failures(self):
        """Open the reports of failed authentication that the form counts."""
        check_records(self, one=True)
        failures = self.env["nurture.auth.failure"]
        domain = failures._get_recent() & Domain("sequence_id", "=", self.id)
        return self._open_list(failures._name, self.env._("Failed Authentication"), domain)

    @api.constrains("email_from")
    def _check_email_from(self):
        for sequence in self.sudo():
            if sequence.email_from and not email_normalize(sequence.email_from):
                raise ValidationError(
                    self.env._(
                        "“%s” is no sender: it is one email address, with or without a name.",
                        sequence.email_from,
                    )
                )

    @api.constrains("mail_server_id")
    def _check_mail_server(self):
        """By the mail server of a person only that person sends."""
        for sequence in self.sudo():
            if sequence.mail_server_id.owner_user_id - self.env.user:
                raise ValidationError(
                    self.env._("“%s” is somebody's own mail server.", sequence.mail_server_id.name)
                )

    def _spread_sender(self, mailings=None):
        """Let the mails of the sequence be from its sender and leave by its mail server.

        :param mailings: these only; without it all of them
        """
        # whoever changes the sequence may say who sends its mails
        for sequence in self.sudo():
            values = {
                name: sequence[name] for name in ("mail_server_id", "email_from") if sequence[name]
            }
            if values:
                values = {name: getattr(value, "id", value) for name, value in values.items()}
                own = sequence._get_mailings()
                (own if mailings is None else own & mailings.sudo()).write(values)

    def _message_add_default_recipients(self):
        """A sequence has a sender, and no customer. Core would take the sender for the address of
        one: propose it as a recipient in the chatter, and fail for who may not read it."""
        nobody = {"email_cc_lst": [], "email_to_lst": [], "partners": self.env["res.partner"]}
        return {sequence.id: nobody for sequence in self}

    def action_test_sender(self):
        """Send a mail from the sender by the mail server of the sequence to whoever asks for it,
        and say what the DNS knows of the sender's domain.

        :raise UserError: when it cannot be sent
        """
        check_records(self, one=True)
        self.check_access("write")
        user = self.env.user
        if not user.email_normalized:
            raise UserError(self.env._("You have no email address to which it could go."))
        sequence = self.sudo()
        mailing = sequence.step_ids.mailing_id[:1]
        sender = sequence.email_from or mailing.email_from or sequence._get_company().email
        if not sender:
            raise UserError(self.env._("Nobody sends it: write down a sender first."))
        server = sequence.mail_server_id or mailing.mail_server_id
        if server.owner_user_id - self.env.user:
            raise UserError(self.env._("“%s” is somebody's own mail server.", server.name))
        servers = sequence.env["ir.mail_server"]
        message = servers._build_email__(
            email_from=sender,
            email_to=[formataddr((user.name, user.email_normalized))],
            subject=self.env._("Test of the sender of “%s”", self.name),
            body=self.env._("Mails of this sequence leave like this one."),
        )
        try:
            servers.send_email(message, mail_server_id=server.id)
        except (MailDeliveryException, OSError, AssertionError) as error:
            raise UserError(
                self.env._(
                    "The test mail from %(sender)s could not be sent: %(error)s",
                    sender=sender,
                    error=error,
                )
            ) from error
        domain = email_normalize(sender).rpartition("@")[2]
        sequence.sender_check = self._say_sender_check(domain)
        return self._notify(
            self.env._("A test mail is on its way to %s.", user.email_normalized), reload=True
        )

    def _say_sender_check(self, domain):
        """What the DNS knows of a sender's domain, in words."""
        resolver = self.env["nurture.mail.domain"]._get_resolver()
        check = check_sender(domain, resolver)
        lines = [
            (self.env._("SPF (which mail servers may send)"), check.spf),
            (self.env._("DKIM (the signature)"), check.dkim),
            (self.env._("DMARC (what becomes of mails that nobody vouches for)"), check.dmarc),
        ]
        words = {OK: self.env._("is there"), MISSING: self.env._("is missing")}
        rows = Markup().join(
            Markup("<li>%s: <strong>%s</strong></li>")
            % (name, words.get(value, self.env._("unknown")))
            for name, value in lines
        )
        heading = self.env._(
            "%(domain)s, on %(date)s:",
            domain=domain,
            date=on_clock(self.env, fields.Datetime.now()),
        )
        return Markup("<p>%s</p><ul>%s</ul>") % (heading, rows)
