"""Tables as a workbook, read again by another library."""

import io
import unittest
from datetime import date, datetime
from unittest.mock import patch

from openpyxl import load_workbook
from xlsxwriter.worksheet import Worksheet

from . import pure

workbook = pure.load("workbook")


def read(*sheets):
    """The workbook, as a spreadsheet program opens it."""
    return load_workbook(io.BytesIO(workbook.make_workbook(sheets)))


def cells(values):
    """The cells that these values are written into."""
    sheet = workbook.Sheet("Sheet", [str(place) for place in range(len(values))], [values])
    return read(sheet).worksheets[0][2]


class TestCells(unittest.TestCase):
    def test_numbers_and_dates(self):
        moment = datetime(2026, 3, 2, 9, 30)
        number, amount, share, day, minute = cells(
            [7, 1234.5, workbook.Share(0.25), date(2026, 3, 2), moment]
        )
        self.assertEqual((number.value, number.number_format), (7, "#,##0"))
        self.assertEqual((amount.value, amount.number_format), (1234.5, "#,##0.00"))
        self.assertEqual((share.value, share.number_format), (0.25, "0.0%"))
        self.assertEqual((day.value, day.number_format), (datetime(2026, 3, 2), "yyyy-mm-dd"))
        self.assertEqual((minute.value, minute.number_format), (moment, "yyyy-mm-dd hh:mm"))

    def test_texts_are_texts(self):
        """What looks like a formula, a link or a number is none."""
        texts = [
            "=cmd|' /C calc'!A0",
            "{=1+1}",
            "+1",
            "-1",
            "@SUM(A1)",
            "0012",
            "https://shop.example.com",
            "mailto:ann@recipient.example.com",
        ]
        for cell, text in zip(cells(texts), texts, strict=True):
            self.assertEqual((cell.value, cell.data_type), (text, "s"))
            self.assertIsNone(cell.hyperlink)

    def test_empty(self):
        for cell in cells([None, False, ""]):
            self.assertIsNone(cell.value)
        self.assertEqual(cells([0])[0].value, 0)

    def test_long_text(self):
        self.assertEqual(len(cells(["a" * 40_000])[0].value), workbook.MAX_TEXT)


class TestSheets(unittest.TestCase):
    def test_names(self):
        """Excel refuses some characters, and names that are long."""
        file = read(workbook.Sheet("Lost: why? [all]", ["A"]), workbook.Sheet("x" * 40, ["A"]))
        self.assertEqual(file.sheetnames, ["Lost  why   all ", "x" * 31])

    def test_head(self):
        sheet = read(workbook.Sheet("Sheet", ["Name", "=1+1"], [["Ann", 1]])).worksheets[0]
        self.assertEqual([cell.value for cell in sheet[1]], ["Name", "=1+1"])
        self.assertEqual(sheet["B1"].data_type, "s")
        self.assertTrue(sheet["A1"].font.bold)
        self.assertEqual(sheet.freeze_panes, "A2")

    def test_too_many_rows(self):
        with patch.object(workbook, "MAX_ROWS", 2):
            workbook.make_workbook([workbook.Sheet("Sheet", ["A"], [[1], [2]])])
            with self.assertRaises(ValueError):
                workbook.make_workbook([workbook.Sheet("Sheet", ["A"], [[1], [2], [3]])])


class TestLooks(unittest.TestCase):
    def test_limits_are_those_of_the_format(self):
        sheet = Worksheet()
        self.assertEqual(workbook.MAX_ROWS + 1, sheet.xls_rowmax)
        self.assertEqual(workbook.MAX_TEXT, sheet.xls_strmax)

    def test_long_name(self):
        """A name that is too long is cut: the library would refuse the sheet."""
        name = "Leads that were won back in spring"
        self.assertEqual(read(workbook.Sheet(name, ["A"], [])).sheetnames, [name[:31]])

    def test_widths(self):
        """Each column is as wide as what stands in it, but for long texts."""
        rows = [[None, "two\nlines", "x" * 500]]
        sheet = read(workbook.Sheet("Sheet", ["", "", "Wording"], rows)).worksheets[0]
        empty, lines, long = (sheet.column_dimensions[one].width for one in "ABC")
        self.assertLess(empty, lines)
        self.assertLess(lines, 9)
        self.assertLess(lines, long)
        self.assertLess(long, 100)
