import { registry } from "@web/core/registry";

/** Choose filters of the search menu. */
function filterBy(...labels) {
    return [
        { trigger: ".o_searchview_dropdown_toggler", run: "click" },
        ...labels.map((label) => ({
            trigger: `.o_filter_menu .dropdown-item:contains('${label}')`,
            run: "click",
        })),
        { trigger: ".o_searchview_dropdown_toggler", run: "click" },
    ];
}

// A salesperson loses a lead, takes the sequence that is offered for the reason, and follows it.
registry.category("web_tour.tours").add("nurture_lose_lead_tour", {
    steps: () => [
        { trigger: ".o_statusbar_buttons button:contains('Lost')", run: "click" },
        {
            content: "nothing is pushed before there is a reason",
            trigger: ".modal .o_field_widget[name=nurture_sequence_id] input",
        },
        { trigger: ".modal .o_selection_badge:contains('No stock (test)')", run: "click" },
        { trigger: ".modal .o_field_widget[name=nurture_sequence_id] input:value('Restock')" },
        { trigger: ".modal .alert:contains('2 mails over 7 days, the first tomorrow')" },
        { trigger: ".modal button[name=action_lost_reason_apply]", run: "click" },
        { trigger: ".o_notification:contains('1 lead entered “Restock”.')" },
        { trigger: ".o_form_view .alert:contains('In nurture: Restock'):contains('“First”')" },
        {
            content: "a salesperson does not take it out",
            trigger: ".o_form_view:not(:has(button[name=action_nurture_remove]))",
        },
        {
            trigger: "button[name=action_view_nurture]:contains('In Nurture'):contains('Next')",
            run: "click",
        },
        { trigger: ".breadcrumb-item:contains('Tour desk')" },
        { trigger: ".o_form_view:contains('Restock'):contains('First')" },
    ],
});

// From lost leads: one says why it cannot enter, the other enters.
registry.category("web_tour.tours").add("nurture_lost_lead_tour", {
    steps: () => [
        { trigger: ".o_kanban_view" },
        ...filterBy("Lost"),
        { trigger: ".o_kanban_record:contains('Nobody')", run: "click" },
        { trigger: ".o_statusbar_buttons button:contains('Nurture')", run: "click" },
        { trigger: ".modal .alert:contains('Cannot enter “Restock”: No email address')" },
        { trigger: ".modal:not(:has(button[name=action_enrol]:visible))" },
        { trigger: ".modal .modal-footer button:contains('Close'):visible", run: "click" },
        { trigger: "body:not(:has(.modal))" },
        { trigger: ".o_back_button, .breadcrumb-item a:contains('Pipeline')", run: "click" },
        { trigger: ".o_kanban_record:contains('Tour desk')", run: "click" },
        { trigger: ".o_statusbar_buttons button:contains('Nurture')", run: "click" },
        { trigger: ".modal .alert:contains('2 mails over 7 days, the first tomorrow')" },
        { trigger: ".modal button[name=action_enrol]", run: "click" },
        { trigger: "button[name=action_view_nurture]:contains('In Nurture')" },
        { trigger: ".o_statusbar_buttons:not(:contains('Nurture'))" },
    ],
});

// In the pipeline: a chip on who was won back, filters, and the column of the list.
registry.category("web_tour.tours").add("nurture_pipeline_tour", {
    steps: () => [
        {
            trigger:
                ".o_kanban_record:contains('Back desk') .badge:contains('Won back by Restock')",
        },
        {
            trigger:
                ".o_kanban_record:contains('Other desk'):not(:has(.o_nurture_lead_chip .badge))",
        },
        ...filterBy("In Nurture"),
        {
            trigger:
                ".o_kanban_record:contains('Inside desk') .badge:contains('In nurture: Restock')",
        },
        { trigger: ".o_kanban_view:not(:contains('Back desk')):not(:contains('Other desk'))" },
        { trigger: ".o_switch_view.o_list", run: "click" },
        { trigger: ".o_data_row:contains('Inside desk')" },
        { trigger: ".o_optional_columns_dropdown button", run: "click" },
        { trigger: ".o-dropdown--menu .dropdown-item:contains('Nurture')", run: "click" },
        {
            trigger:
                ".o_data_row:contains('Inside desk') [name=nurture_state] .badge:contains('In Nurture')",
        },
        ...filterBy("In Nurture", "Won Back"),
        {
            trigger:
                ".o_data_row:contains('Back desk') [name=nurture_state] .badge:contains('Won Back')",
        },
    ],
});
