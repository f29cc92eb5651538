import logging
import re
import time
from datetime import timedelta

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools.arguments import check_records
from ...tools.dates import on_clock
from ...tools.dns import NoAnswer, get_resolver
from ...tools.pace import RECOVERING, per_hour, slowed_down
from ...tools.providers import DOMAINS
from ...tools.sending_hours import share_of

_logger = logging.getLogger(__name__)

#: Codes (RFC 3463) of what is said of one mailbox, or of one mail to many: it holds nobody else.
OF_MAILBOX = re.compile(r"\s*(?:[45]\.2\.\d|4\.5\.3)\b")
#: The most mails an hour that somebody can set as a limit.
MAX_HOURLY = 1_000_000
#: A provider that is held again so soon after it was held is held twice as long.
AGAIN = timedelta(days=1)
LONGEST_HOLD = timedelta(days=1)
#: After so many holds in a row its mails are not tried any more: some nine days.
MOST_HOLDS = 12
#: So many questions are put to the DNS at a time, for so many seconds; what it said is believed for
#: so long.
MAX_QUESTIONS, MAX_SECONDS = 50, 10
KNOWN_FOR = timedelta(days=30)
#: Where it said nothing it is asked again after this time.
ASKED_AGAIN = timedelta(hours=1)
#: What was held leaves spread over this time when the hold ends.
SPREAD = timedelta(minutes=30)


