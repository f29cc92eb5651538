"""Who is in the story and what each of them does: the script, from which follows what has to come
out. Nothing here is read from Odoo, so that what Odoo did can be held against it.
"""

import csv
from collections import Counter
from dataclasses import dataclass, field

from .. import settings

LEADS = settings.ROOT / "lost_lead_nurture" / "demo" / "crm.lead.csv"

CAMPAIGN = "Limited edition: back in stock"
REASON = "Not enough stock"  # why its leads were lost

# The mails, in the order of the campaign: {name: subject}.
BACK_IN_STOCK = "Back in stock"
ALMOST_SOLD_OUT = "Almost sold out"
STILL_TIME = "Still time"
LAST_CHANCE = "Last chance"
# Those of the sequel: a plain mailing, and what two other sequences send.
SPRING_OFFER = "Spring offer"
SECOND_CHANCE = "Second chance"
ZURICH = "Zurich"
SUBJECTS = {
    BACK_IN_STOCK: "Limited item back in stock! Act now",
    ALMOST_SOLD_OUT: "Almost sold out: did you get yours?",
    STILL_TIME: "There is still time to add it to your collection",
    LAST_CHANCE: "{name}, 20% off: last chance before it is gone",
    SPRING_OFFER: "Spring offer: delivered within a week",
    SECOND_CHANCE: "May we ask you once more?",
    ZURICH: "We are in Zurich now",
}

# What a recipient, or somebody about a recipient's lead, does after the week's mail.
OPENS = "opens"
CLICKS = "clicks"
ANSWERS = "answers"
ANSWERS_THE_FIRST = "answers the mail of the first week"
BOUNCES = "mail cannot be delivered"
UNSUBSCRIBES = "unsubscribes on the page"
UNSUBSCRIBES_AT_ONCE = "unsubscribes by the mail program's button"
IS_AWAY = "out of office"
IS_RESTORED = "lead restored by hand"

REPLIES = {ANSWERS, ANSWERS_THE_FIRST}
#: What counts for what comes of it: to open a mail does not.
TOUCHES = REPLIES | {CLICKS}
UNSUBSCRIPTIONS = {UNSUBSCRIBES, UNSUBSCRIBES_AT_ONCE}
WIN_BACKS = REPLIES | {IS_RESTORED}
EXITS = WIN_BACKS | UNSUBSCRIPTIONS | {BOUNCES}

EXIT_REASONS = {
    ANSWERS: "replied",
    ANSWERS_THE_FIRST: "replied",
    IS_RESTORED: "restored",
    BOUNCES: "bounced",
    UNSUBSCRIBES: "unsubscribed",
    UNSUBSCRIBES_AT_ONCE: "unsubscribed",
}

# Sixteen kinds of recipients: what they do in the first, second and third week. In the order of
# their addresses, every sixteenth recipient is of the same kind. Whoever left gets no mail to react
# to.
NOTHING = ()
KINDS = (
    (NOTHING, NOTHING, NOTHING),
    ((OPENS,), NOTHING, (OPENS,)),
    ((OPENS, CLICKS), (OPENS, ANSWERS), NOTHING),
    (NOTHING, (OPENS, ANSWERS), NOTHING),
    ((OPENS, ANSWERS), NOTHING, NOTHING),
    ((BOUNCES,), NOTHING, NOTHING),
    ((OPENS, UNSUBSCRIBES), NOTHING, NOTHING),
    ((IS_AWAY,), (IS_AWAY,), (OPENS,)),
    ((CLICKS,), (OPENS,), (OPENS, CLICKS)),
    (NOTHING, (OPENS, CLICKS), (OPENS, ANSWERS)),
    (NOTHING, (UNSUBSCRIBES_AT_ONCE,), NOTHING),
    ((OPENS, CLICKS), NOTHING, (OPENS, UNSUBSCRIBES)),
    ((OPENS, CLICKS, IS_RESTORED), NOTHING, NOTHING),
    (NOTHING, (IS_RESTORED,), NOTHING),
    ((OPENS,), NOTHING, (BOUNCES,)),
    (NOTHING, (OPENS,), (ANSWERS_THE_FIRST,)),
)

