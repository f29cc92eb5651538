import logging
from datetime import datetime
from functools import wraps
from typing import NamedTuple

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL, consteq, hmac
from odoo.tools.urls import urljoin

from ...tools import bots, user_agents
from ...tools.addresses import by_spelling, canonical
from ...tools.dates import on_clock
from ...tools.inside import Inside, get_inside, is_inside
from ...tools.links import append, quoted_in
from ...tools.providers import PROVIDERS, keep_provider
from ...tools.send_batch import get_sent

_logger = logging.getLogger(__name__)

#: What a recipient, or the recipient's mail server, can only do with a mail that was sent.
REACTIONS = {"open", "click", "reply", "bounce"}
#: Core's statuses of a mail that was opened, or more.
OPENED = ("open", "reply")
#: In the context: core registers an answer, the mail of which it registers as opened before that.
ANSWER = Inside("answer")
#: In the context: an answer that asks for no more mails counts for nothing else, though a person
#: wrote it.
STOP = Inside("stop")
#: What is signed instead of a link's code; no code has such a character.
HONEYPOT = "/honeypot"
#: Whether mails have it, which is a choice in the settings.
HONEYPOT_PARAMETER = "lost_lead_nurture.honeypot"


class LockedMailingTrace(NamedTuple):
    """A mailing trace that is locked together with its mail."""

    id: int
    mail_id: int
    #: since when it is being sent
    sending: datetime | None
    #: whether its sequence still sends it
    wanted: bool
    #: whether it has to be looked at once more, see :meth:`nurture.trace._find_outdated`
    may_be_outdated: bool
    #: whether it was noted just now that it is sent next
    noted: bool


def registered_by_core(method):
    """A method of core that registers what happened to mails. Everybody can call it: for the
    mailing traces of sequences it is for core itself, and for who may change the sequence. What it
    writes down is the engine's, so it has all rights on those."""

    @wraps(method)
    def register(self, domain=None, *args, **kwargs):
        mailing_traces, domain = self._nurture_let_register(domain)
        return method(mailing_traces, domain, *args, **kwargs).with_env(self.env)

    return register


