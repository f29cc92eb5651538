"""What a sequence causes: those written to beside those held out."""

from datetime import timedelta
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from ...models.sequence import statistics as sequence_statistics
from ..common import NurtureCase


class LiftCase(NurtureCase):
    """Hundreds of leads, of whom a fixed share returns."""

    def enter(self, sequence, written_to, held_out, back, back_held_out):
        """Participants as entering makes them, of leads that do or do not return."""
        participants = self.env["nurture.participant"]
        for number, returned, state in (
            (written_to, back, "running"),
            (held_out, back_held_out, "holdout"),
        ):
            leads = self.env["crm.lead"].create(
                [
                    {
                        "name": f"Lead {n}",
                        "user_id": self.salesman.id,
                        "company_id": self.company.id,
                    }
                    for n in range(number)
                ]
            )
            participants |= participants.create(
                [
                    {
                        "sequence_id": sequence.id,
                        "company_id": self.company.id,
                        "lead_id": lead.id,
                        "dedup_key": f"{sequence.id} {lead.id}",
                        "state": state,
                        "entered_date": self.clock,
                        "holdout_percent": sequence.holdout_percent,
                        "lost_reason_id": self.reason_stock.id,
                    }
                    for lead in leads
                ]
            )
            later = self.clock + timedelta(days=3)
            self.env["nurture.outcome"].create(
                [
                    {
                        "key": f"test:{lead.id}",
                        "kind": "quotation",
                        "lead_id": lead.id,
                        "company_id": self.company.id,
                        **dict.fromkeys(("date", "deal_date", "credit_date"), later),
                    }
                    for lead in leads[:returned]
                ]
            )
        return participants


