import random
from collections import defaultdict
from datetime import timedelta

from odoo.tests import tagged

from odoo.addons.lost_lead_nurture.tests.common import NurtureHttpCase

from .common import WaitingMixin

SEED = 20260302
DAYS = 30
#: Short histories; with those of `tooling/tests/test_histories.py` ten thousand.
HISTORIES = 39
TURNS = 2


@tagged("post_install", "-at_install")
class TestRandom(WaitingMixin, NurtureHttpCase):
    """Weeks in which anything happens, and what is never allowed to: of each mail that arrives it
    is looked up, without asking the add-on, what there was at that moment and who else had been
    promised it."""

    def setUp(self):
        super().setUp()
        self.random = random.Random(SEED)
        self.sequence.write({"wave_days": 5, "wave_share": 0, "exit_on_quotation": False})
        self.make_step(self.sequence, "after", self.first, 4, subject="Second")
        self.products = [self.desk, self.lamp]
        self.wanted = {}  # lead: {product: quantity}
        self.invited = {}  # lead: when it was promised that, as a mail arrived
        self.seen = 0

    def test_never_above_stock(self):
        for _day in range(DAYS):
            self.live()
        self.assertGreater(self.seen, 15)
        left = set(self.sequence.participant_ids.mapped("exit_reason"))
        self.assertLessEqual({"out_of_stock", "finished"}, left)

    def test_many_histories(self):
        """Each begins anew, with other things that happen."""
        sent = 0
        begin = self.clock
        for number in range(HISTORIES):
            with self.subTest(history=number), self.env.cr.savepoint() as savepoint:
                self.random.seed(SEED + number)
                for _turn in range(TURNS):
                    self.live()
                sent += self.seen
                savepoint.rollback()
            self.env.invalidate_all(flush=False)
            self.catcher.clear()
            self.clock, self.wanted, self.invited, self.seen = begin, {}, {}, 0
        self.assertGreater(sent, HISTORIES // 4)

    def live(self):
        """Something happens, the scheduled action runs, and mails leave."""
        for _event in range(self.random.randint(1, 3)):
            self.random.choice(
                [self.lose_one, self.lose_one, self.arrive, self.arrive, self.leave]
            )()
        self.clock += timedelta(hours=self.random.randint(2, 30))
        self.run_cron()
        if self.random.random() < 0.3:
            # between the decision and the mail
            self.someone_buys()
        self.send_mails()
        self.check()

    # ------------------------------------------------------------
    # WHAT HAPPENS
    # ------------------------------------------------------------

    def lose_one(self):
        products = self.random.sample(self.products, self.random.choice([1, 1, 2]))
        lines = [(product, self.random.randint(1, 4)) for product in products]
        name = f"lead{len(self.wanted)}"
        lead = self.lose(name, *lines, revenue=self.random.randint(1, 1000))
        self.wanted[lead] = dict(lines)

    def arrive(self):
        product = self.random.choice(self.products)
        quants = self.env["stock.quant"]
        place = self.warehouse.lot_stock_id
        quants._update_available_quantity(product, place, self.random.randint(1, 6))

    def someone_buys(self):
        product = self.random.choice(self.products)
        if (free := int(self.count_free(product))) > 0:
            place = self.warehouse.lot_stock_id
            sold = self.random.randint(1, free)
            self.env["stock.quant"]._update_available_quantity(product, place, -sold)

    def leave(self):
        running = self.sequence.participant_ids.filtered(lambda one: one.state == "running")
        if running:
            self.random.choice(running).action_remove()

    # ------------------------------------------------------------
    # WHAT HAS TO BE
    # ------------------------------------------------------------

    def count_free(self, product):
        quants = self.env["stock.quant"].search(
            [("product_id", "=", product.id), ("location_id", "=", self.warehouse.lot_stock_id.id)]
        )
        return sum(quant.quantity - quant.reserved_quantity for quant in quants)

    def check(self):
        """Each lead that got a mail just now could be delivered to, and who was promised something
        just now beside all those who were before and have it still."""
        now = [self.lead_of(message) for message in self.catcher.messages[self.seen :]]
        self.seen = len(self.catcher.messages)
        before = self.get_promised()
        promised = defaultdict(float)
        for lead in before | set(now):
            for product, quantity in self.wanted[lead].items():
                promised[product] += quantity
        for lead in now:
            for product, quantity in self.wanted[lead].items():
                free = self.count_free(product)
                self.assertGreaterEqual(free, quantity, lead.name)
                # what was promised when there was more is not a new promise
                if lead not in before:
                    self.assertGreaterEqual(free, promised[product], lead.name)
            if lead not in before:
                self.invited[lead] = self.clock

    def get_promised(self):
        """Who had a mail, has not left, and is in the days in which nobody else may have it."""
        days = timedelta(days=self.sequence.wave_days)
        return {
            lead
            for lead, since in self.invited.items()
            if self.clock - since < days and self.has_stayed(lead)
        }

    def has_stayed(self, lead):
        journey = self.participant(lead)[:1]
        return journey.state == "running" or journey.exit_reason == "finished"

    def lead_of(self, message):
        (lead,) = [one for one in self.wanted if one.email_normalized in message["To"]]
        return lead