# How far the company gets with the won-back leads, again in the order of their addresses.
QUOTED, ORDERED, INVOICED, PAID = range(1, 5)
DEALS = (PAID, QUOTED, PAID, ORDERED, PAID, INVOICED, PAID, QUOTED)
PRICE = 450.0


def quantity(position):
    """Return how many pieces the won-back lead at this position buys."""
    return 2 + position


@dataclass
class Person:
    """Somebody who gets mails."""

    address: str
    name: str
    got: dict = field(default_factory=dict)  # {mail: what the person did with it}

    def subject(self, mail):
        """Return the subject this person sees."""
        return SUBJECTS[mail].format(name=self.name or "Dear customer")


@dataclass(kw_only=True)
class Recipient(Person):
    """A lost lead's contact, and what the script makes them do."""

    lead: str  # external id
    salesperson: str  # external id
    team: str  # external id
    weeks: tuple = ()
    left: str = ""  # the action that ended it for them

    def live(self, week):
        """Read the week's mail and react: the script's idea of what the campaign does."""
        if mail := self._mail_of(week):
            self.got[mail] = set()
        for action in self.weeks[week - 1]:
            answered = BACK_IN_STOCK if action is ANSWERS_THE_FIRST else mail
            self.got[answered].add(action)
            if action in EXITS:
                self.left = action

    def actions(self, week):
        """Return what the recipient does in a week, in order, and the mail each action is about."""
        latest = list(self.got)[-1]
        return [
            (action, BACK_IN_STOCK if action is ANSWERS_THE_FIRST else latest)
            for action in self.weeks[week - 1]
        ]

    def _mail_of(self, week):
        if self.left:
            return None
        if week == 1:
            return BACK_IN_STOCK
        if week == 3:
            return LAST_CHANCE
        reaction = self.got[BACK_IN_STOCK]
        if CLICKS in reaction:
            return STILL_TIME
        return None if OPENS in reaction else ALMOST_SOLD_OUT

    @property
    def is_won_back(self):
        """Whether the lead was won back into the pipeline."""
        return self.left in WIN_BACKS

    @property
    def credited(self):
        """The mail that won the lead back: the one answered, else the one clicked last; none, where
        the lead is restored and nobody has done either."""
        if self.left is ANSWERS_THE_FIRST:
            return BACK_IN_STOCK
        touched = [mail for mail, actions in self.got.items() if actions & {CLICKS, ANSWERS}]
        return touched[-1] if self.is_won_back and touched else None

    @property
    def exit_reason(self):
        """Why the recipient is not in the sequence any more (False: still in it).

        Who clicked in the first week gets all there is in three weeks and has finished it, whatever
        they do then but return. For the others the mail to those who click stays possible.
        """
        has_finished = LAST_CHANCE in self.got and CLICKS in self.got[BACK_IN_STOCK]
        if has_finished and not self.is_won_back:
            return "finished"
        return EXIT_REASONS.get(self.left, False)


def recipients():
    """Return those the campaign is for, by address: `lead_stock_…` in the demo data, not the
    others, which have each a reason not to be written to."""
    with LEADS.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["id"].startswith("lead_stock_")]
    found = [
        Recipient(
            lead=f"lost_lead_nurture.{row['id']}",
            address=row["email_from"].lower(),
            name=row["contact_name"],
            salesperson=row["user_id:id"],
            team=row["team_id:id"],
        )
        for row in rows
    ]
    found.sort(key=lambda recipient: recipient.address)
    for position, recipient in enumerate(found):
        recipient.weeks = KINDS[position % len(KINDS)]
    return {recipient.address: recipient for recipient in found}


def statistics(people, mail=None):
    """Return the statistics of one mail, or of all of them, as they have to be."""
    reactions = [
        actions
        for recipient in people
        for got, actions in recipient.got.items()
        if mail is None or got == mail
    ]
    counts = Counter()
    for actions in reactions:
        replied, clicked = bool(actions & REPLIES), CLICKS in actions
        # nobody clicks or answers what they have not opened, with or without pictures
        opened = OPENS in actions or replied or clicked
        bounced = BOUNCES in actions
        counts.update(
            sent=1,
            opened=opened,
            clicked=clicked,
            replied=replied,
            ignored=not opened and not bounced,
            bounced=bounced,
        )
    names = ("sent", "opened", "clicked", "replied", "ignored", "bounced")
    return {name: counts[name] for name in names}
