from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from .mailing_trace import OPENED

#: What is counted of the messages of a mailing, a step or a sequence: what each statistic means,
#: in words that every screen shows. Opens, clicks and replies are those of people.
DEFINITIONS = {
    "sent": "Messages that left, those that bounced later included.",
    "delivered": "Messages that left and did not bounce, or that somebody read all the same.",
    "opened": "Messages that somebody opened, clicked in or replied to. What bots do does not "
    "count, and who opens a mail without its pictures is not seen.",
    "clicked": "Messages in which somebody clicked a link. What bots do does not count.",
    "replied": "Messages that somebody replied to. Automatic answers do not count.",
    "ignored": "Messages delivered a day ago or earlier, and neither opened, clicked nor answered.",
    "no_reaction": "Messages delivered less than a day ago, and neither opened, clicked nor "
    "answered: it is too early to call them ignored.",
    "bounced": "Messages that were returned as undeliverable.",
    "unsubscribed": "Messages in which the recipient unsubscribed.",
    "complained": "Mails that the recipient called spam, as the mail provider reported. Not all "
    "providers do.",
}
STATISTICS = tuple(DEFINITIONS)
#: What the rate of a statistic is of. Whoever a message did not reach could not do anything with
#: it; what bounced had left.
RATE_OF = {
    **dict.fromkeys(
        (
            *("opened", "clicked", "replied", "ignored", "no_reaction"),
            *("unsubscribed", "complained"),
        ),
        "delivered",
    ),
    "bounced": "sent",
}
#: Each rate: a statistic, and what it is of.
RATES = {
    **{name: (name, whole) for name, whole in RATE_OF.items()},
    "click_to_open": ("clicked", "opened"),
}
#: How many of what a rate is of: the end of its definition.
_OF = {
    "sent": "In percent of the messages sent.",
    "delivered": "In percent of the messages delivered.",
    "opened": "In percent of the messages opened.",
}
#: What each rate means.
RATE_DEFINITIONS = {
    name: f"{DEFINITIONS[statistic]} {_OF[whole]}" for name, (statistic, whole) in RATES.items()
}
#: Who has not reacted for so long has ignored the message; before, it is too early to say so.
PATIENCE = timedelta(hours=24)
#: Core's statuses of a message that left and did not bounce. Pending: an SMS that the provider
#: has taken, as in core's rates.
_ARRIVED = ("pending", "sent", *OPENED)


def rate(statistics, name):
    """The rate ``name`` in percent, see :data:`RATES`.

    :param statistics: ``{statistic: number}``
    """
    statistic, whole = RATES[name]
    return 100.0 * statistics[statistic] / statistics[whole] if statistics[whole] else 0.0


class MailingTrace(models.Model):
    """What the statistics of messages mean: the one definition, for whatever counts, lists or
    analyses them."""

    _inherit = "mailing.trace"

    # what reached a lead: what came of it is looked for by lead
    _nurture_reached_index = models.Index("(res_id) WHERE model = 'crm.lead'")
    # what sequences sent in a week, a month
    _nurture_sent_index = models.Index("(sent_datetime) WHERE nurture_trace_id IS NOT NULL")

    @api.model
    def _nurture_get_statistics(self):
        """What each statistic counts: those of :data:`STATISTICS`, and ``received``, which is what
        core calls delivered.

        Somebody who clicked had the message, and has opened it, whatever a mail server says later.

        :return: ``{statistic: Domain}``
        """
        sent = Domain("sent_datetime", "!=", False) & Domain("is_test_trace", "=", False)
        opened = Domain("open_datetime", "!=", False) | Domain("trace_status", "in", OPENED)
        clicked = Domain("links_click_datetime", "!=", False)
        replied = Domain("reply_datetime", "!=", False) | Domain("trace_status", "=", "reply")
        reacted = opened | clicked | replied
        silent = sent & Domain("trace_status", "in", _ARRIVED) & ~reacted
        since = fields.Datetime.to_string(fields.Datetime.now() - PATIENCE)
        return {
            "sent": sent,
            "received": sent & (Domain("trace_status", "=", "sent") | reacted),
            "delivered": sent & (Domain("trace_status", "in", _ARRIVED) | reacted),
            "opened": sent & opened,
            "clicked": sent & clicked,
            "replied": sent & replied,
            "ignored": silent & Domain("sent_datetime", "<=", since),
            "no_reaction": silent & Domain("sent_datetime", ">", since),
            "bounced": sent & Domain("trace_status", "=", "bounce"),
            "unsubscribed": sent & Domain("nurture_unsubscribe_date", "!=", False),
            "complained": sent & Domain("nurture_complaint_date", "!=", False),
        }

    @api.model
    def _nurture_get_statistic_names(self):
        """What each statistic is called."""
        return {
            "sent": self.env._("Sent"),
            "received": self.env._("Received"),
            "delivered": self.env._("Delivered"),
            "opened": self.env._("Opened"),
            "clicked": self.env._("Clicked"),
            "replied": self.env._("Replied"),
            "ignored": self.env._("Ignored"),
            "no_reaction": self.env._("No Reaction Yet"),
            "bounced": self.env._("Bounced"),
            "unsubscribed": self.env._("Unsubscribed"),
            "complained": self.env._("Complained"),
        }

    @api.model
    def _nurture_sql_statistics(self):
        """What each statistic counts, as SQL conditions on the table ``mailing_trace``.

        :return: ``{statistic: SQL}``
        """
        mailing_traces = self.sudo()
        return {
            name: mailing_traces._search(domain).where_clause
            for name, domain in self._nurture_get_statistics().items()
        }

    @api.model
    def _nurture_narrow(self, domain):
        """The mailing traces in ``domain``, found with the rights of the user on what belongs to
        them, for a search with all rights."""
        domain = Domain(domain)
        if domain.is_true():
            return domain
        return Domain("id", "in", self._search(domain, bypass_access=True))

    @api.model
    def _nurture_count_statistics(self, mailings, domain=()):
        """Count the mailing traces of mailings, whosever they are. One query, however many there
        are.

        :param domain: of the mailing traces that count, see :meth:`_nurture_narrow`; without one,
            all
        :return: ``{mailing: {statistic: number}}``
        """
        conditions = self._nurture_sql_statistics()
        counts = {mailing: dict.fromkeys(conditions, 0) for mailing in mailings}
        ids = {mailing._origin.id: mailing for mailing in mailings if mailing._origin}
        if not ids:
            return counts
        counted = Domain("mass_mailing_id", "in", list(ids)) & self._nurture_narrow(domain)
        rows = self.env.execute_query(
            SQL(
                "SELECT mass_mailing_id, %s FROM mailing_trace WHERE %s GROUP BY mass_mailing_id",
                SQL(", ").join(
                    SQL("count(*) FILTER (WHERE %s)", condition)
                    for condition in conditions.values()
                ),
                self.sudo()._search(counted).where_clause,
            )
        )
        for mailing_id, *numbers in rows:
            counts[ids[mailing_id]] = dict(zip(conditions, numbers, strict=True))
        return counts
