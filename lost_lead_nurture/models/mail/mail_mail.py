import re
from contextlib import ExitStack, suppress
from datetime import timedelta
from itertools import zip_longest
from smtplib import SMTPException, SMTPServerDisconnected

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL, config, email_normalize

from ...tools.addresses import format_on_wire, on_wire
from ...tools.delivery import Delivery, watch
from ...tools.inside import INSIDE
from ...tools.links import UNSUBSCRIBE, VIEW, fill_placeholders, has_placeholder
from ...tools.pace import SLICE
from ...tools.send_batch import SendBatch, get_sent
from ...tools.wire import MAX_SUBJECT, clean, clean_address
from .provider import SPREAD

#: When the rest of the queue is tried again after the connection to the mail server broke off.
PAUSE = timedelta(minutes=5)
#: Sequences are notified together of so many mails that have left.
NOTIFIED_TOGETHER = 50


def _hang_up(connection):
    with suppress(SMTPException, OSError):
        connection.quit()


class MailMail(models.Model):
    """A mail of a sequence has signed links and a honeypot for bots. When it is taken out of the
    queue by hand its sequence is notified. And it never leaves twice unless a person wants it to:
    that it is being sent is noted first, so that a process that ends in the middle leaves a mail
    behind that is in doubt, which a person decides about, and not one that is sent once more."""

    _inherit = "mail.mail"

    def _get_tracking_url(self):
        url = super()._get_tracking_url()
        if self.mailing_id and self.model == "crm.lead":
            return self.mailing_id._nurture_move_home(url, self.res_id)
        return url

    def _prepare_outgoing_body(self):
        body = super()._prepare_outgoing_body()
        mailing_trace = self._nurture_get_mailing_traces()[:1]
        if not (body and mailing_trace):
            return body

        # as a parameter, which core does not mind: the link works without the add-on, too
        def sign(found):
            return f"{found[0]}?n={mailing_trace._nurture_token(found[1])}"

        link = rf"/r/([^/\s\"'<>]+)/m/{mailing_trace.id}(?![\w/?])"
        return body.__class__(re.sub(link, sign, str(body)))

    def _prepare_outgoing_list(self, mail_server=False, doc_to_followers=None):
        email_list = super()._prepare_outgoing_list(mail_server, doc_to_followers)
        for values in email_list:
            self._nurture_address(values)
        if not (self.mailing_id and self.model == "crm.lead"):
            return email_list
        mailing_trace = self._nurture_get_mailing_traces()[:1]
        for values in email_list:
            self._nurture_clean_header(values)
            if not mailing_trace:
                continue
            self._nurture_check_opt_out(values)
            # one that has no body has no link either
            body = values["body"]
            values["body"] = body.__class__(mailing_trace._nurture_add_honeypot(str(body)))
            headers = {**(values["headers"] or {}), **self._nurture_get_feedback()}
            values["headers"] = self._nurture_mark_headers(headers, mailing_trace, mail_server)
        return email_list

    def _nurture_mark_headers(self, headers, mailing_trace, mail_server):
        """Headers with an envelope sender that says which mail it is, where that is wanted and the
        mail server takes it: of another one it would make the sender's own address."""
        domain = (self.record_alias_domain_id or self.env.company.alias_domain_id).sudo()
        address = headers.get("Return-Path")
        # somebody may have written another one into the headers of the mail
        if not domain.nurture_has_subaddresses or address != domain.bounce_email:
            return headers
        servers = self.env["ir.mail_server"]
        marked = mailing_trace._nurture_mark_return_path(address)
        from_filter = (
            mail_server.sudo().from_filter if mail_server else servers._get_default_from_filter()
        )
        if not servers._match_from_filter(marked, from_filter):
            return headers
        return {**headers, "Return-Path": marked}

    def _nurture_check_opt_out(self, values):
        """Check that the recipient can unsubscribe in this mail of a sequence, whatever its text
        was made of: placeholders may have left the link out. What is shown to programs without
        HTML has it, too.

        :raise UserError: which core keeps as the reason of the failure
        """
        page = f"/mailing/{self.mailing_id.id}/confirm_unsubscribe?"
        if has_placeholder(values["body"]) or page not in (values["body"] or ""):
            raise UserError(
                self.env._(
                    "The link to unsubscribe could not be made for this recipient, so the mail was "
                    "not sent: in the text it has to be /unsubscribe_from_list."
                )
            )
        if page not in (values["body_alternative"] or ""):
            address = email_normalize(values["email_to"][0], strict=False)
            url = self.mailing_id._get_unsubscribe_url(address, self.res_id)
            label = self.mailing_id._nurture_get_opt_out_label()
            values["body_alternative"] += f"\n\n{label}: {url}\n"

    def _nurture_get_feedback(self):
        """The headers by which mail providers count complaints, and report them: for all mails of a
        mailing the same."""
        batch = get_sent(self.env)
        known = batch.feedback if batch else {}
        if self.mailing_id.id not in known:
            known[self.mailing_id.id] = self._nurture_make_feedback()
        return known[self.mailing_id.id]

    def _nurture_make_feedback(self):
        """``Feedback-ID`` is for Google's Postmaster Tools: step, sequence, kind, and who sends.
        ``CFBL-Address`` (RFC 9477) says where complaints go, where somebody has chosen that."""
        trace = self._nurture_get_mailing_traces()[:1].nurture_trace_id
        uuid = self.env["ir.config_parameter"].sudo().get_param("database.uuid") or "odoo"
        sender = uuid.replace("-", "")[:12]
        headers = {
            "Feedback-ID": f"step{trace.step_id.id}:sequence{trace.sequence_id.id}:nurture:{sender}"
        }
        if address := trace.sequence_id._get_company().nurture_feedback_address:
            headers["CFBL-Address"] = f"{address}; report=arf"
        return headers

    @api.model
    def _nurture_address(self, values):
        """Write international domains as they travel. Core means to do that when it sends, but
        refuses such an address, as it compares the two spellings."""
        known = values["email_to_normalized"]
        if all(address.isascii() for address in known):
            return
        values["email_to_normalized"] = [on_wire(address) for address in known]
        for header in ("email_to", "email_cc"):
            values[header] = [format_on_wire(address) for address in values[header]]

    @api.model
    def _nurture_clean_header(self, values):
        """Names and subjects of leads may have line breaks in them, which no header may."""
        values["subject"] = clean(values["subject"], MAX_SUBJECT)
        values["reply_to"] = clean_address(values["reply_to"])
        for name in ("email_to", "email_cc"):
            values[name] = [clean_address(address) for address in values[name]]

    def _personalize_outgoing_body(self, body, partner=False, doc_to_followers=None):
        body = super()._personalize_outgoing_body(body, partner, doc_to_followers)
        if body and self.mailing_id and self.model == "crm.lead":
            body = body.__class__(self._nurture_fill_placeholders(str(body), partner))
        return body

    def _nurture_fill_placeholders(self, body, partner=False):
        """Core fills placeholders only as it writes them itself, and when the text without HTML has
        been made: here they are filled before."""
        address = partner.email if partner else self.email_to
        if not address or not any(placeholder in body for placeholder in (UNSUBSCRIBE, VIEW)):
            return body
        # the link is signed for the address that core takes for it, too
        address = email_normalize(address, strict=False) or address
        mailing = self.mailing_id
        urls = {VIEW: mailing._get_view_url(address, self.res_id)}
        if not self.env.context.get("mailing_test_mail"):
            urls[UNSUBSCRIBE] = mailing._get_unsubscribe_url(address, self.res_id)
        own_urls = {
            mailing.get_base_url(),
            mailing._nurture_get_base_url(self.res_id),
            self.env["ir.config_parameter"].sudo().get_param("web.base.url") or "",
        }
        return fill_placeholders(body, urls, own_urls)

    # ------------------------------------------------------------
    # SENDING: core sends, then commits that it has. What ends it in between would be sent again
    # ------------------------------------------------------------

    def send(self, auto_commit=False, **kwargs):
        self -= self._nurture_stop_plain()
        if auto_commit:
            # before the server is called: should that fail, these would be taken for plain failures
            for mail in self:
                if any(mail._nurture_get_mailing_traces().mapped("nurture_sending_date")):
                    mail._nurture_take_over()
        return super().send(auto_commit=auto_commit, **kwargs)

    def _send(self, auto_commit=False, **kwargs):
        if not self._nurture_get_mailing_traces():
            return super()._send(auto_commit=auto_commit, **kwargs)
        if not auto_commit:
            # somebody else's transaction: nothing can be noted, but what is leaving is left alone
            leaving = self.filtered(lambda mail: mail._nurture_get_mailing_traces())
            free = leaving.filtered(lambda mail: mail._nurture_may_leave())
            batch = self._nurture_make_batch(**kwargs)
            with ExitStack() as opened:
                for mail in batch.carried_by(free):
                    if mail.id in batch.delivery.deferred:
                        continue
                    kwargs = self._nurture_reconnect(kwargs, opened)
                    with watch(kwargs.get("smtp_session"), batch.delivery):
                        super(MailMail, mail)._send(auto_commit=False, **kwargs)
                if others := self - leaving:
                    kwargs = self._nurture_reconnect(kwargs, opened)
                return super(MailMail, others)._send(auto_commit=False, **kwargs)
        self._nurture_send_queue(self._nurture_get_mailing_traces().mail_mail_id, **kwargs)
        return True

    def _nurture_may_leave(self):
        """Lock this mail, which somebody else's transaction sends, unless somebody has it, or its
        recipient does not want it, or not now."""
        locked = self._nurture_lock()
        if locked and not all(one.wanted for one in locked):
            self._nurture_recall()
            return False
        return bool(locked)

    def _nurture_stop_plain(self):
        """Take those out of the queue that are plain mailings which their recipients do not want
        any more, or not now.

        :return: these
        """
        plain = self.filtered(lambda mail: mail.state == "outgoing" and mail.mailing_id)
        mailing_traces = plain.sudo().mailing_trace_ids.filtered(
            lambda one: one.email and not one.nurture_trace_id and one.trace_type == "mail"
        )
        if not mailing_traces:
            return self.browse()
        listed = self.env["mail.blacklist"].sudo()
        listed = listed.search([("email", "in", list(set(mailing_traces.mapped("email"))))])
        addresses = set(listed.mapped("email"))
        blacklisted = mailing_traces.filtered(
            lambda one: one.email in addresses and one.mass_mailing_id.use_exclusion_list
        )
        blacklisted._nurture_cancel_plain("mail_bl")
        preferences = self.env["nurture.preference"].sudo()
        heeding = mailing_traces.filtered("mass_mailing_id.use_exclusion_list")
        stopped = blacklisted | preferences._obey_queued(heeding - blacklisted)
        return self & stopped.mail_mail_id.with_env(self.env)

    def _postprocess_sent_message(
        self, success_pids, success_emails, failure_reason=False, failure_type=None
    ):
        if failure_type == "mail_smtp":
            self._nurture_name_failing_server()
        if failure_type and (others := self.filtered(lambda mail: not mail.mailing_id)):
            # whoever sends mails may not write the history
            self.env["nurture.consent"].sudo()._note_unsent(others)
        # an administrator may send a mail by hand
        from_core = self.with_context(nurture_from_core=INSIDE)
        return super(MailMail, from_core)._postprocess_sent_message(
            success_pids, success_emails, failure_reason=failure_reason, failure_type=failure_type
        )

    @api.model
    def _nurture_make_batch(self, mail_server=None, is_queue=False, **_others):
        """What goes along with mails while they are sent. It is one for all of them: with one each
        there would be an environment each, and core looks an environment up among all that there
        are."""
        return SendBatch(
            delivery=Delivery(self._nurture_name_server(mail_server)), is_queue=is_queue
        )

    @api.model
    def _nurture_name_server(self, mail_server):
        """What people call an outgoing mail server, which may be that of the configuration."""
        return (mail_server and mail_server.sudo().name) or config["smtp_server"] or ""

    def _nurture_name_failing_server(self):
        """A mail server could not be reached: core says what went wrong, and not with which."""
        ours = self.filtered(lambda mail: mail._nurture_get_mailing_traces())
        for server_id, _domain, _sender, mail_ids in ours._split_by_mail_configuration():
            mails = self.browse(mail_ids)
            server = self.env["ir.mail_server"].browse(server_id or ())
            mails.failure_reason = self.env._(
                "The mail server “%(server)s” could not be used: %(error)s",
                server=self._nurture_name_server(server),
                error=mails[:1].failure_reason,
            )

    def _nurture_defer(self, date):
        """Leave these mails in the queue until ``date``."""
        self.write({"state": "outgoing", "failure_type": False, "scheduled_date": date})
        # mails to one provider are deferred by the hundred
        queue = self.env.ref("mail.ir_cron_mail_scheduler_action").sudo()
        queue._nurture_trigger_once(date)

    @api.model
    def _nurture_reconnect(self, kwargs, opened):
        """After a 421 smtplib hangs up: what the server said was about one recipient, and the next
        mail is for another one. It gets a connection of its own.

        :param kwargs: of core's ``_send``
        :param opened: ``ExitStack`` that closes the connections in the end
        :return: the same, with a connection that is open
        """
        session = kwargs.get("smtp_session")
        if not session or getattr(session, "sock", session):
            return kwargs
        server = kwargs.get("mail_server")
        connection = self.env["ir.mail_server"]._connect__(
            mail_server_id=server.id if server else None, smtp_from=session.smtp_from
        )
        opened.callback(_hang_up, connection)
        return {**kwargs, "smtp_session": connection}

    @api.model
    def _nurture_defer_held(self, provider):
        """Leave the mails of sequences to a held provider in the queue until the hold ends, spread
        over some time. Those that another process sends just now are not waited for.

        :return: ids of the mails
        """
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                "SELECT mail.id, mailing_trace.nurture_trace_id, mailing_trace.email"
                " FROM mail_mail mail JOIN mailing_trace ON mailing_trace.mail_mail_id = mail.id"
                " WHERE mail.state = 'outgoing' AND mailing_trace.nurture_trace_id IS NOT NULL"
                " AND COALESCE(mail.scheduled_date < %s, true)"
                " FOR UPDATE OF mail SKIP LOCKED",
                provider.held_date,
            )
        )
        codes = provider._get_codes({email for *_ids, email in rows})
        held = [row for row in rows if codes.get(row[2]) == provider.code]
        if not held:
            return set()
        until = provider.held_date
        dates = [
            SQL("(%s, %s, %s::timestamp)", mail_id, trace_id, provider._spread(until, mail_id))
            for mail_id, trace_id, _email in held
        ]
        later = SQL("(VALUES %s) later (mail_id, trace_id, date)", SQL(", ").join(dates))
        self.env.execute_query(
            SQL(
                "UPDATE mail_mail SET scheduled_date = later.date FROM %s"
                " WHERE mail_mail.id = later.mail_id RETURNING mail_mail.id",
                later,
            )
        )
        self.browse(row[0] for row in held).invalidate_recordset(["scheduled_date"], flush=False)
        self.env["nurture.trace"].sudo()._note_held(later, provider)
        queue = self.env.ref("mail.ir_cron_mail_scheduler_action").sudo()
        for part in range(SPREAD // SLICE + 1):
            queue._nurture_trigger_once(provider.held_date + part * SLICE)
        return {row[0] for row in held}

    @api.model
    def _nurture_release(self):
        """Send what waited for providers that are not held any more."""
        waiting = self.sudo().search(
            [
                ("state", "=", "outgoing"),
                ("scheduled_date", "!=", False),
                ("mailing_trace_ids.nurture_trace_id.reason", "=", "provider_held"),
            ]
        )
        addresses = {mail.id: mail.mailing_trace_ids[:1].email for mail in waiting}
        providers = self.env["nurture.provider"].sudo()
        codes = providers._get_codes(set(addresses.values()))
        now = fields.Datetime.now()
        held = set(providers.search([("held_date", ">", now)]).mapped("code"))
        free = waiting.filtered(lambda mail: codes.get(addresses[mail.id]) not in held)
        if free:
            free._nurture_defer(now)
            free.mailing_trace_ids.nurture_trace_id._note_released()

    def _nurture_send_queue(self, ours, **kwargs):  # pylint: disable=missing-return
        """Send these mails one by one. Before a mail leaves it is noted that it does, by the commit
        of the one before it: so there is never more than one of which nobody would know.

        :param ours: those of them that sequences send
        """
        queue = [self.browse(mail_id) for mail_id in self.ids]
        noted = self.browse()
        handed = []  # ids of the mailing traces of mails that core was given to send
        batch = self._nurture_make_batch(is_queue=True, **kwargs)
        watched = batch.carried_by(self)
        opened = ExitStack()
        try:
            # each alone: a commit empties the cache, and all the others would be read again
            for mail, following in zip_longest(queue, queue[1:], fillvalue=self.browse()):
                if mail not in ours:
                    # the server may have hung up after a mail of a sequence
                    kwargs = self._nurture_reconnect(kwargs, opened)
                    super(MailMail, mail)._send(auto_commit=True, **kwargs)
                    continue
                if mail.id in batch.delivery.deferred:
                    # its provider was held by the answer to another one
                    (mail & noted)._nurture_withdraw_note()
                    noted = self.browse()
                    continue
                kwargs = self._nurture_reconnect(kwargs, opened)
                ready = mail == noted or mail._nurture_begin_sending()
                noted = self.browse()
                # no note is left alone while sequences are notified
                ahead = following & ours if len(handed) < NOTIFIED_TOGETHER - 1 else noted
                if following.id in batch.delivery.deferred:
                    ahead = noted
                if ready and (locked := mail._nurture_hold(ahead)):
                    noted = ahead.browse({one.mail_id for one in locked if one.noted})
                    handed += [one.id for one in locked if one.mail_id == mail.id]
                    mail._nurture_send(watched.browse(mail.id), batch.delivery, **kwargs)
                if len(handed) >= NOTIFIED_TOGETHER:
                    self._nurture_handle_sent(handed)
                    handed = []
        except Exception:
            noted._nurture_withdraw_note()
            self._nurture_handle_sent(handed)
            raise
        finally:
            opened.close()
        self._nurture_handle_sent(handed)

    def _nurture_send(self, watched, delivery, **kwargs):  # pylint: disable=missing-return
        """Have core send this mail, and see to it that what it writes down is what happened.

        :param watched: this mail, in a context with the batch of ``delivery``
        """
        with watch(kwargs.get("smtp_session"), delivery):
            try:
                # pylint: disable-next=super-method-mismatch
                super(MailMail, watched)._send(auto_commit=True, **kwargs)
            except (SMTPServerDisconnected, psycopg2.Error):
                # core stops here: neither it nor the recipient's sequence would know of this mail
                self.env.cr.rollback()
                self._nurture_end_sending(delivery)
                queue = self.env.ref("mail.ir_cron_mail_scheduler_action").sudo()
                queue._trigger(fields.Datetime.now() + PAUSE)
                self.env.cr.commit()  # pylint: disable=invalid-commit
                raise

    def _nurture_handle_sent(self, ids):
        """Notify the sequences of the mails that have left, of all together.

        :param ids: of the mailing traces of mails that core was given to send
        """
        if not ids:
            return
        try:
            self.env["mailing.trace"].sudo().browse(ids)._nurture_handle_pending_sent()
            self.env.cr.commit()  # pylint: disable=invalid-commit
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            # that they have left is kept: the scheduled action of the sequences passes it on
            self.env.cr.rollback()

    def _nurture_withdraw_note(self):
        """This mail is not sent next after all."""
        self.env.cr.rollback()
        if self and self._nurture_lock():
            self._nurture_get_mailing_traces().nurture_sending_date = False
            self.env.flush_all()
            self.env.cr.commit()  # pylint: disable=invalid-commit

    def _nurture_lock(self, ahead=()):
        """See :meth:`mailing.trace._nurture_lock_queued`."""
        self.env.flush_all()
        return self.env["mailing.trace"].sudo()._nurture_lock_queued(self, ahead)

    def _nurture_begin_sending(self):
        """Note that this mail is being sent, and commit that.

        :return: whether it may be sent
        """
        try:
            if not self._nurture_take_over():
                return False
            self._nurture_get_mailing_traces().nurture_sending_date = fields.Datetime.now()
            self.env.flush_all()
            self.env.cr.commit()  # pylint: disable=invalid-commit
            return True
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            # somebody else has just done something with it; the rest of the queue goes on
            self.env.cr.rollback()
            return False

    def _nurture_hold(self, ahead):
        """Lock this mail, of which it is noted that it is being sent: what is locked from here on
        belongs to a living process. Note the same of the one after it, in the transaction that
        ends this one.

        :param ahead: the mail after it, or none
        :return: the locked mailing traces of both, none when this one may not be sent
        """
        try:
            locked = self._nurture_lock(ahead)
            own = [one for one in locked if one.mail_id == self.id]
            if not own or not all(one.sending for one in own):
                return []
            if all(one.wanted for one in own):
                return locked
            # stopped, left or not true any more, since that was noted: the next one does not follow
            following = ahead.browse(one.mail_id for one in locked if one.noted)
            (self | following)._nurture_get_mailing_traces().nurture_sending_date = False
            self._nurture_recall()
            self.env.cr.commit()  # pylint: disable=invalid-commit
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            self.env.cr.rollback()
            if ahead:
                return self._nurture_hold(self.browse())
        return []

    def _nurture_take_over(self):
        """Lock this mail. When somebody had begun to send it and holds it no more, nobody knows
        whether it has left. When its sequence was stopped, or its lead has left, it is recalled.

        :return: whether it is to be sent
        """
        try:
            locked = self._nurture_lock()
            if any(one.sending for one in locked):
                self._nurture_doubt()
            elif all(one.wanted for one in locked):
                return bool(locked)
            else:
                self._nurture_recall()
            self.env.cr.commit()  # pylint: disable=invalid-commit
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            # somebody else has just done something with it; the rest of the queue goes on
            self.env.cr.rollback()
        return False

    def _nurture_recall(self):
        """A batch that was not committed yet queued this mail while its sequence was stopped or its
        lead left, so that it could not be recalled with the others."""
        traces = self.sudo()._nurture_get_mailing_traces().nurture_trace_id
        traces.invalidate_recordset(flush=False)
        stopped = traces.sequence_id.filtered(lambda sequence: sequence.state != "running")
        stopped._recall_messages()
        others = traces.filtered(lambda trace: trace.sequence_id not in stopped).participant_id
        others.invalidate_recordset(["state"], flush=False)
        others.filtered(lambda one: one.state != "running")._recall_messages()
        self.sudo()._nurture_obey_recipient()
        queued = self.filtered(lambda mail: mail.state == "outgoing")
        queued._nurture_get_mailing_traces().nurture_trace_id._leave_outdated()

    def _nurture_obey_recipient(self):
        """Do with these mails what their recipients want: they leave the sequence, or the mail
        waits."""
        queued = self._nurture_get_mailing_traces().filtered(
            lambda one: one.mail_mail_id.state == "outgoing"
        )
        listed = self.env["mail.blacklist"].search([("email", "in", queued.mapped("email"))])
        listed._nurture_leave()
        for mailing_trace in queued:
            if self.env["nurture.preference"]._is_opted_out(mailing_trace):
                mailing_trace.nurture_trace_id.participant_id._leave("unsubscribed")
        self.env["nurture.preference"]._obey_queued(
            queued.filtered(lambda one: one.mail_mail_id.state == "outgoing")
        )

    def _nurture_end_sending(self, delivery):
        """Core could not say what became of this mail."""
        mailing_traces = self._nurture_get_mailing_traces()
        if delivery.accepted:
            self.write({"state": "sent", "failure_type": False, "failure_reason": False})
            mailing_traces.set_sent()
        elif delivery.begun:
            self._nurture_doubt()
        else:
            # it did not come to it: it stays in the queue
            mailing_traces.nurture_sending_date = False
        self.env.flush_all()

    def _nurture_doubt(self):
        """Nobody can know whether this mail has left: a person decides whether it is sent again."""
        self.write(
            {
                "state": "exception",
                "failure_type": "unknown",
                "failure_reason": self.env._(
                    "The connection to the mail server broke off, or the server process ended, "
                    "while this mail was being sent. It may have arrived or not. A retry sends it "
                    "again."
                ),
            }
        )
        self._nurture_get_mailing_traces()._nurture_set_in_doubt()
        self.env.flush_all()

    def write(self, vals):
        if vals.get("state") == "outgoing" and (unwanted := self._nurture_get_unwanted()):
            # whoever retries all that failed does not know who has left meanwhile
            unwanted.write(
                {
                    "state": "cancel",
                    "failure_reason": self.env._("Its sequence does not send it any more."),
                }
            )
            self -= unwanted
        result = super().write(vals)
        if vals.get("state") == "cancel":
            self._nurture_get_mailing_traces().set_canceled()
            self._nurture_remove_notes()
            self._nurture_note_canceled()
        elif vals.get("state") == "outgoing":
            # whoever puts it back has decided that it is sent again
            self._nurture_get_mailing_traces().filtered(
                "nurture_sending_date"
            ).nurture_sending_date = False
        return result

    def unlink(self):
        leaving = self.filtered(lambda mail: mail.state == "outgoing")
        mailing_traces = leaving._nurture_get_mailing_traces()
        leaving._nurture_remove_notes()
        leaving._nurture_note_canceled()
        result = super().unlink()
        mailing_traces.set_canceled()
        return result

    def _nurture_note_canceled(self):
        """Somebody took these mails out of the queue: requests for consent among them can be tried
        again."""
        if others := self.filtered(lambda mail: not mail.mailing_id):
            # whoever cancels mails may not write the history
            self.env["nurture.consent"].sudo()._note_unsent(
                others, self.env._("The mail was taken out of the queue.")
            )

    def _nurture_remove_notes(self):
        """Contacts show those of these mails that are mailings to leads, and they do not leave:
        take that off the contacts. On the lead it is seen in the sequence, which the message there
        leads to."""
        mailed = self.filtered(lambda mail: mail.mailing_id and mail.model == "crm.lead")
        if mailed:
            domain = [
                ("parent_id", "in", mailed.mail_message_id.ids),
                ("model", "=", "res.partner"),
                ("message_type", "=", "notification"),
            ]
            self.env["mail.message"].sudo().search(domain).unlink()

    def _nurture_get_unwanted(self):
        """The mails of sequences that are stopped, and to those who are not in theirs any more."""
        return self.filtered(
            lambda mail: any(
                trace.sequence_id.state != "running"
                or trace.participant_id.state != "running"
                or trace.state not in ("processed", "error")
                for trace in mail.sudo()._nurture_get_mailing_traces().nurture_trace_id
            )
        )

    def _nurture_get_mailing_traces(self):
        # the engine's own, whoever handles the mail
        return self.sudo().mailing_trace_ids.filtered("nurture_trace_id")
