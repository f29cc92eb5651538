import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";

// From the list of sequences to one that runs. Who wants it starts it by the link of the empty overview,
// or in Settings › Technical › Tours; both begin there, not wherever the user comes from.
registry.category("web_tour.tours").add("nurture_tour", {
    url: "/odoo/nurture-sequences",
    steps: () => [
        {
            trigger: ".o_nurture_overview .o-kanban-button-new",
            content: _t(
                "Let's win back some lost leads. Begin with a template: each is a whole sequence, with finished mails."
            ),
            tooltipPosition: "bottom",
            run: "click",
        },
        {
            trigger: ".o_nurture_card_use:not([data-template=empty])",
            content: _t("Choose one that fits. You can change everything later."),
            tooltipPosition: "bottom",
            run: "click",
        },
        {
            trigger: ".modal button[name=action_create]",
            content: _t("The reasons say which lost leads enter. Create it, nothing is sent yet."),
            tooltipPosition: "top",
            run: "click",
        },
        {
            trigger: ".o_nurture_grid .o_nurture_card",
        },
        {
            trigger: "button[name=button_start]",
            content: _t("Below are its steps: have a look at the mails, then start it."),
            tooltipPosition: "bottom",
            run: "click",
        },
        {
            trigger: ".modal-footer button.btn-primary",
            content: _t("Now the leads that match enter, and the first mails leave."),
            tooltipPosition: "top",
            run: "click",
        },
        {
            trigger: "button[name=action_stop]",
        },
    ],
});
