"""The main screens, and how to get there."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Screen:
    """A screen of which pictures are taken.

    :param name: of its pictures
    :param path: its address; ``{id}`` stands for the record found by `record`
    :param ready: selector of what is there when the page is
    :param steps: what to do then: ``(click, wait or scroll, selector)``, ``("button", label)`` of
        the form's header, or ``("away", "")`` with the mouse
    :param record: model, domain and order by which the record is found
    """

    name: str
    path: str
    ready: str
    steps: tuple = ()
    record: tuple = ()

    def find_path(self, user):
        """Return the address, with the id of the record."""
        if not self.record:
            return self.path
        model, domain, order = self.record
        found = user.find(model, domain, ["id"], order=order, limit=1)
        return self.path.format(id=found[0]["id"])


SEQUENCES = "/odoo/nurture-sequences"
SEQUENCE = f"{SEQUENCES}/{{id}}"
CAMPAIGN = ("nurture.sequence", [("name", "like", "Limited edition")], "id")
DRAFT = ("nurture.sequence", [("state", "=", "draft"), ("is_template", "=", False)], "id desc")
CARD = ".o_nurture_card"

SCREENS = [
    Screen("overview", SEQUENCES, ".o_kanban_view canvas"),
    Screen(
        "gallery",
        SEQUENCES,
        ".o_kanban_view",
        (("click", ".o-kanban-button-new"), ("wait", ".o_nurture_gallery_group")),
    ),
    Screen("sequence", SEQUENCE, CARD, record=CAMPAIGN),
    Screen("workflow", SEQUENCE, CARD, (("scroll", ".o_notebook"),), CAMPAIGN),
    Screen(
        "step",
        SEQUENCE,
        CARD,
        (("click", f"{CARD}[data-type=email] .o_nurture_name"), ("wait", ".modal .o_form_view")),
        CAMPAIGN,
    ),
    Screen(
        "mail-preview",
        SEQUENCE,
        CARD,
        (("click", f"{CARD} .o_nurture_eye"), ("wait", "iframe")),
        CAMPAIGN,
    ),
    Screen(
        "dry-run",
        SEQUENCE,
        CARD,
        (("button", "Dry Run"), ("wait", ".modal [name=entering_count]")),
        DRAFT,
    ),
    Screen(
        "replay-choose",
        SEQUENCE,
        CARD,
        (("button", "Replay"), ("wait", ".modal [name=months]")),
        DRAFT,
    ),
    Screen(
        "replay",
        SEQUENCE,
        CARD,
        (
            ("button", "Replay"),
            ("click", ".modal button[name=action_replay]"),
            ("wait", ".o_field_widget[name=collision_count]"),
            ("away", ""),
        ),
        CAMPAIGN,
    ),
    Screen("test", SEQUENCE, CARD, (("button", "Test"), ("wait", ".modal .o_form_view")), DRAFT),
    Screen("calendar", "/odoo/nurture-calendar", ".o_calendar_view .fc-event"),
    Screen("analysis", "/odoo/nurture-analysis", ".o_graph_view canvas"),
    Screen("ledger", "/odoo/nurture-ledger", ".o_data_row, .o_kanban_record"),
    Screen("attribution", "/odoo/nurture-attribution", ".o_pivot"),
    Screen("links", "/odoo/nurture-links", ".o_list_view .o_data_row, .o_kanban_record"),
    Screen("participants", "/odoo/nurture-participants", ".o_data_row, .o_kanban_record"),
    Screen(
        "timeline",
        "/odoo/nurture-participants/{id}",
        ".o_nurture_timeline_entry",
        record=("nurture.participant", [("credit_ids.order_id", "!=", False)], "id"),
    ),
    Screen(
        "lead",
        "/odoo/crm/{id}",
        ".o_form_view .alert",
        record=("crm.lead", [("nurture_participant_ids.state", "=", "running")], "id"),
    ),
    Screen(
        "lost",
        "/odoo/crm/{id}",
        ".o_form_view",
        (
            ("button", "Lost"),
            ("click", ".modal .o_selection_badge:has-text('Too expensive')"),
            ("wait", ".modal .alert"),
        ),
        ("crm.lead", [("won_status", "=", "pending"), ("email_from", "!=", False)], "id desc"),
    ),
    Screen("pipeline", "/odoo/crm", ".o_kanban_record"),
    Screen("presets", "/odoo/nurture-presets", ".o_data_row, .o_kanban_record"),
]
