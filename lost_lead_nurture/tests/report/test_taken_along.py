"""What leaves the screen: a sequence's results as a workbook and on paper."""

import base64
import io
from contextlib import contextmanager
from datetime import datetime

from lxml import html
from openpyxl import load_workbook

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import find_in_path, mute_logger

from ...models.sequence import results
from ..common import ANN, BOB, DealMixin, NurtureHttpCase, SecondStepMixin, TwoLeadsMixin

EVIL = "=cmd|' /C calc'!A0"


class ResultsCase(SecondStepMixin, TwoLeadsMixin, DealMixin, NurtureHttpCase):
    """Ann clicks and pays, Bob's mail bounces, Carl is held out."""

    def setUp(self):
        super().setUp()
        self.marketer.tz = self.salesman.tz = "Europe/Brussels"
        # as people have it whom an administrator invites
        self.may_export = self.env.ref("base.group_allow_export")
        for user in (self.marketer, self.salesman):
            user.group_ids += self.may_export
        self.ann.name = EVIL
        self.start()
        self.carl = self.make_lead("carl@recipient.example.com", self.reason_price)
        self.sequence.participant_ids[0].copy(
            {
                "lead_id": self.carl.id,
                "lead_name": self.carl.name,
                "lost_reason_id": self.reason_price.id,
                "dedup_key": "carl",
                "email": "carl@recipient.example.com",
                "state": "holdout",
                "holdout_percent": 50,
            }
        )
        self.click(self.mail_to(ANN))
        self.bounce(self.mail_to(BOB))
        order = self.order(self.ann)
        self.pay(self.invoice(order))
        self.env.flush_all()
        self.env.invalidate_all()

    def sheets(self, user):
        """The workbook of ``user``: ``{sheet: rows of cells}``."""
        exported = self.seen_by(user).export_results()
        self.assertEqual(exported["name"], "Restock.xlsx")
        workbook = load_workbook(io.BytesIO(base64.b64decode(exported["content"])))
        return {sheet.title: list(sheet.rows) for sheet in workbook.worksheets}

    def lines(self, rows):
        """The rows of a sheet: a dictionary for each, by the head of its column."""
        head, *rows = ([cell.value for cell in row] for row in rows)
        return [dict(zip(head, row, strict=True)) for row in rows]

    def summary(self, user):
        lines = self.lines(self.sheets(user)["Summary"])
        return {line["What"]: (line["Number"], line["Share"]) for line in lines}