@tagged("post_install", "-at_install")
class TestLift(LiftCase):
    def test_decided(self):
        sequence = self.make_sequence(holdout_percent=50)
        self.enter(sequence, 200, 200, 60, 20)
        lift = sequence.with_user(self.marketer).get_lift()
        self.assertEqual(
            lift["written_to"], {"leads": 200, "quotation": 60, "order": 0, "earned": 0.0}
        )
        self.assertEqual((lift["holdout"]["leads"], lift["holdout"]["quotation"]), (200, 20))
        self.assertTrue(lift["is_divided_as_planned"])
        quotation = lift["goals"]["quotation"]
        self.assertAlmostEqual(quotation["difference"], 0.2)
        self.assertTrue(quotation["decided"])
        self.assertGreater(quotation["e_value"], 20)
        self.assertEqual(quotation["missing"], 0)
        self.assertFalse(lift["goals"]["order"]["decided"])
        self.assertIn("more than without it", sequence.lift)
        self.assertIn("60 (30.0", sequence.lift)

    def test_not_enough_yet(self):
        """No verdict before its time, and about how many more it takes."""
        sequence = self.make_sequence(holdout_percent=50)
        self.enter(sequence, 40, 40, 8, 4)
        quotation = sequence.get_lift()["goals"]["quotation"]
        self.assertFalse(quotation["decided"])
        self.assertGreater(quotation["missing"], 100)
        self.assertLess(quotation["low"], 0)
        self.assertGreater(quotation["high"], 0.1)
        self.assertIn("Not enough yet", sequence.lift)
        self.assertNotIn("makes a difference", sequence.lift)

    def test_divided_otherwise(self):
        """A tenth was to be held out and a half was: no verdict, whatever the numbers."""
        sequence = self.make_sequence(holdout_percent=10)
        self.enter(sequence, 200, 200, 60, 20)
        self.assertFalse(sequence.get_lift()["is_divided_as_planned"])
        self.assertIn("Nothing can be said", sequence.lift)
        self.assertNotIn("makes a difference", sequence.lift)

    def test_changed_share(self):
        """Who entered while a tenth was held out is compared with those of that time: of the first
        time nobody returns and of the second all do, so that the sum alone would show something."""
        sequence = self.make_sequence(holdout_percent=10)
        self.enter(sequence, 90, 10, 0, 0)
        sequence.holdout_percent = 90
        self.enter(sequence, 10, 90, 10, 90)
        lift = sequence.get_lift()
        self.assertTrue(lift["is_divided_as_planned"])
        self.assertAlmostEqual(lift["goals"]["quotation"]["difference"], 0.0)
        self.assertFalse(lift["goals"]["quotation"]["decided"])

    def test_pooled(self):
        """Two sequences that are too small alone show it together."""
        sequences = self.env["nurture.sequence"]
        for name in ("Restock", "Repair"):
            sequence = self.make_sequence(name=name, holdout_percent=50)
            self.enter(sequence, 80, 80, 28, 10)
            sequences |= sequence
        alone = [sequence.get_lift()["goals"]["quotation"] for sequence in sequences]
        both = sequences.get_lift()["goals"]["quotation"]
        self.assertAlmostEqual(both["e_value"], alone[0]["e_value"] * alone[1]["e_value"])
        self.assertFalse(any(one["decided"] for one in alone))
        self.assertTrue(both["decided"])
        self.assertGreater(both["low"], alone[0]["low"])

    def test_window(self):
        """What becomes of a lead later has nothing to do with it."""
        sequence = self.make_sequence(holdout_percent=50, window_days=2)
        self.enter(sequence, 20, 20, 5, 5)
        lift = sequence.get_lift()
        self.assertEqual((lift["written_to"]["quotation"], lift["holdout"]["quotation"]), (0, 0))

    def test_restored_by_the_sequence(self):
        """That the sequence restores whoever orders is no effect of its mails: customers of both
        sides order alike, one by a new opportunity, as the lead that is held out stays lost."""
        sequence = self.make_sequence(holdout_percent=50)
        self.make_step(sequence)
        for number in range(40):
            self.make_lead(f"lead{number}@recipient.example.com")
        sequence.action_start()
        self.run_cron()
        for journey in sequence.participant_ids:
            lead = journey.lead_id
            partner = self.env["res.partner"].create({"name": "Ann", "email": lead.email_from})
            is_held_out = journey.state == "holdout"
            deal = self.make_lead("", lost=False) if is_held_out else lead
            self.env["sale.order"].create(
                {"partner_id": partner.id, "opportunity_id": deal.id, "date_order": self.clock}
            )
        lift = sequence.get_lift()
        for arm in ("written_to", "holdout"):
            self.assertTrue(lift[arm]["leads"])
            self.assertEqual(lift[arm]["quotation"], lift[arm]["leads"], arm)
        self.assertFalse(lift["goals"]["quotation"]["decided"])

    def test_entered_twice(self):
        """Counted once, from the first time on."""
        sequence = self.make_sequence(holdout_percent=50)
        journey = self.enter(sequence, 1, 1, 1, 0)[0]
        journey.copy({"enrolment_number": 2, "state": "completed", "dedup_key": journey.dedup_key})
        lift = sequence.get_lift()
        self.assertEqual((lift["written_to"]["leads"], lift["written_to"]["quotation"]), (1, 1))

    def test_rights(self):
        """Salespeople count their own leads; others nothing."""
        sequence = self.make_sequence(holdout_percent=50)
        participants = self.enter(sequence, 20, 20, 5, 5)
        participants.lead_id[15:25].user_id = self.colleague
        lift = sequence.with_user(self.colleague).get_lift()
        self.assertNotIn("earned", lift["holdout"], "that is not for salespeople")
        self.assertNotIn("Paid per Lead", sequence.with_user(self.colleague).lift)
        self.assertIn("Paid per Lead", sequence.with_user(self.marketer).lift)
        self.assertEqual(lift["written_to"]["leads"] + lift["holdout"]["leads"], 10)
        with self.assertRaises(AccessError):
            sequence.with_user(self.employee).get_lift()

    def test_kept_in_its_own_currency(self):
        """What is kept is of the sequence's company, whoever counts it and whoever looks."""
        foreign = self.env["res.currency"].create({"name": "XLN", "symbol": "ℓ", "rounding": 0.01})
        self.env["res.currency.rate"].create({"currency_id": foreign.id, "rate": 4.0})
        other = self.env["res.company"].create({"name": "Other", "currency_id": foreign.id})
        sequence = self.make_sequence(company_id=other.id, holdout_percent=50)
        lead = self.enter(sequence, 10, 10, 0, 0).lead_id[:1]
        self.env["nurture.outcome"].create(
            {
                "key": "paid",
                "kind": "paid",
                "lead_id": lead.id,
                "company_id": other.id,
                "company_amount": 300.0,
                **dict.fromkeys(("date", "deal_date", "credit_date"), self.clock),
            }
        )
        with patch.object(sequence_statistics, "MANY_TRACES", 0):
            sequence.with_company(self.company)._keep_statistics()
        kept = self.env["nurture.statistics"].search([("sequence_id", "=", sequence.id)])
        self.assertEqual(kept.counts["lift"]["written_to"]["earned"], 300.0)
        viewer = self.make_marketer(self.company | other)
        for first, second in ((self.company, other), (other, self.company)):
            seen = sequence.with_user(viewer).with_context(
                allowed_company_ids=[first.id, second.id]
            )
            seen.invalidate_recordset()
            self.assertIn("30.00&nbsp;ℓ", seen.lift)

    def test_nobody_held_out(self):
        sequence = self.make_sequence()
        self.enter(sequence, 5, 0, 1, 0)
        self.assertFalse(sequence.lift)
        self.assertEqual(sequence.get_lift()["goals"]["quotation"]["low"], -1.0)

    def test_what_a_list_can_never_show(self):
        """Said before anybody is written to."""
        sequence = self.make_sequence(holdout_percent=10)
        self.assertIn("too few", sequence._say_detectable(9, 1))
        words = sequence._say_detectable(900, 100)
        self.assertIn("5.0\N{NO-BREAK SPACE}%", words)
        self.assertFalse(sequence._say_detectable(900, 0))
        for number in range(40):
            self.make_lead(f"lead{number}@recipient.example.com")
        sequence.holdout_percent = 50
        self.make_step(sequence)
        start = self.env["nurture.start"].create({"sequence_id": sequence.id})
        self.assertTrue(start.held_out_count)
        self.assertIn("shows beside", start.detectable)


