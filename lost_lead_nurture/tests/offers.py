"""A sequence with something to offer, in its mails."""

from .common import BODY
from .ledger import LedgerCase

OFFER = BODY.replace("</div>", '<t t-out="object.nurture_offer"></t></div>')


class OfferCase(LedgerCase):
    """A sequence of one mail that shows its offer: the product of the tests, at 250.00."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.user.group_ids += cls.env.ref("product.group_product_pricelist")
        cls.env.ref("base.group_user").implied_ids += cls.env.ref("product.group_product_pricelist")
        cls.product.list_price = 250.0
        cls.pricelist = cls.env["product.pricelist"].create(
            {"name": "Foreign", "currency_id": cls.foreign.id}
        )
        cls.env["res.lang"]._activate_lang("fr_FR")
        cls.product.with_context(lang="fr_FR").name = "Objet rare"

    def setUp(self):
        super().setUp()
        self.sequence = self.make_sequence()
        self.step = self.make_step(self.sequence, mailing_id=self.make_mailing("It", OFFER).id)
        self.mail = self.step.mailing_id

    def offer(self, product=None, **values):
        return self.env["nurture.offer"].create(
            {
                "sequence_id": self.sequence.id,
                "product_id": (product or self.product).id,
                **values,
            }
        )

    def text_for(self, lead):
        """What the mail of the sequence, sent, says to ``lead``."""
        sent = self.env["mailing.trace"].search(
            [("mass_mailing_id", "=", self.mail.id), ("res_id", "=", lead.id)]
        )
        return (sent.mail_mail_id.body_html or "").replace("\N{NO-BREAK SPACE}", " ")