@tagged("post_install", "-at_install")
class TestWorkbook(ResultsCase):
    def test_same_as_on_the_form(self):
        summary = self.summary(self.marketer)
        sequence = self.seen_by(self.marketer)
        for label, number in (
            ("Participants", sequence.participant_count),
            ("Held Out", sequence.holdout_count),
            ("Won Back", sequence.lead_count),
            ("Sent", sequence.sent_count),
            ("Delivered", sequence.delivered_count),
            ("Opened", sequence.opened_count),
            ("Clicked", sequence.clicked_count),
            ("Bounced", sequence.bounced_count),
            ("Quotations", sequence.quotation_count),
            (f"Invoiced (Paid), {sequence.currency_id.name}", sequence.invoiced_amount),
        ):
            with self.subTest(label):
                self.assertTrue(number)
                self.assertEqual(summary[label][0], number)
        for label, rate in (
            ("Opened", sequence.opened_ratio),
            ("Clicked", sequence.clicked_ratio),
            ("Replied", sequence.replied_ratio),
        ):
            self.assertAlmostEqual(100 * summary[label][1], rate, msg=label)
        self.assertEqual(summary["Won Back"][1], 0.5, "of those who were written to")

    def test_steps(self):
        """As on the cards of the workflow."""
        lines = self.lines(self.sheets(self.marketer)["Steps"])
        cards = {card["name"]: card for card in self.seen_by(self.marketer).workflow["steps"]}
        self.assertEqual([line["Step"] for line in lines], ["First", "Second"])
        for line in lines:
            card = cards[line["Step"]]
            self.assertEqual(line["When"], card["when"])
            self.assertEqual(line["Processed"], card["counts"].get("processed", 0))
            for name in ("sent", "delivered", "opened", "clicked", "bounced"):
                self.assertEqual(line[name.capitalize()], card["mails"][name])
        self.assertEqual(lines[0]["Clicked (%)"], 1.0, "of those delivered")
        self.assertEqual(lines[0]["Bounced (%)"], 0.5)
        self.assertIsNone(lines[1]["Clicked (%)"], "nothing was sent")
        self.assertEqual((lines[0]["After"], lines[1]["After"]), (None, "First"))

    def test_versions(self):
        """A step with mails in several languages has a row for each of them."""
        french = self.env["res.lang"]._activate_lang("fr_FR")
        mailing = self.make_mailing("Premier")
        self.first.translation_ids = [
            Command.create({"lang_id": french.id, "mailing_id": mailing.id})
        ]
        lines = [
            line
            for line in self.lines(self.sheets(self.marketer)["Steps"])
            if line["Step"] == "First"
        ]
        versions = [line["Version"] for line in lines]
        self.assertEqual(versions, [None, "All other languages", french.name])
        self.assertEqual([line["Sent"] for line in lines], [2, 2, 0])

    def test_versions_of_a_test(self):
        """A row for each version of an A/B test, with the same numbers as on its card."""
        variant = self.env["nurture.variant"].browse(self.second.action_add_variant())
        variant.write({"has_delay": True, "delay": 9})
        self.make_lead("dora@recipient.example.com")
        self.advance(hours=1)
        self.advance(days=10)
        self.env["mailing.trace"].search(
            [("mass_mailing_id", "in", self.second._get_mailings().ids)]
        ).set_sent()
        self.env.flush_all()
        versions = self.seen_by(self.marketer).step_ids.browse(self.second.id).get_ab_test()
        lines = self.lines(self.sheets(self.marketer)["Versions"])
        self.assertEqual({line["Step"] for line in lines}, {"Second"})
        self.assertEqual([line["Version"] for line in lines], ["A", "B"])
        self.assertIn("after 9 days", lines[1]["When"])
        for line in lines:
            counts = versions["versions"][line["Version"]]
            self.assertEqual(line["Share"], 0.5)
            for label, name in (("Sent", "sent"), ("Clicked", "clicked"), ("Won Back", "won_back")):
                self.assertEqual(line[label], counts[name])
        self.assertEqual(sum(line["Sent"] for line in lines), 1, "to Dora")

    def test_lost_reasons(self):
        lines = self.lines(self.sheets(self.marketer)["Lost Reasons"])
        by_reason = {line["Lost Reason"]: line for line in lines}
        stock, price = (by_reason[reason.name] for reason in (self.reason_stock, self.reason_price))
        self.assertEqual((stock["Participants"], stock["Won Back"]), (2, 1))
        self.assertEqual(stock["Won Back (%)"], 0.5)
        self.assertEqual((price["Participants"], price["Held Out"]), (1, 1))
        self.assertIsNone(price["Won Back (%)"], "nobody was written to")
        earned = [line[f"Invoiced (Paid), {self.sequence.currency_id.name}"] for line in lines]
        self.assertAlmostEqual(sum(earned), self.seen_by(self.marketer).invoiced_amount)
        self.assertEqual(stock["Expected Revenue at Entry"], 200.0)

    def test_links(self):
        (line,) = self.lines(self.sheets(self.marketer)["Links"])
        self.assertEqual(line["Link"], "https://shop.example.com/limited")
        self.assertEqual((line["Mail"], line["Clicks"], line["Unique Clicks"]), ("First", 1, 1))

    def test_comparison(self):
        lines = self.lines(self.sheets(self.marketer)["Comparison"])
        lift = self.seen_by(self.marketer).get_lift()
        leads, quotation, order, paid = lines
        self.assertEqual((leads["Written to"], leads["Held out"]), (2, 1))
        self.assertEqual(quotation["Written to"], lift["written_to"]["quotation"])
        self.assertAlmostEqual(order["Difference"], lift["goals"]["order"]["difference"])
        self.assertAlmostEqual(order["E-value"], lift["goals"]["order"]["e_value"])
        self.assertIn("Not enough yet", order["Verdict"])
        self.assertEqual(paid["Written to"], lift["written_to"]["earned"])

    def test_money(self):
        lines = self.lines(self.sheets(self.marketer)["Money"])
        currency = self.sequence.currency_id.name
        amounts = {
            (line["Attribution"], line["What"]): line[f"Amount, {currency}"] for line in lines
        }
        earned = self.seen_by(self.marketer).invoiced_amount
        self.assertEqual(earned, 250.0)
        for model in ("Last Touch", "First Touch", "Linear"):
            self.assertAlmostEqual(amounts[model, "Invoiced (Paid)"], earned, msg=model)
            self.assertAlmostEqual(amounts[model, "Paid"], earned, msg=model)

    def test_costs(self):
        """As on the page Money: 10.00 and two mails at 0.25 cost 10.50, and 250.00 were paid of
        which nobody knows what they cost."""
        self.sequence.write({"fixed_cost": 10.0, "mail_cost": 0.25, "budget": 100.0})
        currency = self.sequence.cost_currency_id.name
        lines = self.lines(self.sheets(self.marketer)["Money"])
        numbers = {
            line["What"]: line[f"Amount, {currency}"] for line in lines if not line["Attribution"]
        }
        self.assertEqual(numbers[f"Cost, {currency}"], 10.5)
        self.assertEqual(numbers[f"Budget, {currency}"], 100.0)
        self.assertEqual(numbers["Budget Spent (%)"], 10.5)
        sequence = self.seen_by(self.marketer)
        self.assertEqual(numbers[f"Revenue, {currency}"], 250.0)
        self.assertEqual(numbers["Won Deals"], sequence.deal_count)
        self.assertAlmostEqual(numbers["ROI (%)"], sequence.roi)

    def test_participants_by_batches(self):
        """All are there, however few are read at once."""
        emails = [line["Email"] for line in self.lines(self.sheets(self.marketer)["Participants"])]
        self.patch(results, "_BATCH", 1)
        lines = self.lines(self.sheets(self.marketer)["Participants"])
        self.assertEqual([line["Email"] for line in lines], emails)
        self.assertEqual(len(emails), 3)

    def test_participants(self):
        rows = self.sheets(self.marketer)["Participants"]
        lines = self.lines(rows)
        self.assertEqual(len(lines), self.seen_by(self.marketer).participant_count)
        (ann,) = (line for line in lines if line["Email"] == ANN)
        self.assertEqual(ann["Lead Name"], EVIL)
        cell = next(cell for row in rows for cell in row if cell.value == EVIL)
        self.assertEqual(cell.data_type, "s", "no formula")
        # 9:00 in UTC, on the marketer's clock
        self.assertEqual(ann["Entered On"], datetime(2026, 3, 2, 10, 0))
        self.assertEqual(ann["Expected Revenue"], 100.0)
        self.assertEqual(ann["Lost Reason"], self.reason_stock.name)
        self.assertEqual(ann["Won Back By"], "First")

    def test_participants_of_who_may_not_export(self):
        """As everywhere in Odoo: who may not export takes no list of people along, but statistics
        are none."""
        self.marketer.group_ids -= self.may_export
        sheets = self.sheets(self.marketer)
        self.assertNotIn("Participants", sheets)
        self.assertIn("Summary", sheets)

    def test_more_than_a_sheet_has_rows(self):
        self.patch(results, "MAX_ROWS", 2)
        with self.assertRaisesRegex(UserError, "3 participants are more than the 2 rows"):
            self.seen_by(self.marketer).export_results()

    def test_salesperson(self):
        """Own leads, no mails and no money."""
        self.bob.user_id = self.colleague
        summary = self.summary(self.salesman)
        sequence = self.seen_by(self.salesman)
        self.assertEqual(summary["Participants"][0], sequence.participant_count)
        self.assertEqual(sequence.participant_count, 2)
        self.assertEqual(summary["Leads"][0], "Your own")
        self.assertEqual(summary["Quotations"][0], sequence.quotation_count)
        self.assertNotIn("Sent", summary)
        sheets = self.sheets(self.salesman)
        for name in ("Links", "Money"):
            self.assertNotIn(name, sheets)
        emails = [line["Email"] for line in self.lines(sheets["Participants"])]
        self.assertNotIn(BOB, emails)
        words = str([cell.value for rows in sheets.values() for row in rows for cell in row])
        for secret in ("Invoiced", "Paid", "Clicked", "250"):
            self.assertNotIn(secret, words)

    def test_nobody_entered(self):
        sequence = self.make_sequence(name="New: a/b?")
        exported = sequence.with_user(self.marketer).export_results()
        workbook = load_workbook(io.BytesIO(base64.b64decode(exported["content"])))
        self.assertEqual(workbook.sheetnames, ["Summary"])

    def test_queries(self):
        """Further participants, steps and reasons cost nothing more."""
        sequence = self.seen_by(self.marketer)
        sequence.export_results()

        @contextmanager
        def counting(counts):
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            yield
            counts.append(self.env.cr.sql_log_count - before)

        counts = []
        with counting(counts):
            sequence.export_results()
        original = self.sequence.participant_ids[0]
        for number in range(30):
            reason = self.env["crm.lost.reason"].create({"name": f"Reason {number}"})
            original.copy({"dedup_key": str(number), "lead_id": False, "lost_reason_id": reason.id})
        for number in range(10):
            self.make_step(self.sequence, "after", self.first, number, subject=f"Mail {number}")
        self.env.flush_all()
        with counting(counts):
            sequence.export_results()
        self.assertLessEqual(counts[1], counts[0] + 2)


