"""What came out, held against the script."""

from collections import Counter

from .. import shell
from . import books, cast

STATISTICS = ("sent", "opened", "clicked", "replied", "ignored", "bounced")
MAILINGS = {
    cast.BACK_IN_STOCK: "mailing_limited_item_back",
    cast.ALMOST_SOLD_OUT: "mailing_almost_sold_out",
    cast.STILL_TIME: "mailing_still_time",
    cast.LAST_CHANCE: "mailing_last_chance",
}
STEPS = {
    cast.BACK_IN_STOCK: "nurture_step_back_in_stock",
    cast.ALMOST_SOLD_OUT: "nurture_step_almost_sold_out",
    cast.STILL_TIME: "nurture_step_still_time",
    cast.LAST_CHANCE: "nurture_step_last_chance",
}


class Checks:
    """Compares what Odoo did with what the script says."""

    def __init__(self, story):
        self.admin = story.admin
        self.marketer = story.marketer
        self.campaign = story.campaign
        self.recipients = story.recipients
        self.people = {**story.sequel.people, **story.delivery.people, **story.recipients}
        self.books = story.books

    # The post

    def of_the_post(self, arrived, expected, when):
        """Check that exactly the `expected` (address, mail) arrived, each once, and nothing else
        but what Odoo tells its own users.

        :return: ``{(address, mail): what arrived}``
        """
        users = self.admin.find("res.users", [("share", "=", False)], ["email"])
        staff = {row["email"].lower() for row in users if row["email"]}
        to_customers = [mail for mail in arrived if mail.address not in staff]
        wanted = {
            (address, self.people[address].subject(mail)): (address, mail)
            for address, mail in expected
        }
        equal(
            Counter((mail.address, mail.subject) for mail in to_customers),
            Counter(wanted.keys()),
            f"Mails to customers, {when}",
        )
        return {wanted[mail.address, mail.subject]: mail for mail in to_customers}

    # The week

    def of_the_week(self, week):
        """Check all that can be seen in Odoo at the end of a week, and show the funnel."""
        self._participants()
        self._leads()
        self._answers()
        self._blacklist()
        table = self._mailings()
        totals = self._sequence()
        say_funnel(f"Week {week}", table, totals, self._people())

    def _participants(self):
        """Who takes part, with which lead, and why they left."""
        rows = self.admin.find(
            "nurture.participant",
            [("sequence_id", "=", self.campaign)],
            ["email", "lead_id", "exit_reason", "credited_step_id", "lost_reason_id"],
        )
        step = {mail: self._ref(xml_id) for mail, xml_id in STEPS.items()}
        no_stock = self.admin.ref("crm.lost_reason_3")
        equal(
            {
                row["email"]: (
                    row["lead_id"][0],
                    row["exit_reason"],
                    row["credited_step_id"] and row["credited_step_id"][0],
                    row["lost_reason_id"][0],
                )
                for row in rows
            },
            {
                recipient.address: (
                    self.admin.ref(recipient.lead),
                    recipient.exit_reason,
                    recipient.credited is not None and step[recipient.credited],
                    no_stock,
                )
                for recipient in self.recipients.values()
            },
            "Participants (lead, exit reason, credited step, lost reason)",
        )

    def _leads(self):
        """Leads that were won back are in the pipeline with their salesperson and team, the others
        are lost as before."""
        ids = {self.admin.ref(recipient.lead): recipient for recipient in self.recipients.values()}
        rows = self.admin.find(
            "crm.lead", [("id", "in", list(ids))], ["won_status", "active", "user_id", "team_id"]
        )
        equal(
            {
                ids[row["id"]].address: (
                    row["won_status"],
                    row["active"],
                    row["user_id"][0],
                    row["team_id"][0],
                )
                for row in rows
            },
            {
                recipient.address: (
                    "pending" if recipient.is_won_back else "lost",
                    recipient.is_won_back,
                    self.admin.ref(recipient.salesperson),
                    self.admin.ref(recipient.team),
                )
                for recipient in ids.values()
            },
            "Leads (status, active, salesperson, team)",
        )

    def _answers(self):
        """The salesperson of a lead that answered has one call to make, and nobody else has."""
        ids = {self.admin.ref(recipient.lead): recipient for recipient in self.recipients.values()}
        rows = self.admin.find(
            "mail.activity",
            [("res_model", "=", "crm.lead"), ("res_id", "in", list(ids))],
            ["res_id", "user_id", "activity_type_id"],
        )
        call = self.admin.ref("mail.mail_activity_data_call")
        equal(
            Counter(
                (ids[row["res_id"]].address, row["user_id"][0], row["activity_type_id"][0])
                for row in rows
            ),
            Counter(
                (recipient.address, self.admin.ref(recipient.salesperson), call)
                for recipient in ids.values()
                if recipient.left in cast.REPLIES
            ),
            "Calls to make (address, user, type)",
        )

    def _blacklist(self):
        """Whoever unsubscribed, and nobody else of the recipients, is on the blacklist."""
        rows = self.admin.find("mail.blacklist", [("active", "=", True)], ["email"])
        equal(
            {row["email"] for row in rows} & self.recipients.keys(),
            {recipient.address for recipient in self._who(cast.UNSUBSCRIPTIONS)},
            "Blacklisted addresses",
        )

    def _mailings(self):
        """Return the statistics on each mail's form, which have to be the script's."""
        table = {}
        for mail, xml_id in MAILINGS.items():
            domain = [("id", "=", self._ref(xml_id))]
            (row,) = self.marketer.find("mailing.mailing", domain, STATISTICS)
            table[mail] = {name: row[name] for name in STATISTICS}
            expected = cast.statistics(self.recipients.values(), mail)
            equal(table[mail], expected, f"Statistics of the mail “{mail}”")
        return table

    def _sequence(self, **further):
        """Return the statistics on the sequence's form, which have to be the script's.

        :param further: fields and values to check as well
        """
        expected = {
            **{f"{name}_count": n for name, n in cast.statistics(self.recipients.values()).items()},
            "participant_count": len(self.recipients),
            "lead_count": len(self.books.won_back(cast.CAMPAIGN)),
            **further,
        }
        domain = [("id", "=", self.campaign)]
        (row,) = self.marketer.find("nurture.sequence", domain, list(expected))
        found = {name: row[name] for name in expected}
        equal(found, expected, "Statistics of the sequence")
        return found

    def _people(self):
        return {
            "in the sequence": sum(
                not recipient.exit_reason for recipient in self.recipients.values()
            ),
            "won back": len(self._credited()),
            "restored without a click": len(self._who(cast.WIN_BACKS)) - len(self._credited()),
            "unsubscribed": len(self._who(cast.UNSUBSCRIPTIONS)),
        }

    # The end

    def of_the_end(self):
        """Check what the deals brought, tell it, and return the story's statistics."""
        entries = self.books.of_mails(self.books.mails_of(cast.CAMPAIGN))
        quotations = books.deals(entries, *books.QUOTED)
        row = self._sequence(
            quotation_count=len(quotations), invoiced_amount=float(books.total(entries))
        )
        shell.say(
            f"\n   {row['lead_count']} leads were won back: {row['quotation_count']} quotations, "
            f"invoiced and paid {row['invoiced_amount']:,.2f}\n"
        )
        return {
            "enrolled": row["participant_count"],
            **{name: row[f"{name}_count"] for name in STATISTICS[:5]},
            "unsubscribed": len(self._who(cast.UNSUBSCRIPTIONS)),
            "bounced": row["bounced_count"],
            "reactivated": row["lead_count"],
            "quotations": row["quotation_count"],
            "invoiced": row["invoiced_amount"],
        }

    def _who(self, actions):
        return [recipient for recipient in self.recipients.values() if recipient.left in actions]

    def _credited(self):
        return [recipient for recipient in self.recipients.values() if recipient.credited]

    def _ref(self, name):
        return self.admin.ref(f"lost_lead_nurture.{name}")


def say_funnel(title, table, totals, people):
    """Show the statistics of each mail so far, one line a mail, and where the people are."""
    shell.say(f"\n   {title:<16}" + "".join(f"{name.capitalize():>10}" for name in STATISTICS))
    total = {name: totals[f"{name}_count"] for name in STATISTICS}
    for label, row in [*table.items(), ("All", total)]:
        if row["sent"]:
            shell.say(f"   {label:<16}" + "".join(f"{row[name]:>10}" for name in STATISTICS))
    shell.say("   " + ", ".join(f"{count} {what}" for what, count in people.items()))


def equal(found, expected, what):
    """Compare sets, counters or dictionaries, and say where exactly they differ."""
    if found == expected:
        return
    lines = []
    for key in sorted({*found, *expected}, key=str):
        if isinstance(found, (set, frozenset)):
            there, wanted = key in found, key in expected
        else:
            there, wanted = found.get(key), expected.get(key)
        if there != wanted:
            lines.append(f"  {key}: {there}, expected {wanted}")
    raise AssertionError(f"{what}:\n" + "\n".join(lines))
