from odoo import api, fields, models
from odoo.fields import Domain

#: For so many days reports are counted where a sender is shown.
RECENT_DAYS = 30


class NurtureAuthFailure(models.Model):
    """What servers report of mails of ours that could not prove whose they are (RFC 6591): their
    SPF, DKIM or DMARC has failed. Nobody complains by that, and somebody who forwards a mail may be
    all the reason there is; many of them say that the sending domain is not set up rightly.

    Anybody can send such a report. So it is believed as far as it names a mail of ours by its
    Message-ID, which nobody else knows, and each server says it of a mail once.
    """

    _name = "nurture.auth.failure"
    _description = "Report of Failed Authentication"
    _order = "date desc, id desc"
    _rec_name = "reporter"

    date = fields.Datetime(string="Reported On", required=True, readonly=True)
    reporter = fields.Char(
        string="Reported By", required=True, readonly=True, help="Whose mail server reports it."
    )
    domain = fields.Char(
        string="Sending Domain", readonly=True, help="From which domain the mail says it is."
    )
    failed = fields.Char(
        string="What Failed",
        readonly=True,
        help="As the server calls it: dmarc, spf, signature (DKIM), adsp, bodyhash, revoked. Empty "
        "where it does not say so.",
    )
    results = fields.Text(
        string="Results of the Checks", readonly=True, help="In the words of the server."
    )
    source_ip = fields.Char(
        string="Sent From",
        readonly=True,
        help="From which address it got the mail. If that is none of your mail servers, somebody "
        "has forwarded it.",
    )
    delivery = fields.Char(
        string="What Became of It",
        readonly=True,
        help="Delivered, spam, rejected, … as far as the server says so.",
    )
    mailing_trace_id = fields.Many2one(
        "mailing.trace", string="Mail", required=True, readonly=True, ondelete="cascade"
    )
    mailing_id = fields.Many2one(related="mailing_trace_id.mass_mailing_id", string="Mailing")
    sequence_id = fields.Many2one(
        "nurture.sequence", readonly=True, index="btree_not_null", ondelete="cascade"
    )
    company_id = fields.Many2one("res.company", readonly=True)

    _once = models.UniqueIndex("(mailing_trace_id, reporter)")

    @api.model
    def _take(self, failure):
        """Keep what a server reports of a mail of ours.

        :param failure: :class:`~tools.complaints.AuthFailure`
        :return: whether it is about one
        """
        mailing_traces = self.env["mailing.trace"].sudo()._nurture_find_named(failure.message_ids)
        reporter = failure.reporter or failure.domain or self.env._("Unknown")
        known = self.sudo().search(
            [("mailing_trace_id", "in", mailing_traces.ids), ("reporter", "=", reporter)]
        )
        self.sudo().create(
            [
                {
                    "date": fields.Datetime.now(),
                    "reporter": reporter,
                    "mailing_trace_id": one.id,
                    "sequence_id": one.nurture_trace_id.sequence_id.id,
                    "company_id": one._nurture_get_company().id,
                    **{
                        name: getattr(failure, name)
                        for name in ("domain", "failed", "results", "source_ip", "delivery")
                    },
                }
                for one in mailing_traces - known.mailing_trace_id
            ]
        )
        return bool(mailing_traces)

    @api.model
    def _get_recent(self):
        """Domain of those that count where a sender is shown."""
        since = fields.Datetime.subtract(fields.Datetime.now(), days=RECENT_DAYS)
        return Domain("date", ">=", since)
