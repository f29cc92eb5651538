"""The books of the story: who did what with which mail and what was sold, in the order in which it
happened, and what has to come of it. Worked out from the plot alone, in plain Python; nothing here
is read from Odoo, so that what Odoo says can be held against it.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise

MODELS = ("last", "first", "linear")
#: What is earned, and what a lead is counted for.
EARNED = ("paid", "refunded")
WON = ("restored", "quotation", "order")
QUOTED = ("quotation", "order")


def cents(amount):
    """Round as accountants do."""
    return Decimal(amount).quantize(Decimal("0.01"), ROUND_HALF_UP)


@dataclass(frozen=True)
class Entry:
    """Something that came of a lead.

    :param lead: its address
    :param deal: the `deals.Deal` it is of; None, where the lead was just restored
    :param amount: untaxed, in the currency of the deal
    :param company_amount: in the currency of the company, at the rate of the document's day
    :param margin: what is left of that; None, where it is not known what the product costs
    :param discount: what was granted, of an order
    :param touched: the mails in which somebody had clicked or which somebody had answered until
        then, in that order; one may be there several times
    """

    kind: str
    lead: str
    reason: str
    company: str
    touched: tuple
    deal: object = None
    amount: Decimal = Decimal(0)
    company_amount: Decimal = Decimal(0)
    margin: Decimal | None = None
    discount: Decimal = Decimal(0)


class Shelf:
    """How many of one product there are, who waits for it, and who is offered it: the most valuable
    first, each as far as there is enough left for what is wanted."""

    def __init__(self):
        self.pieces = 0
        self._waiting = {}  # {address: (pieces, what it is worth)}
        self._offered = {}  # {address: pieces}

    def wait(self, lead, pieces, worth):
        """Somebody waits for so many."""
        self._waiting[lead] = pieces, worth

    def deliver(self, pieces):
        """So many arrive.

        :return: to whom they are offered now, the most valuable first
        """
        self.pieces += pieces
        left = self.pieces - sum(self._offered.values())
        wave = []
        for lead, (wanted, _worth) in sorted(self._waiting.items(), key=lambda one: -one[1][1]):
            if lead not in self._offered and wanted <= left:
                self._offered[lead] = wanted
                left -= wanted
                wave.append(lead)
        return wave


class Books:
    """What happened, and who is credited with it."""

    def __init__(self):
        self.entries = []
        self.sent = []  # all mails, in the order of their first sending
        self.sequences = {}  # {mail: the sequence it is of}; plain mailings are not in it
        self._touched = {}  # {address: mails, as they were clicked or answered}
        self._reasons = {}  # {address: why the lead was lost}
        self._companies = {}  # {address: whose lead it is}

    # What happens

    def lost(self, lead, reason, company):
        """A lead was lost."""
        self._reasons[lead], self._companies[lead] = reason, company

    def mailed(self, mail, sequence=None):
        """A mail left for the first time, if it has not before."""
        if mail not in self.sent:
            self.sent.append(mail)
            if sequence:
                self.sequences[mail] = sequence

    def touched(self, lead, mail):
        """Somebody clicked in a mail, or answered it."""
        self._touched.setdefault(lead, []).append(mail)

    def touched_until_now(self, lead):
        """Return the mails that the people of a lead have clicked in or answered."""
        return tuple(self._touched.get(lead, ()))

    def note(self, kind, lead, touched=None, **values):
        """Something came of a lead.

        :param touched: what counts for it; what there was until now, if not given
        """
        if touched is None:
            touched = self.touched_until_now(lead)
        self.entries.append(
            Entry(kind, lead, self._reasons[lead], self._companies[lead], touched, **values)
        )

    # What it comes to

    def credit(self, entry, model):
        """Return the mails that are credited with an entry: ``{mail: [amount, margin]}`` of it.
        They add up to the entry to the cent.
        """
        if not entry.touched:
            return {}
        if model == "last":
            mails = [entry.touched[-1]]
        elif model == "first":
            mails = [entry.touched[0]]
        else:
            mails = sorted(set(entry.touched), key=self.sent.index)
        amounts = _divide(entry.company_amount, len(mails))
        margins = _divide(entry.margin or Decimal(0), len(mails))
        return dict(zip(mails, zip(amounts, margins, strict=True), strict=True))

    def of_mails(self, mails):
        """Return the entries that are credited to one of these mails by the last touch."""
        return [entry for entry in self.entries if entry.touched and entry.touched[-1] in mails]

    def mails_of(self, *sequences):
        """Return the mails of sequences."""
        return {mail for mail, sequence in self.sequences.items() if sequence in sequences}

    def credited(self):
        """Return the entries that are credited to any mail."""
        return self.of_mails(self.sent)

    def won_back(self, sequence):
        """Return the leads that a sequence won back: those that were restored thanks to it."""
        return leads(self.of_mails(self.mails_of(sequence)), "restored")


def leads(entries, *kinds):
    """Return the leads that something of these kinds came of."""
    return {entry.lead for entry in entries if entry.kind in kinds}


def deals(entries, *kinds):
    """Return the deals that something of these kinds came of."""
    return {entry.deal for entry in entries if entry.kind in kinds}


def total(entries, name="company_amount", kinds=EARNED):
    """Add up an amount of entries; what is not known counts nothing."""
    return sum((getattr(entry, name) or 0 for entry in entries if entry.kind in kinds), Decimal(0))


def _divide(amount, number):
    """Divide an amount into so many equal parts, as a clerk does who pays to the cent: up to each
    part as much as is due by then, less what was given before."""
    due = [cents(amount * part / number) for part in range(number + 1)]
    return [after - before for before, after in pairwise(due)]