class NurtureProvider(models.Model):
    """A mail provider: who keeps the mailboxes of recipients, and how many mails it takes.

    It has a limit that somebody sets, and is held, alone, when it says that it takes no more for
    now. A provider that nobody knows is the domain of the address, and gets a record when it is
    held for the first time.
    """

    _name = "nurture.provider"
    _description = "Mail Provider"
    _order = "name, id"

    name = fields.Char(required=True)
    code = fields.Char(
        required=True,
        help="What stands for it in the analysis, or the domain of its addresses.",
    )
    mail_hosts = fields.Char(
        string="Mail Servers",
        help="How the names of the servers end that take its mail (MX records), separated by "
        "blanks: who has a domain of their own may have their mailboxes here.",
    )
    hourly_limit = fields.Integer(
        string="Mails per Hour",
        help="No more mails of sequences than this leave for the provider in an hour, spread over "
        "it. 0: no limit.",
    )
    slow_limit = fields.Integer(
        string="Mails per Hour while Slow",
        readonly=True,
        help="How many mails an hour leave for now, as the provider asked for fewer.",
    )
    slow_date = fields.Datetime(string="Slow Until", readonly=True)
    held_date = fields.Datetime(
        string="Held Until", readonly=True, help="Until then no mail of a sequence leaves for it."
    )
    hold_count = fields.Integer(
        readonly=True, help="How often in a row it was held; each time twice as long."
    )
    said = fields.Text(
        string="It Said", readonly=True, help="What its server said when it was held or slowed."
    )
    status = fields.Char(compute="_compute_status", help="How it stands just now, in words.")

    _code_unique = models.Constraint("UNIQUE (code)", "This mail provider is there already.")

    @api.depends("held_date", "slow_date", "slow_limit", "hourly_limit")
    @api.depends_context("lang", "tz")
    def _compute_status(self):
        now = fields.Datetime.now()
        for provider in self:
            texts = []
            if provider.held_date and provider.held_date > now:
                date = on_clock(self.env, provider.held_date)
                texts.append(self.env._("Held until %s", date))
            if number := provider._get_slow(now):
                texts.append(
                    self.env._(
                        "%(number)s mails an hour until %(date)s",
                        number=number,
                        date=on_clock(self.env, provider.slow_date),
                    )
                )
            provider.status = ", ".join(texts) or self.env._("Takes mails")

    @api.constrains("hourly_limit")
    def _check_hourly_limit(self):
        for provider in self:
            if not 0 <= provider.hourly_limit <= MAX_HOURLY:
                raise ValidationError(
                    self.env._(
                        "“%(provider)s”: the limit is a number of mails from 0 to %(most)s.",
                        provider=provider.name,
                        most=MAX_HOURLY,
                    )
                )

    def write(self, vals):
        result = super().write(vals)
        if "hourly_limit" in vals:
            for provider in self:
                self.env["nurture.pace"]._give_anew(f"provider:{provider.code}")
        if "mail_hosts" in vals:
            self.env["nurture.mail.domain"]._assign()
        return result

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            vals["code"] = (vals.get("code") or vals.get("name") or "").strip().lower()
        providers = super().create(vals_list)
        if any(providers.mapped("mail_hosts")):
            self.env["nurture.mail.domain"]._assign()
        return providers

    def action_release(self):
        """End the hold of these providers: what waited for it leaves with the next run."""
        check_records(self)
        self.check_access("write")
        # the dates are the engine's; who gets here may write the provider
        self.sudo().write(
            {"held_date": False, "hold_count": 0, "slow_date": False, "slow_limit": 0}
        )
        for provider in self:
            self.env["nurture.pace"]._give_anew(f"provider:{provider.code}")
        self.env["nurture.pace"]._end_holds()
        self.env["mail.mail"]._nurture_release()
        return True

    def _get_slow(self, now):
        """How many mails an hour it gets for now because it asked for fewer; 0 for no limit."""
        return self.slow_limit if self.slow_date and self.slow_date > now else 0

    def _get_capacity(self, now):
        """How many mails it gets in each slice of an hour, see ``tools/pace.py``; None for as many
        as there are."""
        if self.slow_date and self.slow_date > now - RECOVERING:
            return slowed_down(self.slow_limit, self.slow_date, self.hourly_limit)
        return per_hour(self.hourly_limit) if self.hourly_limit else None

    # ------------------------------------------------------------
    # WHO KEEPS WHICH MAILBOX
    # ------------------------------------------------------------

    @api.model
    def _get_codes(self, addresses):
        """The mail providers of normalized addresses, in one query.

        :return: ``{address: code}``
        """
        domains = {address: address.rpartition("@")[2].lower() for address in addresses if address}
        known = (
            self.env["nurture.mail.domain"]
            .sudo()
            ._get_providers({domain for domain in domains.values() if domain not in DOMAINS})
        )
        return {
            address: DOMAINS.get(domain) or known.get(domain) or domain
            for address, domain in domains.items()
        }

    @api.model
    def _describe(self, code):
        """What people call a provider, and what it said if it takes no more for now."""
        # anybody may know who is waited for
        provider = self.sudo().search([("code", "=", code)])
        said = provider._get_slow(fields.Datetime.now()) or provider.held_date
        return ": ".join(filter(None, [provider.name or code, said and provider.said]))

    # ------------------------------------------------------------
    # WHAT IT SAYS
    # ------------------------------------------------------------

    @api.model
    def _take_answer(self, address, refusal):
        """Hold a provider, or slow it down, if that is what its answer asks for.

        :param address: whose mail was refused
        :param refusal: :class:`~tools.delivery.Refusal`
        :return: what the refusal means and what to do, in words, False when nobody knows; the
            provider if it is held now, else none; ids of the mails that wait for it
        """
        code = self._get_codes([address]).get(address)
        answer = self.env["nurture.provider.answer"].sudo()._find(code, refusal)
        # who refuses the sender does not know the recipient yet: it is our own mail server
        ours = refusal.stage == "mail"
        is_nothing = answer.action in (False, "none") or OF_MAILBOX.match(refusal.text)
        if not code or ours or is_nothing:
            return answer.explanation, self.browse(), set()
        try:
            with self.env.cr.savepoint():
                provider = self._have(code)
                if answer.action == "slow":
                    provider._slow(answer, refusal)
                    return answer.explanation, self.browse(), set()
                provider._hold(answer, refusal)
                waiting = self.env["mail.mail"]._nurture_defer_held(provider)
                return answer.explanation, provider, waiting
        except psycopg2.Error:
            # somebody writes the provider just now: its next answer counts
            _logger.info("%s could not be held", code, exc_info=True)
            return answer.explanation, self.browse(), set()

    @api.model
    def _have(self, code):
        """The provider of this code, with all rights: the engine writes how it stands."""
        providers = self.sudo()
        return providers.search([("code", "=", code)]) or providers.create(
            {"name": code, "code": code}
        )

    def _hold(self, answer, refusal):
        """Send it nothing for a while, longer each time it says the same again."""
        now = fields.Datetime.now()
        again = self.held_date and self.held_date > now - AGAIN
        if again and self.held_date > now:
            # several mails were on their way when it was held
            return
        count = self.hold_count + 1 if again else 1
        pause = min(timedelta(minutes=answer.minutes) * 2 ** min(count - 1, 20), LONGEST_HOLD)
        self.write({"held_date": now + pause, "hold_count": count, "said": refusal.words})

    def _slow(self, answer, refusal):
        now = fields.Datetime.now()
        until = now + timedelta(minutes=answer.minutes)
        if self._get_slow(now) == answer.number and self.slow_date > now + (until - now) / 2:
            return
        self.write({"slow_limit": answer.number, "slow_date": until, "said": refusal.words})
        self.env["nurture.pace"]._give_anew(f"provider:{self.code}")

    @api.model
    def _spread(self, date, key):
        """When something leaves that waits until ``date``: not all of it at once.

        :param key: what tells it from the others
        """
        seconds = int(share_of(key) * SPREAD.total_seconds())
        return date + timedelta(seconds=seconds)


