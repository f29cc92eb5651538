"""Filters that ask for something which their author may not see."""

from odoo.service.model import call_kw

from .common import ANN

#: What the deal over there is worth, which nobody here may know.
SECRET = 2741


class FilterMixin:
    """Two companies with a customer in common: a lost lead here, a deal there that is none of the
    business of the marketers here."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = cls.env["res.company"].create({"name": "Other Company"})

    def setUp(self):
        super().setUp()
        self.country = self.env.ref("base.be")
        self.customer = self.env["res.partner"].create(
            {"name": "Ann", "email": ANN, "country_id": self.country.id, "company_id": False}
        )
        self.ann = self.make_lead(ANN, partner_id=self.customer.id)
        self.deal = self.make_lead(
            "deal@recipient.example.com",
            lost=False,
            partner_id=self.customer.id,
            company_id=self.other.id,
            expected_revenue=SECRET,
            team_id=False,
            user_id=False,
        )
        # the deal over there would exclude Ann of everything
        self.sequence = self.make_sequence(exclude_open_deals=False)
        self.step = self.make_step(self.sequence, subject="First")
        self.mine = self.sequence.with_user(self.marketer)
        self.env["res.users"].flush_model()

    def nosy(self, number):
        """Whether the deal over there is worth more than ``number``; Ann is lost anyway."""
        deal = [("company_id", "=", self.other.id), ("expected_revenue", ">", number)]
        return repr([("id", "=", self.ann.id), ("partner_id.opportunity_ids", "any", deal)])

    def read_bits(self, ask):
        """What twelve answers tell of the number, asked for as a binary search does."""
        low, high = 0, 4096
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if ask(middle) else (low, middle)
        return high

    def is_ok(self, explanation, reason):
        return all(one["ok"] for one in explanation["conditions"] if one["reason"] == reason)

    def rpc(self, user, model, method, *args, **kwargs):
        """As the client calls it, with what the client sends."""
        env = self.env(user=user, context={})
        return call_kw(env[model], method, list(args), kwargs)