@tagged("post_install", "-at_install")
class TestComparison(LiftCase):
    """The screen on which what sequences cause is pooled."""

    def enter_globally(self, sequence, written_to, held_out, back, back_held_out):
        """Participants of whom the company holds half out."""
        participants = self.enter(sequence, written_to, held_out, back, back_held_out)
        for participant in participants:
            participant.write(
                {
                    "email": f"{participant.lead_id.id}@recipient.example.com",
                    "global_holdout_percent": 50,
                    "is_held_out_globally": participant.state == "holdout",
                }
            )
        return participants

    def compare(self, user=None, **values):
        """The rows of the screen: ``{name: row}``."""
        comparison = self.env["nurture.comparison"].with_user(user or self.marketer).create(values)
        return {line.name: line for line in comparison.line_ids}

    def opened(self, line, statistic):
        action = line.with_context(nurture_statistic=statistic).action_view_participants()
        return self.env[action["res_model"]].with_user(line.env.user).search(action["domain"])

    def setUp(self):
        super().setUp()
        self.first = self.make_sequence(name="Restock Ours", holdout_percent=50)
        self.second = self.make_sequence(name="Repair Ours", holdout_percent=50)
        for sequence in (self.first, self.second):
            self.enter(sequence, 80, 80, 28, 10)
            self.env.cr.execute(
                "UPDATE nurture_sequence SET state = 'stopped' WHERE id = %s", [sequence.id]
            )
        self.env.invalidate_all()

    def test_all_together(self):
        """Two sequences that are too small alone decide together."""
        rows = self.compare(sequence_ids=(self.first | self.second).ids)
        (row,) = rows.values()
        self.assertEqual((row.written_to, row.held_out), (160, 160))
        self.assertEqual((row.written_to_reached, row.held_out_reached), (56, 20))
        self.assertTrue(row.is_decided)
        self.assertIn("more than without", row.verdict)
        rows = self.compare(by="sequence", sequence_ids=(self.first | self.second).ids)
        self.assertEqual(set(rows), {"Restock Ours", "Repair Ours"})
        self.assertFalse(any(row.is_decided for row in rows.values()))

    def test_by_reason(self):
        """What works for one reason may do nothing for another."""
        others = self.enter(self.first, 60, 60, 6, 6)
        others.lost_reason_id = self.reason_price
        rows = self.compare(by="reason", sequence_ids=(self.first | self.second).ids)
        stock, price = rows[self.reason_stock.name], rows[self.reason_price.name]
        self.assertEqual((stock.written_to, stock.held_out_reached), (160, 20))
        self.assertEqual((price.written_to, price.held_out_reached), (60, 6))
        self.assertTrue(stock.is_decided)
        self.assertFalse(price.is_decided)

    def test_global(self):
        """What all sequences cause: beside those whom none writes to, and from when there were
        such. Who is in two sequences counts once."""
        self.assertFalse(self.compare(by="global"))
        participants = self.enter_globally(self.first, 100, 100, 40, 10)
        again = participants[0].copy({"sequence_id": self.second.id, "dedup_key": "again"})
        self.assertEqual(again.email, participants[0].email)
        (row,) = self.compare(by="global", sequence_ids=(self.first | self.second).ids).values()
        self.assertEqual((row.written_to, row.held_out), (100, 100))
        self.assertEqual((row.written_to_reached, row.held_out_reached), (40, 10))
        self.assertTrue(row.is_decided)

    def test_opened(self):
        """Each number opens whom it counts."""
        self.enter_globally(self.first, 10, 10, 4, 2)
        for by in ("all", "sequence", "reason", "global"):
            for row in self.compare(by=by).values():
                for statistic in (
                    *("written_to", "held_out"),
                    *("written_to_reached", "held_out_reached"),
                ):
                    found = self.opened(row, statistic)
                    self.assertEqual(len(found), row[statistic], (by, row.name, statistic))

    def test_bad_statistic(self):
        (row,) = self.compare().values()
        for statistic in ("verdict", "written_to_earned", "", False, ["held_out"]):
            with self.assertRaises(UserError):
                self.opened(row, statistic)

    def test_two_companies(self):
        """A lead with quotations in two companies is one lead."""
        lead = self.env["nurture.outcome"].search([("lead_id", "!=", False)], limit=1).lead_id
        sequence = lead.nurture_participant_ids.sequence_id
        quotations = sequence.get_lift()["written_to"]["quotation"]
        held_out = sequence.get_lift()["holdout"]["quotation"]
        other = self.env["res.company"].create({"name": "Other"})
        self.marketer.company_ids += other
        later = self.clock + timedelta(days=3)
        self.env["nurture.outcome"].create(
            {
                "key": "other",
                "kind": "quotation",
                "lead_id": lead.id,
                "company_id": other.id,
                **dict.fromkeys(("date", "deal_date", "credit_date"), later),
            }
        )
        sequence = sequence.with_user(self.marketer)
        sequence = sequence.with_context(allowed_company_ids=(self.company | other).ids)
        lift = sequence.get_lift()
        self.assertEqual(lift["written_to"]["quotation"], quotations)
        self.assertEqual(lift["holdout"]["quotation"], held_out)

    def test_rights(self):
        """It is for marketers; of another company they see nothing."""
        with self.assertRaises(AccessError):
            self.compare(user=self.colleague)
        other = self.env["res.company"].create({"name": "Other"})
        stranger = new_test_user(
            self.env,
            "nurture_stranger",
            "lost_lead_nurture.group_user",
            company_id=other.id,
            company_ids=other.ids,
        )
        ours = {self.first.name, self.second.name}
        self.assertFalse(ours & set(self.compare(user=stranger, by="sequence")))
        with self.assertRaises(AccessError):
            self.compare(user=stranger, by="sequence", sequence_ids=self.first.ids)