class NurtureMailDomain(models.Model):
    """Which mail provider takes the mail of a domain, as the DNS said."""

    _name = "nurture.mail.domain"
    _description = "Domain of Recipients"
    _order = "domain"
    _log_access = False

    domain = fields.Char(required=True, readonly=True)
    mail_host = fields.Char(
        string="Mail Server", readonly=True, help="The preferred one; empty where there is none."
    )
    provider_code = fields.Char(
        readonly=True, index="btree_not_null", help="The mail provider whose server it is."
    )
    checked_date = fields.Datetime(string="Asked On", readonly=True)
    is_answered = fields.Boolean(
        string="Answered", readonly=True, help="Whether the DNS said anything when it was asked."
    )

    _domain_unique = models.Constraint("UNIQUE (domain)", "This domain is known already.")

    @api.model
    def _get_providers(self, domains):
        """``{domain: code of its provider}`` of those that are known."""
        if not domains:
            return {}
        self.flush_model()
        return dict(
            self.env.execute_query(
                SQL(
                    "SELECT domain, provider_code FROM nurture_mail_domain"
                    " WHERE domain IN %s AND provider_code IS NOT NULL",
                    tuple(domains),
                )
            )
        )

    @api.model
    def _get_resolver(self):
        """Who answers questions to the DNS, see ``tools/dns.py``; None for nobody. Another add-on
        may have somebody else answer."""
        return get_resolver()

    @api.model
    def _look_up(self, sequences):
        """Ask the DNS who takes the mail of domains to which mails are due soon, some at a time,
        while limits or holds of mail providers make that worth it. Commits.

        :param sequences: the running ones
        """
        providers = self.env["nurture.provider"].sudo()
        now = fields.Datetime.now()
        paced = Domain("hourly_limit", ">", 0) | Domain("held_date", ">", now)
        if not providers.search_count(paced, limit=1) or not (resolver := self._get_resolver()):
            return
        end = time.monotonic() + MAX_SECONDS
        for domain in self._get_unknown(sequences):
            values = {"checked_date": now, "is_answered": True}
            try:
                hosts = resolver.resolve(domain, "MX")
            except NoAnswer:
                # what was known before is better than nothing
                values["is_answered"] = False
            else:
                values["mail_host"] = hosts[0] if hosts else False
                values["provider_code"] = bool(hosts) and self._find_code(hosts[0])
            known = self.sudo().search([("domain", "=", domain)])
            if known:
                known.write(values)
            else:
                self.sudo().create({"domain": domain, **values})
            if time.monotonic() >= end:
                break
        self.env["ir.cron"]._commit_progress()

    @api.model
    def _get_unknown(self, sequences):
        """Domains to which mails are due within a day, and of which the DNS was not asked
        lately."""
        self.flush_model()
        now = fields.Datetime.now()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT split_part(lead.email_normalized, '@', 2)
                  FROM nurture_trace trace
                  JOIN nurture_participant participant ON participant.id = trace.participant_id
                  JOIN crm_lead lead ON lead.id = participant.lead_id
                 WHERE trace.state = 'scheduled' AND trace.sequence_id IN %(sequences)s
                   AND trace.schedule_date <= %(soon)s AND lead.email_normalized IS NOT NULL
                   AND split_part(lead.email_normalized, '@', 2) NOT IN %(known)s
                   AND NOT EXISTS (SELECT FROM nurture_mail_domain known
                                    WHERE known.domain = split_part(lead.email_normalized, '@', 2)
                                      AND known.checked_date > CASE WHEN known.is_answered
                                          THEN %(old)s ELSE %(failed)s END)
                 LIMIT %(limit)s
                """,
                sequences=tuple(sequences.ids) or (0,),
                soon=now + timedelta(days=1),
                known=tuple(DOMAINS),
                old=now - KNOWN_FOR,
                failed=now - ASKED_AGAIN,
                limit=MAX_QUESTIONS,
            )
        )
        return [domain for (domain,) in rows]

    @api.model
    def _assign(self):
        """Look anew whose servers take the mail of the domains that are known."""
        domains = self.sudo().search([("mail_host", "!=", False)])
        for domain in domains:
            domain.provider_code = self._find_code(domain.mail_host)

    @api.model
    def _find_code(self, host):
        """The provider whose mail server ``host`` is; False when none is known."""
        for provider in self.env["nurture.provider"].sudo().search([("mail_hosts", "!=", False)]):
            if any(
                host == end or host.endswith(f".{end}")
                for end in provider.mail_hosts.lower().split()
            ):
                return provider.code
        return False