class MailingTrace(models.Model):
    """Mailing traces are where core registers opens, clicks, replies and bounces; those of a
    sequence pass them on to the participant's trace."""

    _inherit = "mailing.trace"

    nurture_trace_id = fields.Many2one("nurture.trace", index="btree_not_null", ondelete="set null")
    nurture_pending = fields.Char(
        index="btree_not_null",
        help="Events that the sequence could not handle at once, separated by commas, a click with "
        "the code of its link. The scheduled action passes them on.",
    )
    nurture_sending_date = fields.Datetime(
        string="Being Sent Since",
        readonly=True,
        copy=False,
        help="Set while the mail is handed to the mail server. When nobody is doing that any more, "
        "it is not known whether the mail has left.",
    )
    nurture_bot_reason = fields.Selection(
        bots.REASONS,
        string="Bot Ignored",
        readonly=True,
        help="How it was seen that a bot, such as the virus scanner of the recipient's mail "
        "server, opened this mail or followed its links. Neither the statistics nor the sequence "
        "count that.",
    )
    nurture_bot_date = fields.Datetime(
        string="Bot Ignored On", readonly=True, help="When that was, the last time."
    )

    nurture_bot_notes = fields.Json(
        readonly=True,
        help="All that bots did to this mail, see tools/bots.py: hits are deleted soon.",
    )

    nurture_provider = fields.Selection(
        PROVIDERS,
        string="Mail Provider",
        readonly=True,
        copy=False,
        help="Of an address that is not known any more, for the statistics.",
    )
    nurture_device = fields.Selection(
        user_agents.DEVICES,
        string="Device",
        readonly=True,
        copy=False,
        help="On what the mail was read, or a link of it followed, first, as far as a person's "
        "request shows that. The request itself is not kept.",
    )
    nurture_client = fields.Selection(
        user_agents.CLIENTS,
        string="Mail Program",
        readonly=True,
        copy=False,
        help="With what the mail was opened first, as far as a person's request shows that.",
    )

    # what an address got and did, for the frequency cap and the sunset
    _nurture_email_index = models.Index("(email)")
    _nurture_bounced_index = models.Index("(email) WHERE trace_status = 'bounce'")
    # what somebody did lately, for entry by behaviour
    _nurture_clicked_index = models.Index(
        "(links_click_datetime) WHERE links_click_datetime IS NOT NULL"
    )
    _nurture_replied_index = models.Index("(reply_datetime) WHERE reply_datetime IS NOT NULL")
    # core looks the mails up by it that an incoming mail answers
    _nurture_message_id_index = models.Index("(message_id)")

    @api.model_create_multi
    def create(self, vals_list):
        vals_list = [
            {**vals, "email": canonical(vals["email"])} if vals.get("email") else vals
            for vals in vals_list
        ]
        # a client's context does not say whose message it is
        if "default_nurture_trace_id" in self.env.context:
            self = self.with_context(default_nurture_trace_id=False)
        mailing_traces = super().create(vals_list)
        # their mails are not even queued by core's composer
        stillborn = mailing_traces.filtered(
            lambda mailing_trace: mailing_trace.trace_status in ("cancel", "error")
        )
        stillborn._nurture_handle("cancelled")
        return mailing_traces

    @api.model
    def _search(self, domain, *args, **kwargs):
        """Whoever looks for an address finds it, however it is written."""
        return super()._search(by_spelling(domain, "email"), *args, **kwargs)

    def write(self, vals):
        self._nurture_check_own()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_nurture(self):
        self._nurture_check_own()

    def _has_field_access(self, field, operation):
        # Email Marketing lets its users write everything here
        if operation == "write" and field.name.startswith("nurture_") and not self.env.su:
            return False
        return super()._has_field_access(field, operation)

    def _nurture_check_own(self):
        """What happened to the mails of sequences is written down by the engine and by core: goals,
        caps and previews rely on it.

        :raise AccessError: when somebody else does
        """
        if self.env.su or is_inside(self.env, "nurture_from_core"):
            return
        if self.sudo().nurture_trace_id:
            raise AccessError(
                self.env._("What became of a sequence's messages is not written by hand.")
            )

    def _nurture_let_register(self, domain=None):
        """Let core, or who may change the sequence, register what happened to mails of sequences.

        :return: the mailing traces, and the domain of others; with all rights when there is one of
            a sequence among them
        :raise AccessError: when somebody else does
        """
        if self.env.su:
            return self, domain
        mailing_traces = self | (self.search(domain) if domain else self.browse())
        sequences = mailing_traces.sudo().nurture_trace_id.sequence_id
        if not sequences:
            return self, domain
        if not is_inside(self.env, "nurture_from_core"):
            mailing_traces.check_access("write")
            sequences.with_env(self.env).check_access("write")
        return mailing_traces.sudo(), None

    @registered_by_core
    def set_sent(self, domain=None):
        mailing_traces = super().set_sent(domain)
        mailing_traces.filtered("nurture_sending_date").nurture_sending_date = False
        batch = get_sent(self.env)
        if batch and batch.is_queue:
            # the queue has sequences notified of many together
            mailing_traces.filtered("nurture_trace_id")._nurture_add_pending("sent")
        else:
            mailing_traces._nurture_handle("sent")
        return mailing_traces

    @registered_by_core
    def set_opened(self, domain=None):
        request = bots.get_request(self.env)
        if request and domain and (held := self._nurture_find(domain)):
            # the picture of one mail: it counts as opened when that turned out to be a person
            self.env["nurture.hit"].sudo()._note(held, "open", request)
            return held
        mailing_traces, domain = self._nurture_counting(domain)
        unopened = mailing_traces.filtered(
            lambda mailing_trace: mailing_trace.trace_status not in OPENED
        )
        opened = super(MailingTrace, mailing_traces).set_opened(domain)
        unopened._nurture_date_back("open_datetime")
        if not bots.get_judged(self.env):
            opened._nurture_end_bounces()
            if get_inside(self.env, "nurture_from_core") != ANSWER:
                opened._nurture_handle("open")
        return opened

    @registered_by_core
    def set_clicked(self, domain=None):
        mailing_traces, domain = self._nurture_counting(domain)
        clicked = super(MailingTrace, mailing_traces).set_clicked(domain)
        clicked._nurture_date_back("links_click_datetime")
        if not bots.get_judged(self.env):
            self.env["nurture.credit"]._note_touched(clicked)
            clicked._nurture_handle("click", self._nurture_get_code())
            if clicked:
                self.env["nurture.sequence"]._note_behaviour("click")
        return clicked

    @registered_by_core
    def set_replied(self, domain=None):
        self._nurture_note_automatic(domain)
        mailing_traces, domain = self._nurture_counting(domain)
        replied = super(MailingTrace, mailing_traces).set_replied(domain)
        self.env["nurture.credit"]._note_touched(replied)
        replied._nurture_handle("reply")
        if replied:
            self.env["nurture.sequence"]._note_behaviour("reply")
        return replied

    @registered_by_core
    def set_bounced(self, domain=None, bounce_message=False):
        mailing_traces, domain = self._nurture_counting(domain)
        bounced = super(MailingTrace, mailing_traces).set_bounced(domain, bounce_message)
        bounced._nurture_handle("bounce")
        return bounced

    @registered_by_core
    def set_failed(self, domain=None, failure_type=False):
        if self._nurture_take_answer():
            return self
        mailing_traces = super().set_failed(domain, failure_type)
        mailing_traces.filtered("nurture_sending_date").nurture_sending_date = False
        mailing_traces._nurture_handle("failed")
        return mailing_traces

    @registered_by_core
    def set_canceled(self, domain=None):
        mailing_traces = super().set_canceled(domain)
        mailing_traces._nurture_handle("cancelled")
        return mailing_traces

    def _nurture_get_moment(self):
        """When it happened what core writes down here, if not now, see ``nurture.hit``."""
        judged = bots.get_judged(self.env)
        return judged and judged.dates.get(self.id)

    def _nurture_date_back(self, field):
        """Write when it really happened over core's date."""
        for mailing_trace in self:
            if moment := mailing_trace._nurture_get_moment():
                mailing_trace[field] = moment

    def _nurture_end_bounces(self):
        """Mails arrive at these addresses: reset core's count of those that bounced, which goes on
        until something proves the address good."""
        addresses = {
            mailing_trace.email
            for mailing_trace in self
            if mailing_trace.email and mailing_trace.trace_type == "mail"
        }
        if not addresses:
            return
        # nearly always there is none: one query for both
        models_ = [self.env[name].sudo() for name in ("crm.lead", "res.partner")]
        for model in models_:
            model.flush_model(["email_normalized", "message_bounce"])
        rows = self.env.execute_query(
            SQL(" UNION ALL ").join(
                SQL(
                    "SELECT %s, id FROM %s WHERE email_normalized IN %s AND message_bounce > 0",
                    number,
                    SQL.identifier(model._table),
                    tuple(addresses),
                )
                for number, model in enumerate(models_)
            )
        )
        for number, record_id in rows:
            record = models_[number].browse(record_id)
            record._message_reset_bounce(record.email_normalized)

    def _nurture_forget(self):
        """Erase whom these mailing traces name, and what mail servers said of that. Which mail
        provider it was goes on counting."""
        keep_provider(self, "nurture_provider")
        self.write({"email": False, "failure_reason": False, "nurture_soft_bounce_reason": False})
        self.mail_mail_id.filtered(lambda mail: mail.state != "outgoing").email_to = False

    @api.model
    def _nurture_find(self, domain):
        """The mailing traces of sequences in ``domain``, tests left out."""
        return self.search_fetch(
            Domain(domain)
            & Domain("nurture_trace_id", "!=", False)
            & Domain("is_test_trace", "=", False),
            ["sent_datetime"],
        )

    def _nurture_counting(self, domain):
        """Leave the mailing traces of sequences, and of mailings whose answers let leads into one,
        out of ``self`` and ``domain`` when a program answered: neither the sequence nor its
        statistics take that for a reaction."""
        if not is_inside(self.env, "nurture_ignore_reaction"):
            return self, domain
        watched = self.env["nurture.sequence"]._get_watched("reply")
        others = Domain("nurture_trace_id", "=", False) & ~watched
        mailing_traces = self.filtered_domain(others)
        return mailing_traces, domain and Domain(domain) & others

    @api.model
    def _nurture_find_judged(self, mailing_trace_id):
        """The mailing trace whose clicks are judged before they count: of a sequence, or of a
        mailing in which a click lets leads into one."""
        return self._nurture_find([("id", "=", mailing_trace_id)]) or self.search_fetch(
            Domain("id", "=", mailing_trace_id)
            & Domain("is_test_trace", "=", False)
            & Domain("trace_type", "=", "mail")
            & self.env["nurture.sequence"]._get_watched("click"),
            ["sent_datetime"],
        )

    def _nurture_note_bot(self, kind, reason, date, link=False):
        """Keep what a bot did to this mail.

        :param kind: ``open``, ``click`` or ``honeypot``, which is a click on the link nobody sees
        :param reason: how it was seen, see :data:`bots.REASONS`
        """
        self.ensure_one()
        kind = "click" if kind == "honeypot" else kind
        self.write(
            {
                "nurture_bot_reason": reason,
                "nurture_bot_date": date,
                "nurture_bot_notes": self._nurture_add_note(kind, reason, date, link),
            }
        )

    def _nurture_note_automatic(self, domain=None):
        """A program answered these mails: keep that, as nothing else comes of it."""
        if get_inside(self.env, "nurture_ignore_reaction") in (None, STOP):
            return
        mailing_traces = self.filtered("nurture_trace_id")
        if domain:
            mailing_traces |= self._nurture_find(domain)
        for mailing_trace in mailing_traces:
            mailing_trace.nurture_bot_notes = mailing_trace._nurture_add_note(
                "reply", "automatic", fields.Datetime.now()
            )

    def _nurture_add_note(self, kind, reason, date, link=False):
        return bots.take_note(
            self.nurture_bot_notes or [],
            kind,
            reason,
            fields.Datetime.to_string(date),
            link or "",
        )

    def _nurture_token(self, code):
        """Sign the link ``code`` of this mail: core's /r/<code>/m/<id> can be made up."""
        self.ensure_one()
        return hmac(self.env(su=True), "lost_lead_nurture-link", (self.id, code))[:16]

    def _nurture_is_signed(self, code, token):
        return consteq(self._nurture_token(code).encode(), token.encode())

    def _nurture_add_honeypot(self, html):
        """Add a link that nobody sees to the HTML of this mail, where that is wanted.

        Without a text there is nothing to see, to hear or to hit, in any mail program and style,
        and nothing hidden that a spam filter could find fault with. Who collects the links of a
        mail finds it. It must not get into the plain text, where it would show.
        """
        if not self.env["ir.config_parameter"].sudo().get_param(HONEYPOT_PARAMETER):
            return html
        path = f"nurture/t/{self.id}/{self._nurture_token(HONEYPOT)}"
        url = urljoin(self.mass_mailing_id._nurture_get_base_url(self.res_id), path)
        return append(html, f'<a href="{url}" aria-hidden="true" tabindex="-1"></a>')

    def _nurture_handle(self, event, code=None):
        """Notify the sequence. Nothing that goes wrong there may reach core: an exception would
        lose the reply that is coming in, or make core send a mail again that has just left. Such an
        event is kept and handled later.

        :param code: the code of the link, of a click
        :return: the error, if something went wrong
        """
        if event in REACTIONS and is_inside(self.env, "nurture_ignore_reaction"):
            return None
        if event in REACTIONS:
            self._nurture_end_doubt()
            self._nurture_handle_pending_sent()
        mailing_traces = self.filtered(
            lambda mailing_trace: (
                mailing_trace.nurture_trace_id
                and not mailing_trace.is_test_trace
                # forged, or a click on a mail that was recalled
                and (mailing_trace.sent_datetime or event not in REACTIONS)
            )
        )
        if not mailing_traces:
            return None
        self.env.flush_all()
        try:
            with self.env.cr.savepoint():
                mailing_traces.nurture_trace_id.sudo()._handle(event, self._nurture_get_link(code))
        except Exception as error:
            # the next run of the scheduled action handles it; waking it now might go on for ever.
            # Where that fails, too, the responsible is notified, see _nurture_warn_unhandled
            _logger.info("%s: %s is handled later", mailing_traces, event, exc_info=True)
            mailing_traces._nurture_add_pending(":".join(filter(None, [event, code])))
            return error
        return None

    def _nurture_add_pending(self, event):
        """Keep an event that the sequence has not handled yet."""
        for mailing_trace in self.sudo():
            mailing_trace.nurture_pending = ",".join(
                filter(None, [mailing_trace.nurture_pending, event])
            )

    def _nurture_warn_unhandled(self, error):
        """What could not be handled the second time either does not mend itself: notify the
        responsible.

        :param error: what stands against it
        """
        if isinstance(error, PG_CONCURRENCY_EXCEPTIONS_TO_RETRY):
            return
        for sequence in self.nurture_trace_id.sequence_id.sudo():
            sequence._warn_once(
                self.env._("Something that happened on mails cannot be taken in"),
                Markup("<p>%s</p><p>%s</p>")
                % (
                    self.env._(
                        "It is kept, and tried again with every run. What stands against it:"
                    ),
                    error,
                ),
            )

    def _nurture_warn_lost(self, error):
        """What a person did with these mails could not be written down, and is not tried again:
        notify the responsible.

        :param error: what stood against it
        """
        for sequence in self.nurture_trace_id.sequence_id.sudo():
            sequence._warn_once(
                self.env._("What somebody did with a mail is lost"),
                Markup("<p>%s</p><p>%s</p>")
                % (
                    self.env._("An open or a click could not be written down, because of:"),
                    error,
                ),
            )

    def _nurture_handle_pending_sent(self):
        """Notify the sequences that these mails have left, where that is still pending."""
        # with all rights: it is about what the engine has written down
        late = self.sudo().filtered(lambda mailing_trace: mailing_trace.nurture_pending == "sent")
        late = late.try_lock_for_update()
        late.nurture_pending = False
        late._nurture_handle("sent")

    @api.model
    def _nurture_get_code(self):
        """The code of the link that is being clicked, see ``link.tracker.click.add_click``: core
        does not hand it on."""
        return get_inside(self.env, "nurture_link_code")

    @api.model
    def _nurture_get_link(self, code):
        """The address of the link with this code."""
        codes = self.env["link.tracker.code"].sudo()
        return code and codes.search([("code", "=", code)]).link_id.url

    @api.model
    def _nurture_queued(self, domain):
        """The mailing traces of the traces in ``domain`` whose mail is still in the queue.

        It is the mail that is asked, not the status here: a forged click changes that.
        """
        return self.search(
            Domain("nurture_trace_id", "any", domain) & self._nurture_get_queued_domain()
        )

    @api.model
    def _nurture_get_queued_domain(self):
        """Mailing traces whose message is in a queue."""
        return Domain("mail_mail_id.state", "=", "outgoing")

    @api.model
    def _nurture_lock_queued(self, mails, ahead=()):
        """Lock mails of the queue with their mailing traces, so that nobody takes them out of it or
        sends them at the same time.

        :param mails: ``mail.mail``
        :param ahead: the mail to be sent after them: when nothing stands against any of them it is
            noted that it is being sent; what was true when they were queued is asked later
        :return: list of :class:`LockedMailingTrace`, without those of mails that somebody else has
            or that are not in the queue any more
        """
        ahead_ids = [mail.id for mail in ahead]
        rows = self.env.execute_query(
            SQL(
                """
                WITH locked AS (
                    SELECT mailing_trace.id, mail.id AS mail_id,
                           mailing_trace.nurture_sending_date AS sending,
                           COALESCE(sequence.state = 'running' AND participant.state = 'running',
                                    true) AND NOT (%(unwanted)s) AS wanted,
                           COALESCE(%(may_be_outdated)s, false) AS may_be_outdated
                      FROM mailing_trace
                      JOIN mail_mail mail ON mail.id = mailing_trace.mail_mail_id
                 LEFT JOIN nurture_trace trace ON trace.id = mailing_trace.nurture_trace_id
                 LEFT JOIN nurture_sequence sequence ON sequence.id = trace.sequence_id
                 LEFT JOIN nurture_participant participant ON participant.id = trace.participant_id
                     WHERE mail.id IN %(ids)s AND mail.state = 'outgoing'
                       FOR UPDATE OF mailing_trace, mail SKIP LOCKED
                ), noted AS (
                    UPDATE mailing_trace SET nurture_sending_date = %(now)s
                     WHERE id IN (SELECT id FROM locked WHERE mail_id IN %(ahead)s)
                       AND EXISTS (SELECT 1 FROM locked WHERE mail_id NOT IN %(ahead)s)
                       AND NOT EXISTS (SELECT 1 FROM locked WHERE NOT wanted
                                       OR (sending IS NULL) != (mail_id IN %(ahead)s))
                 RETURNING id
                )
                SELECT locked.*, noted.id IS NOT NULL FROM locked LEFT JOIN noted USING (id)
                """,
                ids=(*mails.ids, *ahead_ids),
                unwanted=self._nurture_sql_unwanted(),
                may_be_outdated=self.env["nurture.trace"]._sql_may_be_outdated(),
                ahead=tuple(ahead_ids) or (0,),
                now=fields.Datetime.now(),
            )
        )
        self.browse(row[0] for row in rows).invalidate_recordset(
            ["nurture_sending_date"], flush=False
        )
        locked = [LockedMailingTrace(*row) for row in rows]
        # of each mail that leaves: no more is read of those of most sequences
        checked = [one.id for one in locked if one.may_be_outdated and one.mail_id in mails.ids]
        outdated = self.browse(checked)._nurture_get_outdated().ids
        return [one._replace(wanted=False) if one.id in outdated else one for one in locked]

    def _nurture_get_outdated(self):
        """Those of the queue whose message does not leave after all, see
        :meth:`nurture.trace._find_outdated`. The transaction is the one in which they would."""
        outdated = self.nurture_trace_id._find_outdated() if self else {}
        return self.filtered(lambda one: one.nurture_trace_id.participant_id.id in outdated)

    @api.model
    def _nurture_sql_unwanted(self):
        """Whether the recipient of a mail of a sequence that is about to leave does not want it, or
        not now, for the aliases ``mailing_trace``, ``trace`` and ``sequence``."""
        preferences = self.env["nurture.preference"]
        email = SQL("mailing_trace.email")
        conditions = [
            self.env["crm.lead"]._nurture_sql_blacklisted(email),
            preferences._sql_waits(email),
            preferences._sql_opted_out(email, SQL("trace.sequence_id"), SQL("sequence.topic_id")),
        ]
        return SQL("trace.id IS NOT NULL AND (%s)", SQL(" OR ").join(conditions))

    def _nurture_cancel_queued(self):
        """Cancel the messages of ``self`` that are still in a queue."""
        self.mail_mail_id.cancel()

    def _nurture_failed(self):
        """Those of ``self`` whose message failed and can be put back into its queue."""
        return self.filtered(lambda mailing_trace: mailing_trace.mail_mail_id.state == "exception")

    def _nurture_requeue(self):
        """Put failed messages back into their queue."""
        if not self:
            return
        self.mail_mail_id.mark_outgoing()
        self.write(
            {
                "trace_status": "outgoing",
                "failure_type": False,
                "nurture_sending_date": False,
                "nurture_refused_date": False,
            }
        )
        self.env.ref("mail.ir_cron_mail_scheduler_action").sudo()._trigger()

    def _nurture_set_in_doubt(self):
        """It is not known whether these mails have left: nobody but a person may have them sent
        again."""
        self.write(
            {
                "trace_status": "error",
                "failure_type": "unknown",
                "nurture_sending_date": False,
            }
        )
        self._nurture_handle("in_doubt")

    def _nurture_end_doubt(self):
        """These mails are there: somebody reacted to them, or says so. Only those in doubt
        change."""
        arrived = self.filtered(
            lambda mailing_trace: (
                mailing_trace.nurture_trace_id
                and not mailing_trace.sent_datetime
                and mailing_trace.nurture_trace_id.sudo().reason == "mail_in_doubt"
            )
        )
        if arrived:
            arrived.sent_datetime = fields.Datetime.now()
            arrived.filtered(
                lambda mailing_trace: mailing_trace.trace_status == "error"
            ).trace_status = "sent"
            arrived.failure_type = False
            arrived.mail_mail_id.sudo().write(
                {"state": "sent", "failure_type": False, "failure_reason": False}
            )
            arrived._nurture_handle("sent")

    def _nurture_get_failure(self):
        """What went wrong, in the words of the system."""
        labels = dict(self._fields["failure_type"]._description_selection(self.env))
        return (
            self.mail_mail_id.failure_reason
            or self.failure_reason
            or labels.get(self.failure_type)
            or None
        )

    def _nurture_get_kept(self):
        """This message as it was sent, if it is kept.

        :return: ``{"subject", "html", "note"}``, or None
        """
        self.ensure_one()
        kept = self.mail_mail_id
        if not kept and self.message_id:
            kept = self.env["mail.message"].search([("message_id", "=", self.message_id)], limit=1)
        # merged leads take their messages along
        leads = {self.res_id, self.nurture_trace_id.participant_id.lead_id.id}
        if not kept or kept.model != "crm.lead" or kept.res_id not in leads:
            return None
        if kept._name == "mail.mail":
            html = kept.body_html
        else:
            html = self.env["nurture.step"]._make_page(quoted_in(kept.body))
        note = self._nurture_get_kept_note()
        return {"subject": kept.subject or "", "html": html, "note": note}

    def _nurture_get_kept_note(self):
        """What is shown is the message itself: when it was sent, in words."""
        if not self.sent_datetime:
            return self.env._("As it is going to be sent.")
        return self.env._("As it was sent on %s.", on_clock(self.env, self.sent_datetime))

    def _nurture_get_texts(self):
        """In a sandbox: what the recipient would get that is no mail.

        :return: list of (what to tell about it, its links)
        """
        return []

    def _nurture_pretend_sent(self):
        """In a sandbox: what the queue does when a message has left."""
        self.mail_mail_id.write({"state": "sent"})
        self.set_sent()

    @api.model
    def _nurture_catch_up(self):
        """Have the sequences handle what they could not when it happened: what people opened and
        clicked, which had to wait until it was judged, and what is pending as it went wrong at the
        first try. Commits."""
        commit = self.env["ir.cron"]._commit_progress
        self.env["nurture.hit"]._judge_held()
        for mailing_trace in self.search(
            [("nurture_pending", "!=", False)], limit=1000, order="id"
        ):
            events = mailing_trace.nurture_pending.split(",")
            mailing_trace.nurture_pending = False
            for event in events:
                event, _colon, code = event.partition(":")
                if error := mailing_trace._nurture_handle(event, code or None):
                    mailing_trace._nurture_warn_unhandled(error)
            if not commit(1):
                break
