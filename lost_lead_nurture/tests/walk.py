"""Going over the numbers on screens as a user does: each is read, what stands around it is pressed,
and what opens is counted."""

import re
from ast import literal_eval

from lxml import etree

from odoo.tools.safe_eval import safe_eval
from odoo.tools.view_validation import get_expression_field_names

from .buttons import COUNTS, ButtonsMixin

NUMBERS = ("integer", "float", "monetary")
#: What amounts of a list add up to the number that opened it.
AMOUNTS = {
    "account.move": "amount_untaxed_signed",
    "crm.lead": "expected_revenue",
    "nurture.dry.run.send": "message_count",
}
#: Amounts that core keeps as whole numbers.
_AMOUNTS = ("sale_invoiced_amount",)
#: Texts with a number in them, and rates: the number that their list is of.
COUNTED = {
    **COUNTS,
    "coming": "coming_count",
    "invoiced_label": "invoiced_amount",
    "opened_ratio": ("opened_count", "opened"),
    "clicked_ratio": "clicked_count",
    "replied_ratio": ("replied_count", "replied"),
}


class WalkMixin(ButtonsMixin):
    """Walks over screens as one user, ``self.user``, in that user's companies."""

    def setUp(self):
        super().setUp()
        #: Numbers that were held against their list, {(model, view, number, of what)}: all, and
        #: those that were not 0 once at least.
        self.pressed, self.seen = set(), set()
        #: Numbers without one: {(model, number)}.
        self.alone = set()

    # ------------------------------------------------------------
    # VIEWS
    # ------------------------------------------------------------

    def walk(self, record, view_type="form"):
        """Go over a view of a record."""
        record = record.with_user(self.user)
        if not record.has_access("read"):
            return
        self.env.invalidate_all()
        views = record.get_views([(False, view_type)])["views"]
        arch = etree.fromstring(views[view_type]["arch"])
        self.walk_arch(record, arch, view_type)

    def walk_arch(self, record, arch, view_type="form"):
        opened = set()
        for button in arch.iter("button"):
            # lists in a form have buttons and numbers of other records
            if button.get("type") != "object" or _is_in_field(button):
                continue
            if not self.is_shown(record, button):
                continue
            for name in self.numbers_on(record, button):
                opened.add(name)
                self.press(record, button, name, view_type)
        for node in arch.iter("field"):
            name = node.get("name")
            field = record._fields.get(name)
            if field is None or _is_in_field(node):
                continue
            is_said = field.type in NUMBERS and field.readonly and _is_ours(field)
            if is_said and name not in opened and self.is_shown(record, node):
                self.alone.add((record._name, name))

    def numbers_on(self, record, button):
        """The numbers that stand on a button."""
        if waits := button.xpath(".//t[starts-with(@t-out, 'waits.')] | .//span[@t-out]"):
            kind = waits[0].get("t-out").removeprefix("waits.")
            return [f"waits.{kind}"] if kind in (record.waits or {}) else []
        names = [node.get("name") for node in button.iter("field")]
        names = [name for name in names if name in COUNTED or _is_number(record, name)]
        if not names:
            match = re.fullmatch(r"action_view_(\w+)", button.get("name"))
            beside = match and f"{match[1]}_count"
            names = [beside] if beside and _is_number(record, beside) else []
        names = [name for name in names if self.is_on_screen(record, button, name)]
        # the number itself comes first, then what is said of it
        return names[:1]

    def is_on_screen(self, record, button, name):
        """Whether the user sees the number, and whether it is ours to answer for."""
        field = record._fields[name]
        if not record._has_field_access(field, "read"):
            return False
        method = getattr(type(record), button.get("name"), None)
        return _is_ours(field) or _is_our_method(method)

    def is_shown(self, record, node):
        """Whether the node, and what it is in, is visible for the record."""
        for one in (node, *node.iterancestors()):
            expression = one.get("invisible")
            if expression and self.evaluate(record, expression):
                return False
        return True

    def evaluate(self, record, expression):
        names = get_expression_field_names(expression)
        values = {name: _plain(record, name) for name in names if name in record._fields}
        return safe_eval(expression, {**values, "uid": self.user.id, "context": {}})

    # ------------------------------------------------------------
    # NUMBERS
    # ------------------------------------------------------------

    def press(self, record, button, name, view_type):
        context = literal_eval(button.get("context") or "{}")
        what = next(iter(context.values()), button.get("name"))
        with self.subTest(
            user=self.user.login, model=record._name, view=view_type, number=name, of=what
        ):
            number, is_amount = self.number_of(record, name)
            if name == "coming" and not number:
                return
            action = getattr(record.with_context(**context), button.get("name"))()
            self.check_opened(action, number, is_amount, name)
            self.note_seen(number, record._name, view_type, name, what)

    def note_seen(self, number, *what):
        """A number was held against its list. That there is nothing in either says little."""
        self.pressed.add(what)
        if number:
            self.seen.add(what)

    def number_of(self, record, name):
        """The number, and whether it is an amount."""
        if name.startswith("waits."):
            return int(re.match(r"\d+", record.waits[name.removeprefix("waits.")])[0]), False
        counted = COUNTED.get(name, name)
        if isinstance(counted, tuple):
            counted = next(one for one in counted if one in record._fields)
        is_amount = record._fields[counted].type == "monetary" or counted in _AMOUNTS
        return record[counted], is_amount

    def check_opened(self, action, number, is_amount=False, name=None):
        """What opens behind a number is as much as it says; who may not open all of it reads how
        much there is."""
        if action["type"] == "ir.actions.client":
            said = action["params"]["message"]
            self.assertIn("0 of" if number else "none yet", said)
            return
        if action.get("res_id") and not action.get("domain"):
            self.assertEqual(number, 1)
            return
        self.env.invalidate_all()
        found = self.list_of(action, self.user)
        if match := re.search(r"(\d+) of (\d+) are yours to see", action["name"]):
            self.assertEqual(len(found), int(match[1]))
            if not is_amount:
                self.assertEqual(number, int(match[2]))
        elif is_amount:
            field = AMOUNTS.get(found._name, "company_amount")
            if found._name == "nurture.credit":
                field = {"margin": "margin", "discount_granted": "discount"}.get(name, field)
            # what a person may open he may read, its amounts perhaps not
            self.assertAlmostEqual(sum(found.sudo().mapped(field)), number, places=2)
        elif found._name in AMOUNTS and found._name != "crm.lead" and name == "message_count":
            self.assertEqual(sum(found.mapped(AMOUNTS[found._name])), number)
        else:
            self.assertEqual(len(found), number)


def _is_in_field(node):
    return any(one.tag == "field" for one in node.iterancestors())


def _is_number(record, name):
    field = record._fields.get(name)
    return field is not None and field.type in NUMBERS


def _is_ours(field):
    return any(module.startswith("lost_lead_nurture") for module in field._modules or ())


def _is_our_method(method):
    while method is not None:
        if method.__module__.startswith("odoo.addons.lost_lead_nurture"):
            return True
        method = getattr(method, "__wrapped__", None)
    return False


def _plain(record, name):
    """A value as the web client has it."""
    value = record[name]
    field = record._fields[name]
    if field.type == "many2one":
        return value.id
    return value.ids if field.relational else value
