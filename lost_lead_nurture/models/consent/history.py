from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tools import SQL, html2plaintext
from odoo.tools.osutil import clean_filename

from ...tools.arguments import check_records
from ...tools.dates import as_local
from ...tools.workbook import Sheet, make_workbook
from .consent_mixin import GROUPS


class NurtureConsentMixin(models.AbstractModel):
    """All that ever happened to the consent of a person, whatever keeps it, as one page."""

    _inherit = "nurture.consent.mixin"

    def action_view_nurture_consent(self):
        """Open the history on a page of its own."""
        check_records(self, one=True)
        self._nurture_check_may_see()
        history = self.env["nurture.consent.history"]
        history = history.create({self._nurture_get_own_column(): self.id})
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Consent"),
            "res_model": history._name,
            "res_id": history.id,
            "view_mode": "form",
        }

    def action_export_nurture_consent(self):
        """Download the history as a workbook, to hand it over."""
        check_records(self, one=True)
        self._nurture_check_may_see()
        kind = {"crm.lead": "lead", "res.partner": "contact"}[self._name]
        cids = "-".join(map(str, self.env.companies.ids))
        return {
            "type": "ir.actions.act_url",
            "url": f"/nurture/consent/{kind}/{self.id}/history.xlsx?cids={cids}",
            "target": "download",
        }

    def get_nurture_consent_history(self):
        """All that happened to the consent of this lead or contact, the oldest first.

        :return: list of ``{"date", "what", "basis", "source", "wording", "by", "company",
            "proof"}``: texts, dates as UTC strings; what is missing is False
        :raise AccessError: for who may not read the record, or is neither in sales nor a marketer
        """
        check_records(self, one=True)
        self._nurture_check_may_see()
        return [
            {**entry, "date": fields.Datetime.to_string(entry["date"])}
            for entry in self._nurture_get_history()
        ]

    def _nurture_may_see_consent(self):
        return self.env.user.has_groups(GROUPS)

    def _nurture_check_may_see(self):
        self.check_access("read")
        if not self._nurture_may_see_consent():
            raise AccessError(self.env._("Only salespeople and marketers see the consent."))

    def _nurture_get_history(self):
        """All that the user may know of the address: what was noted on this record or he sees
        anyway, and of what is kept in tables that he may not read what is about leads of his."""
        address = self._nurture_get_address()
        entries = self._nurture_get_consent_entries(address)
        if address:
            entries += [
                *self._nurture_get_preference_entries(address),
                *self._nurture_get_mail_entries(address),
                *self._nurture_get_list_entries(address),
                *self._nurture_get_blacklist_entries(address),
                *self._nurture_get_forgotten_entries(address),
            ]
        return sorted(entries, key=lambda entry: entry["date"])

    @api.model
    def _nurture_make_entry(self, date, what, **more):
        missing = dict.fromkeys(("basis", "source", "wording", "by", "company", "proof"), False)
        return {"date": date, "what": what, **missing, **more}

    def _nurture_get_consent_entries(self, address):
        consents = self.env["nurture.consent"]
        consents.flush_model()
        # the rows are filtered below
        forgotten = self.env["nurture.forgotten"].sudo()
        rows = self.env.execute_query(
            SQL(
                "SELECT id FROM nurture_consent WHERE company_id IN %s"
                " AND (email = %s OR %s OR fingerprint = %s)",
                tuple(self.env.companies.ids),
                address or None,
                SQL("%s = %s", SQL.identifier(self._nurture_get_own_column()), self.id),
                forgotten._sql_fingerprint(SQL("%s", address or "")),
            )
        )
        events = dict(consents._fields["event"]._description_selection(self.env))
        bases = dict(consents._fields["basis"]._description_selection(self.env))
        return [
            self._nurture_make_entry(
                row.date,
                events[row.event],
                basis=bases.get(row.basis, False),
                source=row.source,
                wording=row.wording,
                by=row.user_id.name,
                company=row.company_id.name,
                proof=row._get_proof(),
            )
            for row in self._nurture_filter_seen(consents.browse(id_ for (id_,) in rows))
        ]

    @api.model
    def _nurture_find_own_leads(self, address):
        """The leads with the address that the user sees."""
        leads = self.env["crm.lead"].with_context(active_test=False)
        return leads.search([("email_normalized", "=", address)])

    def _nurture_get_preference_entries(self, address):
        """What the recipient has chosen, or said to somebody. Whoever sees a lead with the address
        sees it there, too."""
        preferences = self.env["nurture.preference"]
        if not (preferences.has_access("read") or self._nurture_find_own_leads(address)):
            return []
        kinds = dict(preferences._fields["kind"]._description_selection(self.env))
        sources = dict(preferences._fields["source"]._description_selection(self.env))
        entries = []
        for one in preferences.sudo().search([("email", "=", address)]):
            more = {"source": sources[one.source]}
            if not one.company_id or one.company_id in self.env.companies:
                # of other companies it is nobody's here what they wrote, and what was answered
                if one.mailing_id:
                    more["source"] += f": {one.mailing_id.display_name}"
                proof = [one.opt_out_reason_id.name, one.feedback]
                more["proof"] = "\n".join(filter(None, proof)) or False
                more["company"] = one.company_id.name
            entries.append(
                self._nurture_make_entry(
                    one.date, kinds[one.kind], wording=one.wording, by=one.user_id.name, **more
                )
            )
        return entries

    def _nurture_get_mail_entries(self, address):
        """Mails in which somebody unsubscribed, or which somebody called spam."""
        mailing_traces = self.env["mailing.trace"]
        domain = Domain("email", "=", address) & (
            Domain("nurture_unsubscribe_date", "!=", False)
            | Domain("nurture_complaint_date", "!=", False)
        )
        if not mailing_traces.has_access("read"):
            own = self._nurture_find_own_leads(address)
            domain &= Domain("model", "=", "crm.lead") & Domain("res_id", "in", own.ids)
            mailing_traces = mailing_traces.sudo()
        mailing_traces = mailing_traces.search(domain).sudo()
        entries = []
        for one in mailing_traces:
            mailing = one.mass_mailing_id.display_name
            for date, what in (
                (one.nurture_unsubscribe_date, self.env._("Unsubscribed in a mail")),
                (one.nurture_complaint_date, self.env._("Called a mail spam")),
            ):
                if date:
                    entries.append(self._nurture_make_entry(date, what, source=mailing))
        return entries

    def _nurture_get_list_entries(self, address):
        """Mailing lists that somebody left."""
        # salespeople may not read lists, and have to know what somebody does not want
        left = (
            self.env["mailing.subscription"]
            .sudo()
            .search(
                [
                    ("contact_id.email_normalized", "=", address),
                    ("opt_out", "=", True),
                    ("opt_out_datetime", "!=", False),
                ]
            )
        )
        what = self.env._("Left a mailing list")
        return [
            self._nurture_make_entry(
                one.opt_out_datetime,
                what,
                source=one.list_id.name,
                proof=one.opt_out_reason_id.name or False,
            )
            for one in left
        ]

    def _nurture_get_blacklist_entries(self, address):
        """What core keeps in the chatter of its blacklist."""
        entries = []
        # that it is on the list shows on every record with the address
        blacklist = self.env["mail.blacklist"].sudo().with_context(active_test=False)
        may_read = self.env["mail.blacklist"].has_access("read")
        for entry in blacklist.search([("email", "=", address)]):
            what = self.env._("Blacklisted")
            user = entry.create_uid
            entries.append(self._nurture_make_entry(entry.create_date, what, by=user.name))
            for message in entry.message_ids:
                changes = message.tracking_value_ids.filtered(
                    lambda value: value.field_id.name == "active"
                )
                if changes:
                    is_on = bool(changes[:1].new_value_integer)
                    what = (
                        self.env._("Blacklisted again")
                        if is_on
                        else self.env._("Taken off the blacklist")
                    )
                else:
                    what = self.env._("Note on the blacklist")
                note = may_read and html2plaintext(message.body or "").strip()
                if changes or note:
                    entries.append(
                        self._nurture_make_entry(
                            message.date, what, by=message.author_id.name, source=note or False
                        )
                    )
        return entries

    def _nurture_get_forgotten_entries(self, address):
        """That the address was forgotten, which is known by its fingerprint only."""
        if not self.env["nurture.forgotten"].has_access("read"):
            return []
        forgotten = self.env["nurture.forgotten"].sudo()
        forgotten.flush_model()
        rows = self.env.execute_query(
            SQL(
                "SELECT id FROM nurture_forgotten WHERE fingerprint = %s",
                forgotten._sql_fingerprint(SQL("%s", address)),
            )
        )
        entries = []
        for one in forgotten.browse(id_ for (id_,) in rows):
            what, again = self.env._("Forgotten, as was asked for"), self.env._("Let in again")
            user, other = one.forgotten_user_id.name, one.let_in_user_id.name
            entries.append(self._nurture_make_entry(one.forgotten_date, what, by=user))
            if one.let_in_date:
                entries.append(self._nurture_make_entry(one.let_in_date, again, by=other))
        return entries

    # ------------------------------------------------------------
    # FILE
    # ------------------------------------------------------------

    def _nurture_get_file_name(self):
        return clean_filename(f"{self.env._('Consent')} {self.display_name}.xlsx")

    def _nurture_make_consent_workbook(self):
        self._nurture_check_may_see()
        env = self.env
        bases = dict(self._fields["nurture_basis"]._description_selection(env))
        today = [
            [env._("Name"), self.display_name],
            [env._("Address"), self._nurture_get_address()],
            [env._("Lawful Basis"), bases.get(self.nurture_basis) or env._("None is known")],
            [env._("Source"), self.nurture_basis_source],
            [env._("Since"), as_local(env, self.nurture_basis_date)],
            [env._("Wording"), self.nurture_basis_wording],
            [env._("Exported On"), as_local(env, fields.Datetime.now())],
            [env._("Exported By"), env.user.name],
        ]
        columns = [
            *(env._("Date"), env._("What Happened"), env._("Lawful Basis"), env._("Source")),
            *(env._("Wording"), env._("By"), env._("Company"), env._("Proof")),
        ]
        names = ("what", "basis", "source", "wording", "by", "company", "proof")
        rows = [
            [as_local(env, entry["date"]), *(entry[name] for name in names)]
            for entry in self._nurture_get_history()
        ]
        return make_workbook(
            [
                Sheet(env._("Today"), [env._("What"), env._("Value")], today),
                Sheet(env._("History"), columns, rows),
            ]
        )
