"""Tables as an Excel workbook: numbers are numbers, dates are dates, and a text is nothing but a
text, whatever it begins with."""

import io
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from xlsxwriter import Workbook

#: As many rows as a sheet has below its head, and as many characters as a cell has.
MAX_ROWS = 2**20 - 1
MAX_TEXT = 2**15 - 1
#: The widest that a column is made, in characters.
_MAX_WIDTH = 60
#: As wide as a date with its time is written.
_MOMENT_WIDTH = 17
#: What the name of a sheet cannot contain, and how long it may be.
_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\']")
_MAX_NAME = 31
#: How values are shown, the most special type first: a moment is a date, too.
_FORMATS = {
    datetime: "yyyy-mm-dd hh:mm",
    date: "yyyy-mm-dd",
    float: "#,##0.00",
    int: "#,##0",
}


class Share(float):
    """A number from 0 to 1 that is shown in percent."""


@dataclass
class Sheet:
    """A table.

    :param columns: what stands in its head
    :param rows: lists of values: texts, numbers, :class:`Share`, dates, moments without a time
        zone; None, False and empty texts leave their cell empty. What makes them one by one need
        not have them all at once
    """

    name: str
    columns: list
    rows: Iterable = field(default_factory=list)


def make_workbook(sheets):
    """The file, as bytes.

    :raise ValueError: when a sheet has more than :data:`MAX_ROWS`
    """
    output = io.BytesIO()
    # row by row, or a sheet of a million rows would be in memory as a whole
    with Workbook(output, {"constant_memory": True}) as workbook:
        formats = {
            kind: workbook.add_format({"num_format": pattern})
            for kind, pattern in ({Share: "0.0%"} | _FORMATS).items()
        }
        head = workbook.add_format({"bold": True, "bottom": 1})
        for sheet in sheets:
            name = _NOT_IN_NAMES.sub(" ", sheet.name)[:_MAX_NAME]
            _write_sheet(workbook.add_worksheet(name), sheet, head, formats)
    return output.getvalue()


def _write_sheet(worksheet, sheet, head, formats):
    worksheet.freeze_panes(1, 0)
    widths = [len(column) for column in sheet.columns]
    for place, column in enumerate(sheet.columns):
        worksheet.write_string(0, place, column, head)
    for line, row in enumerate(sheet.rows, start=1):
        if line > MAX_ROWS:
            raise ValueError(f"{sheet.name}: more than {MAX_ROWS} rows")
        for place, value in enumerate(row):
            widths[place] = max(widths[place], _write(worksheet, line, place, value, formats))
    for place, width in enumerate(widths):
        worksheet.set_column(place, place, min(width, _MAX_WIDTH) + 2)


def _write(worksheet, line, place, value, formats):
    """Write a cell.

    :return: how wide it is, in characters
    """
    if value is None or value is False or value == "":
        return 0
    if isinstance(value, str):
        # never as a formula, which other methods of the library make of it
        worksheet.write_string(line, place, value[:MAX_TEXT])
        return max(map(len, value.splitlines()), default=0)
    kind = next(kind for kind in formats if isinstance(value, kind))
    if isinstance(value, date):
        worksheet.write_datetime(line, place, value, formats[kind])
        return _MOMENT_WIDTH
    worksheet.write_number(line, place, value, formats[kind])
    return len(f"{value:,.2f}")
