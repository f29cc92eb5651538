from collections import defaultdict

from odoo import api, fields, models, tools
from odoo.fields import Domain
from odoo.tools import SQL, consteq, hmac, html2plaintext

from ...tools.consent import BASES, ENDING, EVENTS, LINK_GONE, REQUEST_DAYS
from ...tools.dates import on_clock


class NurtureConsent(models.Model):
    """All that ever happened to the permission to write to an address, in one table to which rows
    are only added. What is valid today is the newest row with a basis, of the address and the
    company: it is marked, so that a unique index finds it."""

    _name = "nurture.consent"
    _description = "Consent"
    _order = "date desc, id desc"
    _rec_name = "email"

    email = fields.Char(
        readonly=True,
        index="btree_not_null",
        help="Normalized. Empty: whose it was has been forgotten.",
    )
    fingerprint = fields.Char(
        readonly=True,
        index="btree_not_null",
        groups=fields.NO_ACCESS,
        help="Of an address that was forgotten: whoever shows the address finds the proof.",
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="restrict")
    lead_id = fields.Many2one(
        "crm.lead",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        context={"active_test": False},
    )
    partner_id = fields.Many2one(
        "res.partner",
        string="Contact",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
    )
    event = fields.Selection(EVENTS, string="What Happened", required=True, readonly=True)
    basis = fields.Selection(
        BASES, readonly=True, help="The lawful basis from then on. Empty: it stayed what it was."
    )
    is_current = fields.Boolean(string="Valid Today", readonly=True)
    is_pending = fields.Boolean(
        string="Not Answered Yet", readonly=True, help="Nobody is asked again meanwhile."
    )
    date = fields.Datetime(required=True, readonly=True)
    source = fields.Char(readonly=True, help="Where it comes from: a form, a call, a trade fair.")
    wording = fields.Text(readonly=True, help="What the person agreed to, as it was shown.")
    user_id = fields.Many2one(
        "res.users",
        string="Noted By",
        readonly=True,
        ondelete="set null",
        help="Empty: nobody but the person it is about.",
    )

    # proof of a double opt-in
    request_id = fields.Many2one(
        "nurture.consent",
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
        help="Which request was confirmed.",
    )
    trace_id = fields.Many2one(
        "nurture.trace", readonly=True, index="btree_not_null", ondelete="set null"
    )
    mail_id = fields.Many2one(
        "mail.mail", readonly=True, index="btree_not_null", ondelete="set null"
    )
    expire_date = fields.Datetime(string="Can Be Confirmed Until", readonly=True)
    mail_subject = fields.Char(string="Subject of the Mail", readonly=True)
    mail_text = fields.Text(
        string="Text of the Mail",
        readonly=True,
        help="As it was sent, without the link: nobody confirms for somebody else.",
    )
    page_url = fields.Char(string="Page", readonly=True, help="Without what is secret in it.")
    page_text = fields.Text(string="Text of the Page", readonly=True)
    lang = fields.Char(string="Language", readonly=True)

    _current = models.UniqueIndex(
        "(email, company_id) WHERE is_current", "An address has one lawful basis at a time."
    )
    _pending = models.UniqueIndex(
        "(email, company_id) WHERE is_pending", "An address is asked once."
    )

    # ------------------------------------------------------------
    # WRITE
    # ------------------------------------------------------------

    @api.model
    def _note(self, values_list):
        """Add rows. Those with a basis are what is valid from now on; of several for one address
        and company the last one.

        :return: the rows
        """
        newest = {
            (values["email"], values["company_id"]): number
            for number, values in enumerate(values_list)
            if values.get("basis")
        }
        ending = {
            (values["email"], values["company_id"])
            for values in values_list
            if values.get("basis") in ENDING
        }
        self._supersede(newest, ending)
        now = fields.Datetime.now()
        return self.create(
            [
                {
                    "date": now,
                    **values,
                    "is_current": newest.get((values["email"], values["company_id"])) == number,
                }
                for number, values in enumerate(values_list)
            ]
        )

    @api.model
    def _supersede(self, keys, ending):
        """What was valid of these pairs of address and company is not any more; nor is what was
        asked, of those in ``ending``."""
        if not keys:
            return
        self.flush_model()

        def sql_values(pairs):
            return SQL(", ").join(SQL("(%s, %s)", email, company_id) for email, company_id in pairs)

        is_ending = SQL("false")
        if ending:
            is_ending = SQL("(email, company_id) IN (VALUES %s)", sql_values(ending))
        rows = self.env.execute_query(
            SQL(
                "UPDATE nurture_consent SET is_current = false,"
                " is_pending = is_pending AND NOT %(ending)s"
                " WHERE (is_current OR is_pending AND %(ending)s)"
                " AND (email, company_id) IN (VALUES %(pairs)s) RETURNING id",
                ending=is_ending,
                pairs=sql_values(keys),
            )
        )
        changed = self.browse(id_ for (id_,) in rows)
        changed.invalidate_recordset(["is_current", "is_pending"], flush=False)

    @api.model
    def _object(self, emails, source, wording):
        """The people at these addresses want no mails at all. That ends each basis to send them
        advertising, in every company: a consent is withdrawn, to whatever else they objected.

        :param source: how it was said, see ``nurture.preference``
        :param wording: what was shown to them, or what they wrote
        """
        current = self.search(
            [("email", "in", emails), ("is_current", "=", True), ("basis", "!=", "withdrawn")]
        )
        self._note_said("objected", dict.fromkeys(current, "withdrawn"), source, wording)

    @api.model
    def _get_given_again(self, emails):
        """What the people at these addresses give anew when they say by a link of their own that
        they want all mails again: what they had taken back. Who had nothing has nothing to give.

        :return: ``{row that is valid today: the basis before}``
        """
        current = self.search(
            [("email", "in", emails), ("is_current", "=", True), ("basis", "=", "withdrawn")]
        )
        before = self.search(
            [
                ("email", "in", current.mapped("email")),
                ("basis", "not in", [False, "withdrawn"]),
            ],
            order="date, id",
        )
        newest = {(row.email, row.company_id): row.basis for row in before}
        bases = {row: newest.get((row.email, row.company_id)) for row in current}
        return {row: basis for row, basis in bases.items() if basis}

    @api.model
    def _note_said(self, event, bases, source, wording):
        """Note what people say now of the basis to write to them.

        :param bases: ``{row that is valid today: the basis from now on}``
        """
        sources = self.env["nurture.preference"]._fields["source"]
        labels = dict(sources._description_selection(self.env))
        self._note(
            [
                {
                    "email": row.email,
                    "company_id": row.company_id.id,
                    "lead_id": row.lead_id.id,
                    "partner_id": row.partner_id.id,
                    "event": event,
                    "basis": basis,
                    "source": labels[source],
                    "wording": wording,
                    "user_id": self.env.uid if source == "person" else False,
                }
                for row, basis in bases.items()
            ]
        )

    def _keep_mail(self, mail, url):
        """Keep what the mail of a request says."""
        text = html2plaintext(mail.body_html).replace(url, LINK_GONE)
        self.write({"mail_id": mail.id, "mail_subject": mail.subject, "mail_text": text})

    def _confirm(self, page_url, page_text):
        """The person confirms this request. It may be called any number of times.

        :return: what proves it, or nothing where the request is not valid any more
        """
        self.ensure_one()
        # of two clicks at once the second one waits; core tries it again after the first one wrote
        self.flush_recordset()
        self.env.execute_query(
            SQL("SELECT id FROM nurture_consent WHERE id = %s FOR UPDATE", self.id)
        )
        self.invalidate_recordset(flush=False)
        confirmed = self._get_confirmation()
        if confirmed or not self._is_open():
            return confirmed
        confirmed = self._note(
            [
                {
                    "email": self.email,
                    "company_id": self.company_id.id,
                    "lead_id": self.lead_id.id,
                    "partner_id": self.partner_id.id,
                    "event": "confirmed",
                    "basis": "confirmed",
                    "source": self.source,
                    "wording": self.wording,
                    "request_id": self.id,
                    "mail_subject": self.mail_subject,
                    "mail_text": self.mail_text,
                    "page_url": page_url,
                    "page_text": page_text,
                    "lang": self.lang,
                }
            ]
        )
        self._find_asking()._handle("confirmed")
        self.env["nurture.sequence"]._wake_cron()
        return confirmed

    def _get_confirmation(self):
        """The row that says that this request was confirmed, as long as that is what is valid and
        the link is."""
        if self._is_expired():
            return self.browse()
        return self.search([("request_id", "=", self.id), ("is_current", "=", True)], limit=1)

    def _is_expired(self):
        return not self.expire_date or self.expire_date < fields.Datetime.now()

    def _is_open(self):
        """Whether the request can be confirmed."""
        return (
            self.is_pending
            and not self._is_expired()
            and not self.env["nurture.preference"]._is_blacklisted(self.email)
            and not self.env["nurture.forgotten"].sudo()._find_forgotten([self.email])
        )

    def _find_asking(self):
        """The steps that wait for this address to confirm, of whatever sequence."""
        asking = self.env["nurture.trace"].search(
            [
                ("participant_id.email", "=", self.email),
                ("participant_id.state", "=", "running"),
                ("company_id", "in", [self.company_id.id, False]),
                ("step_id.step_type", "=", "opt_in"),
                ("state", "=", "processed"),
            ]
        )
        # the lead may have got another address since it entered
        return asking | self.trace_id

    @api.model
    def _find_confirmed(self, traces):
        """Whom of those at ``traces`` need not be asked.

        :return: set of pairs of address and company
        """
        keys = {trace._get_consent_key() for trace in traces}
        rows = self.search(
            [
                ("email", "in", [email for email, _company_id in keys]),
                ("is_current", "=", True),
                ("basis", "=", "confirmed"),
            ]
        )
        return {(row.email, row.company_id.id) for row in rows}

    @api.model
    def _note_unsent(self, mails, reason=None):
        """These mails could not be sent: of requests among them that is noted, and their steps can
        be tried again.

        :param reason: why, where the mails do not say
        """
        requests = self.search([("mail_id", "in", mails.ids), ("is_pending", "=", True)])
        for request in requests:
            request.is_pending = False
            why = reason or request.mail_id.failure_reason
            self._note(
                [
                    {
                        "email": request.email,
                        "company_id": request.company_id.id,
                        "lead_id": request.lead_id.id,
                        "partner_id": request.partner_id.id,
                        "event": "failed",
                        "source": why,
                    }
                ]
            )
            request.trace_id._set_state("error", "mail_failed", why)
            request.trace_id._stop_branch()

    @api.model
    def _recall(self, traces_domain):
        """Take the requests of these traces that have not left out of the queue.

        :return: the traces
        """
        requests = self.search(
            [
                ("is_pending", "=", True),
                ("mail_id.state", "=", "outgoing"),
                ("trace_id", "any", traces_domain),
            ]
        )
        if requests:
            requests.is_pending = False
            requests.mail_id.unlink()
        return requests.trace_id

    def _end_requests(self):
        """Nobody can confirm these any more; those that are in the queue do not leave."""
        self.filtered("is_pending").is_pending = False
        self.mail_id.filtered(lambda mail: mail.state != "sent").unlink()

    def _forget(self):
        """Erase who it was, and take what is in the queue back. What was agreed to when stays: who
        shows the address again finds it by its fingerprint."""
        rows = self.filtered("email")
        if not rows:
            return
        rows._end_requests()
        forgotten = self.env["nurture.forgotten"]
        forgotten._make_salt()
        self.env.execute_query(
            SQL(
                "UPDATE nurture_consent SET fingerprint = %s, email = NULL, lead_id = NULL,"
                " partner_id = NULL, is_current = false, is_pending = false,"
                # both name the person
                " mail_text = NULL, page_text = NULL, source = NULL WHERE id IN %s RETURNING id",
                forgotten._sql_fingerprint(SQL("email")),
                tuple(rows.ids),
            )
        )
        rows.invalidate_recordset(flush=False)

    # ------------------------------------------------------------
    # LINK
    # ------------------------------------------------------------

    def _get_url(self, base):
        """Where this request is confirmed."""
        return f"{base}/nurture/consent/{self.id}/{self._get_token()}"

    def _get_token(self):
        return hmac(self.env(su=True), "lost_lead_nurture-consent", (self.id, self.email))

    def _is_signed(self, token):
        return consteq(self._get_token().encode(), token.encode())

    @api.model
    def _get_expire_date(self):
        return fields.Datetime.add(fields.Datetime.now(), days=REQUEST_DAYS)

    def _get_proof(self):
        """What a row proves, in words: of a confirmation both times, the mail and the page."""
        self.ensure_one()
        lines = []
        if self.request_id:
            asked = on_clock(self.env, self.request_id.date)
            lines.append(self.env._("Asked for it on %s", asked))
        if self.event == "confirmed":
            lines.append(self.env._("Confirmed on %s", on_clock(self.env, self.date)))
        for label, text in (
            (self.env._("Address:"), self.request_id and self.email),
            (self.env._("Mail:"), self.mail_subject),
            ("", self.mail_text),
            (self.env._("Page:"), self.page_url),
            ("", self.page_text),
        ):
            if text:
                lines.append(f"{label} {text}".strip())
        return "\n".join(lines) or False

    # ------------------------------------------------------------
    # WHO MAY BE WRITTEN TO
    # ------------------------------------------------------------

    @api.model
    @tools.ormcache()
    def _get_choices(self):
        """Which companies write on which bases; those that have not chosen are missing.

        :return: tuple of (bases, ids of companies)
        """
        companies = defaultdict(list)
        for company in self.env["res.company"].sudo().search(Domain.TRUE):
            if bases := company._nurture_get_bases():
                companies[bases].append(company.id)
        return tuple((bases, tuple(ids)) for bases, ids in companies.items())

    @api.model
    def _sql_no_basis(self, home, companies=None, address=None):
        """Whether the company has chosen bases, and the address of the alias ``lead`` has none of
        them. As long as no company has chosen there is nothing to look at.

        :param home: SQL of the company that writes
        :param companies: ids of the companies that may be it, where that is known
        :param address: SQL of the address, if that is another one
        :return: list of SQL conditions
        """
        conditions = []
        for bases, ids in self._get_choices():
            chosen = ids if companies is None else tuple(set(ids) & set(companies))
            if chosen:
                conditions.append(
                    SQL(
                        "(COALESCE(%(home)s IN %(companies)s, false) AND NOT EXISTS ("
                        "SELECT 1 FROM nurture_consent consent WHERE consent.is_current"
                        " AND consent.email = %(address)s"
                        " AND consent.company_id = %(home)s AND consent.basis IN %(bases)s))",
                        address=address or SQL("lead.email_normalized"),
                        home=home,
                        companies=chosen,
                        bases=bases,
                    )
                )
        return conditions

    @api.model
    def _sql_is_basis(self, home, basis):
        """Whether ``basis`` is that of the address of the alias ``lead``, for the company."""
        return SQL(
            "EXISTS (SELECT 1 FROM nurture_consent consent WHERE consent.is_current"
            " AND consent.email = lead.email_normalized AND consent.company_id = %s"
            " AND consent.basis = %s)",
            home,
            basis,
        )

    @api.model
    def _sql_is_pending(self, home):
        """Whether the address of the alias ``lead`` has been asked, and has not answered."""
        return SQL(
            "EXISTS (SELECT 1 FROM nurture_consent consent WHERE consent.is_pending"
            " AND consent.email = lead.email_normalized AND consent.company_id = %s)",
            home,
        )