@tagged("post_install", "-at_install")
class TestDownload(ResultsCase):
    def test_download(self):
        """The button leads to the file, of whoever presses it."""
        self.authenticate(self.marketer.login, self.marketer.login)
        action = self.sequence.with_user(self.marketer).action_export_results()
        response = self.url_open(action["url"])
        self.assertEqual(response.status_code, 200)
        self.assertIn("Restock.xlsx", response.headers["Content-Disposition"])
        self.assertIn("spreadsheetml", response.headers["Content-Type"])
        self.assertIn("Money", load_workbook(io.BytesIO(response.content)).sheetnames)
        self.authenticate(self.salesman.login, self.salesman.login)
        response = self.url_open(action["url"])
        self.assertNotIn("Money", load_workbook(io.BytesIO(response.content)).sheetnames)

    def test_chosen_companies(self):
        """The file speaks of the companies that are chosen in the web client, of the user's."""
        other = self.env["res.company"].create({"name": "Other"})
        # leads have been in it, so that nobody could change it any more
        self.env.cr.execute("UPDATE nurture_sequence SET company_id = NULL")
        self.env.invalidate_all()
        self.marketer.company_ids += other
        self.authenticate(self.marketer.login, self.marketer.login)
        numbers = {}
        for companies in (self.company | other, self.company, other):
            sequence = self.sequence.with_user(self.marketer)
            sequence = sequence.with_context(allowed_company_ids=companies.ids)
            response = self.url_open(sequence.action_export_results()["url"])
            rows = load_workbook(io.BytesIO(response.content))["Summary"].rows
            numbers[companies] = {row[0].value: row[1].value for row in rows}["Participants"]
        self.assertEqual(list(numbers.values()), [3, 3, 0])
        url = f"/nurture/sequence/{self.sequence.id}/results.xlsx?cids="
        strange = self.env["res.company"].create({"name": "Strange"})
        endless = "9" * 5000
        for cids in (strange.id, f"{self.company.id}-{strange.id}", "all", endless):
            self.assertEqual(self.url_open(f"{url}{cids}").status_code, 404)

    def test_refused(self):
        """Who may not read it finds nothing, whether it exists or not."""
        url = self.sequence.with_user(self.marketer).action_export_results()["url"]
        self.authenticate(self.employee.login, self.employee.login)
        self.assertEqual(self.url_open(url).status_code, 404)
        missing = "/nurture/sequence/999999/results.xlsx"
        self.assertEqual(self.url_open(missing).status_code, 404)
        self.authenticate(self.salesman.login, self.salesman.login)
        self.assertEqual(self.url_open(missing).status_code, 404)
        self.authenticate(self.employee.login, self.employee.login)
        with self.assertRaises(AccessError):
            self.sequence.with_user(self.employee).export_results()
        self.logout(keep_db=True)
        response = self.url_open(url, allow_redirects=False)
        self.assertIn("/web/login", response.headers["Location"])


