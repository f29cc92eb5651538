"""The main screens, and how to get there."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Screen:
    """A screen of which pictures are taken.

    :param name: of its pictures
    :param path: its address; ``{id}`` stands for the record found by `record`
    :param ready: selector of what is there when the page is
    :param steps: what to do then: ``(click, hover, wait, scroll or press, selector or key)``
    :param record: model, domain and order by which the record is found
    :param phone: whether people look at it on a phone, too
    :param phone_steps: what to do there, where that differs
    """

    name: str
    path: str
    ready: str
    steps: tuple = ()
    record: tuple = ()
    phone: bool = True
    phone_steps: tuple = field(default=None)

    def find_path(self, user):
        """Return the address, with the id of the record."""
        if not self.record:
            return self.path
        model, domain, order = self.record
        found = user.find(model, domain, ["id"], order=order, limit=1)
        return self.path.format(id=found[0]["id"])

    def get_steps(self, kind):
        """Return the steps for a picture of this kind: desktop, dark or phone."""
        if kind == "phone" and self.phone_steps is not None:
            return self.phone_steps
        return self.steps


SEQUENCE = ("nurture.sequence", [("state", "=", "running")], "id")

SCREENS = [
    Screen("sequence", "/odoo/nurture-sequences/{id}", ".o_nurture_card", record=SEQUENCE),
    Screen(
        "gallery",
        "/odoo/nurture-sequences",
        ".o_kanban_view",
        (("click", ".o-kanban-button-new"), ("wait", ".o_nurture_gallery_group")),
    ),
]
