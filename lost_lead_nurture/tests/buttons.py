"""Numbers on buttons, held against the lists that the buttons open."""

from ast import literal_eval

from lxml import etree

from odoo.fields import Domain

#: What the rates on buttons are of.
COUNTS = {
    "opened_ratio": "opened",
    "replied_ratio": "replied",
    "clicks_ratio": "clicked",
    "received_ratio": "delivered",
    "bounced_ratio": "bounced",
    "nurture_invoiced_label": "nurture_invoiced",
}


class ButtonsMixin:
    """Presses the buttons of a mailing's form as a user does."""

    def buttons_of(self, mailing):
        """The buttons of a form that a user is given: (label, number, action)."""
        arch = etree.fromstring(mailing.get_view(view_type="form")["arch"])
        for box in arch.xpath(
            "//div[@name='button_box'] | //div[contains(@class, 'o_mass_mailing_alert_message')]"
        ):
            for button in box.iter("button"):
                fields = [node for node in button.iter("field") if node.get("name") != "use_leads"]
                if button.get("type") != "object" or not fields:
                    continue
                name = fields[0].get("name")
                number = mailing[COUNTS.get(name, name)]
                label = fields[0].get("string") or ""
                context = literal_eval(button.get("context") or "{}")
                method = getattr(mailing.with_context(**context), button.get("name"))
                yield label, number, method

    def list_of(self, action, user):
        """What a user finds in the list that an action opens, with its default filters."""
        context = action.get("context") or {}
        if isinstance(context, str):
            context = literal_eval(context)
        model = self.env[action["res_model"]].with_user(user).with_context(**context)
        domain = action.get("domain") or []
        domain = Domain(literal_eval(domain) if isinstance(domain, str) else domain)
        filters = etree.fromstring(model.get_view(view_type="search")["arch"])
        for key, value in context.items():
            name = key.removeprefix("search_default_")
            if name == key:
                continue
            for node in filters.xpath(f"//filter[@name='{name}']"):
                domain &= Domain(literal_eval(node.get("domain")))
            if filters.xpath(f"//field[@name='{name}']"):
                domain &= Domain(name, "=", value)
        return model.search(domain)

    def check_buttons(self, mailing, user):
        mailing = mailing.with_user(user)
        seen = {}
        for label, number, method in self.buttons_of(mailing):
            self.env.invalidate_all()
            with self.subTest(user=user.login, button=label or method.__name__):
                action = method()
                seen[label or method.__name__] = action
                if action["type"] == "ir.actions.client":
                    # nothing of it is for the user
                    said = "0 of" if number else "none yet"
                    self.assertIn(said, action["params"]["message"])
                    continue
                found = self.list_of(action, user)
                if "are yours to see" in action["name"]:
                    self.assertIn(f"{len(found)} of ", action["name"])
                elif label == "Invoiced (Paid)":
                    total = sum(found.mapped("amount_untaxed_signed"))
                    self.assertAlmostEqual(total, number)
                else:
                    self.assertEqual(len(found), number)
                if label:
                    self.assertTrue(action["name"].startswith(label), action["name"])
        return seen
