import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

const entry = (kind, text) =>
    `.o_nurture_timeline_entry[data-kind=${kind}]${text ? `:contains("${text}")` : ""}`;

// A salesperson reads what happened to an own lead and why, and sees the mail; nothing else can
// be done.
registry.category("web_tour.tours").add("nurture_timeline_salesperson_tour", {
    url: "/odoo",
    steps: () => [
        ...stepUtils.goToAppSteps("crm.crm_menu_root"),
        { trigger: "button[data-menu-xmlid='crm.crm_menu_sales']", run: "click" },
        {
            trigger: "a[data-menu-xmlid='lost_lead_nurture.nurture_participant_menu_crm']",
            run: "click",
        },
        { trigger: ".o_data_cell[name=email]:contains('ann@recipient.example.com')", run: "click" },
        {
            content: "why it is in",
            trigger: `${entry("entered")} .o_nurture_timeline_why:contains("automatically")`,
        },
        {
            content: "why something was cancelled",
            trigger: `${entry("clicked", "See the item")}:contains("“Ignored” cancelled")`,
        },
        {
            content: "what is next, and nothing to press",
            trigger: `.o_nurture_timeline:not(:has([data-action])) ${entry("scheduled", "Thanks")}`,
        },
        { trigger: `${entry("sent", "First")} .o_nurture_timeline_show`, run: "click" },
        { trigger: ".o_nurture_preview:contains('As it was sent on') iframe" },
        { trigger: ".o_nurture_timeline", run: "press Escape" },
        { trigger: "body:not(:has(.o_nurture_preview))" },
        { trigger: ".nav-link[name=traces]", run: "click" },
        { trigger: ".o_field_widget[name=trace_ids] .o_data_row:contains('Reminder')" },
    ],
});

// A marketer looks at the mail, does the next step now and cancels the one after it.
registry.category("web_tour.tours").add("nurture_timeline_marketer_tour", {
    steps: () => [
        { trigger: `${entry("sent", "First")} .o_nurture_timeline_show`, run: "click" },
        { trigger: ".o_nurture_preview:contains('First') iframe" },
        { trigger: ".o_nurture_timeline", run: "press Escape" },
        { trigger: "body:not(:has(.o_nurture_preview))" },
        { trigger: `${entry("scheduled", "Thanks")} [data-action=action_run_now]`, run: "click" },
        { trigger: entry("changed", "Thanks brought forward by hand") },
        {
            content: "it is in the queue",
            trigger: `[data-part=coming] ${entry("queued", "Thanks")}`,
        },
        { trigger: `${entry("scheduled", "Later")} [data-action=action_cancel]`, run: "click" },
        { trigger: ".modal-footer button:contains('Cancel Step')", run: "click" },
        { trigger: `${entry("cancelled", "Later")}:contains("Cancelled by hand")` },
    ],
});
