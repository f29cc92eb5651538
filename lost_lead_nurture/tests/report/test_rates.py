"""One meaning of each statistic, on all screens."""

import json
from datetime import timedelta

from odoo.tests import tagged

from ...models.mail.mailing_trace_statistics import RATE_OF, STATISTICS
from ..common import NurtureHttpCase

RATES = tuple(RATE_OF)


@tagged("post_install", "-at_install")
class TestRates(NurtureHttpCase):
    def setUp(self):
        super().setUp()
        for number in range(7):
            self.make_lead(f"lead{number}@recipient.example.com")
        self.sequence = self.make_sequence()
        self.first = self.make_step(self.sequence, subject="First")
        self.sequence.action_start()
        self.advance()
        mails = [self.mail_to(f"lead{number}@recipient.example.com") for number in range(7)]
        self.read_mail(mails[0])
        self.click(mails[1])
        self.answer(mails[2])
        self.bounce(mails[3])
        # a mail server may be mistaken: who clicked has got it
        self.click(mails[4])
        self.bounce(mails[4])
        self.unsubscribe(mails[5])
        self.complain(mails[6])

    def screens(self):
        """The statistics of the same mail, and its rates as far as each screen has them."""
        self.env.flush_all()
        self.env.invalidate_all()
        mailing = self.first.mailing_id.with_user(self.marketer)
        sequence = self.sequence.with_user(self.marketer)
        workflow = sequence.workflow
        card = workflow["steps"][0]["mails"]
        aggregates = [f"{name}:sum" for name in STATISTICS]
        aggregates += [f"{name}_rate:avg" for name in RATES]
        report = (
            self.env["nurture.report"]
            .with_user(self.marketer)
            ._read_group([("sequence_id", "=", sequence.id)], [], aggregates)[0]
        )
        group = sequence.formatted_read_group(
            [("id", "=", sequence.id)],
            ["user_id"],
            [
                *(f"{name}_count:sum" for name in STATISTICS),
                *(f"{name}_ratio:avg" for name in ("opened", "clicked", "replied")),
            ],
        )[0]
        statistics = {
            "mailing": {name: mailing[name] for name in STATISTICS},
            "sequence": {name: sequence[f"{name}_count"] for name in STATISTICS},
            "card": {name: card[name] for name in STATISTICS},
            "analysis": dict(zip(STATISTICS, report, strict=False)),
            "overview": {name: group[f"{name}_count:sum"] for name in STATISTICS},
        }
        rates = {
            "mailing": {
                "opened": mailing.opened_ratio,
                "clicked": mailing.clicks_ratio,
                "replied": mailing.replied_ratio,
                "bounced": mailing.bounced_ratio,
                "unsubscribed": mailing.nurture_unsubscribed_ratio,
                "complained": mailing.nurture_complained_ratio,
            },
            "sequence": {
                name: sequence[f"{name}_ratio"] for name in ("opened", "clicked", "replied")
            },
            "card": {name: 100 * card[name] / card[workflow["rate_of"][name]] for name in RATES},
            "analysis": dict(zip(RATES, report[len(STATISTICS) :], strict=True)),
            "overview": {
                name: group[f"{name}_ratio:avg"] for name in ("opened", "clicked", "replied")
            },
        }
        return statistics, rates

    def check(self, expected):
        statistics, rates = self.screens()
        delivered = statistics["mailing"]["delivered"]
        self.assertEqual(
            delivered, sum(expected[name] for name in ("opened", "ignored", "no_reaction"))
        )
        for screen, found in statistics.items():
            self.assertEqual(found, expected, screen)
        for screen, found in rates.items():
            for name, percentage in found.items():
                whole = expected[RATE_OF[name]]
                self.assertAlmostEqual(
                    percentage, 100 * expected[name] / whole, 2, f"{name} ({screen})"
                )

    def test_all_screens_agree(self):
        expected = {
            "sent": 7,
            "delivered": 6,
            "opened": 4,
            "clicked": 2,
            "replied": 1,
            "ignored": 0,
            "no_reaction": 2,
            "bounced": 2,
            "unsubscribed": 1,
            "complained": 1,
        }
        self.check(expected)
        self.clock += timedelta(days=1)
        self.check({**expected, "ignored": 2, "no_reaction": 0})

    def test_nothing_sent(self):
        other = self.make_sequence(name="Other")
        step = self.make_step(other)
        mailing = step.mailing_id
        self.assertEqual((mailing.sent, mailing.opened_ratio, mailing.clicks_ratio), (0, 0, 0))
        self.assertEqual((other.sent_count, other.opened_ratio), (0, 0))

    def test_unsaved(self):
        """A form that is being filled in has statistics of nothing."""
        self.assertEqual(self.env["mailing.mailing"].new({"subject": "New"}).no_reaction, 0)
        self.assertEqual(self.env["mailing.mailing"].new({"subject": "New"}).nurture_lead_count, 0)
        self.assertEqual(self.env["mailing.mailing"].new({}).nurture_invoiced, 0)

    def test_queries_do_not_grow(self):
        fields = [
            *("sent", "opened_ratio", "clicks_ratio", "ignored", "nurture_lead_count"),
            *("nurture_quotation_count", "nurture_invoiced_label"),
        ]
        mailings = self.env["mailing.mailing"].union(
            *(self.make_mailing(f"No {number}") for number in range(5)), self.first.mailing_id
        )
        self.env.flush_all()

        def queries(some):
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            some.with_user(self.marketer).read(fields)
            return self.env.cr.sql_log_count - before

        queries(mailings)
        self.assertEqual(queries(mailings), queries(mailings[-1]))


@tagged("post_install", "-at_install")
class TestDates(NurtureHttpCase):
    """One format of dates, in the user's language and time zone."""

    def setUp(self):
        super().setUp()
        self.env["res.lang"]._activate_lang("de_DE")
        self.clock = self.clock.replace(hour=23)
        self.lead = self.make_lead("ann@recipient.example.com")
        self.sequence = self.make_sequence()
        self.first = self.make_step(self.sequence, subject="First")
        self.second = self.make_step(self.sequence, "after", self.first, 7, subject="Second")
        self.sequence.action_start()
        self.advance()

    def dates(self, **values):
        """What several screens call the day, and the moment, of the second mail."""
        self.marketer.write(values)
        self.env.invalidate_all()
        context = self.marketer.with_user(self.marketer).context_get()
        env = self.env(user=self.marketer, context=context)
        sequence, lead = self.sequence.with_env(env), self.lead.with_env(env)
        chart = json.loads(sequence.chart)
        return {
            "card": sequence.coming,
            "lead": lead.nurture_detail,
            "decision": self.participant(self.lead).with_env(env).decisions,
            "axis": chart[0]["values"][-1]["x"],
        }

    def test_language_and_zone(self):
        dates = self.dates(lang="en_US", tz="UTC")
        self.assertIn("Mar 9, 2026", dates["card"])
        self.assertIn("Mar 9, 2026, 11:00", dates["lead"])
        self.assertIn("Mar 9, 2026, 11:00", dates["decision"])
        self.assertEqual(dates["axis"], "Mar 2")
        dates = self.dates(lang="de_DE", tz="Asia/Tokyo")
        self.assertIn("10.03.2026", dates["card"])
        self.assertIn("10.03.2026, 08:00", dates["lead"])
        self.assertIn("10.03.2026, 08:00", dates["decision"])
        self.assertEqual(dates["axis"], "3. März")