@tagged("post_install", "-at_install")
class TestPrint(ResultsCase):
    def page(self, user):
        """What ``user`` reads on the page."""
        self.authenticate(user.login, user.login)
        action = self.sequence.with_user(user).action_print_results()
        response = self.url_open(f"/report/html/{action['report_name']}/{self.sequence.id}")
        self.assertEqual(response.status_code, 200)
        return " ".join(html.fromstring(response.content).text_content().split())

    def test_marketer(self):
        page = self.page(self.marketer)
        sequence = self.seen_by(self.marketer)
        for words in (
            "Restock",
            f"{sequence.participant_count} Participants",
            f"{sequence.lead_count} Won Back (50.0 %)",
            "Delivered 1",
            "Clicked 1 100.0 %",
            "Compared with those held out",
            "Not enough yet to say",
            self.reason_stock.name,
            sequence.invoiced_label.replace("\N{NO-BREAK SPACE}", " "),
        ):
            self.assertIn(words, page)

    def test_salesperson(self):
        page = self.page(self.salesman)
        self.assertIn("your leads only", page)
        for secret in ("Invoiced", "Paid", "Clicked", "250.00"):
            self.assertNotIn(secret, page)

    @mute_logger("odoo.http")
    def test_refused(self):
        self.authenticate(self.employee.login, self.employee.login)
        name = "lost_lead_nurture.report_nurture_result"
        response = self.url_open(f"/report/html/{name}/{self.sequence.id}")
        self.assertNotEqual(response.status_code, 200)
        self.assertNotIn("Restock", response.text)
        with self.assertRaises(AccessError):
            self.sequence.with_user(self.employee).action_print_results()

    def test_without_wkhtmltopdf(self):
        """Who has no program that makes PDF prints the page."""
        report = type(self.env["ir.actions.report"])
        self.patch(report, "get_wkhtmltopdf_state", lambda _self: "install")
        form = f"/odoo/nurture-sequences/{self.sequence.id}"
        self.start_tour(form, "nurture_print_tour", login=self.marketer.login)

    def test_pdf(self):
        """One page or two."""
        try:
            find_in_path("wkhtmltopdf")
        except OSError:
            self.skipTest("wkhtmltopdf is not installed")
        report = self.env["ir.actions.report"].with_user(self.marketer)
        report = report.with_context(force_report_rendering=True)
        name = "lost_lead_nurture.report_nurture_result"
        content, kind = report._render_qweb_pdf(name, self.sequence.ids)
        self.assertEqual(kind, "pdf")
        self.assertTrue(content.startswith(b"%PDF"))
        self.assertLessEqual(content.count(b"/Type /Page\n"), 2)
