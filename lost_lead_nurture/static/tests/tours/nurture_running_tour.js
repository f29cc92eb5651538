import { registry } from "@web/core/registry";

const card = (name) => `.o_nurture_card:contains('${name}')`;
const closed = { trigger: "body:not(:has(.modal))" };
const goBack = { trigger: ".breadcrumb-item a:contains('Tour running')", run: "click" };

// A marketer edits a step while leads are inside: nothing changes before Update has shown whom it
// touches.
registry.category("web_tour.tours").add("nurture_update_tour", {
    steps: () => [
        { trigger: "body:not(:has(button[name=action_update]))" },
        { trigger: `${card("Second")}:contains('after 7 days') .o_nurture_name`, run: "click" },
        { trigger: ".modal .o_field_widget[name=delay] input", run: "edit 9 && press Tab" },
        { trigger: ".modal .o_form_button_save", run: "click" },
        closed,
        { trigger: `${card("Second")}:contains('after 9 days')` },
        { trigger: ".alert:contains('edited since leads have entered')" },
        { trigger: "button[name=action_update]", run: "click" },
        { trigger: ".modal [name=touched_count]:contains('2')" },
        {
            trigger:
                ".modal .o_data_row:contains('Second'):contains('Get another date'):contains('2')",
        },
        {
            content: "who they are",
            trigger: ".modal button[name=action_view_touched]",
            run: "click",
        },
        { trigger: ".o_list_view .o_data_row:contains('ann@recipient.example.com')" },
        { trigger: ".o_list_view .o_data_row:contains('bob@recipient.example.com')" },
        goBack,
        { trigger: "button[name=action_update]", run: "click" },
        { trigger: ".modal-footer button[name=action_update]", run: "click" },
        closed,
        { trigger: "body:not(:has(.alert:visible:contains('edited since leads have entered')))" },
        {
            content: "it is on the card: nobody was lost",
            trigger: `${card("Second")} button[data-statistic=scheduled]:contains(2)`,
        },
    ],
});

// A marketer starts a sequence again after it was stopped, and says what becomes of what fell due.
registry.category("web_tour.tours").add("nurture_resume_tour", {
    steps: () => [
        { trigger: "button[name=action_resume]", run: "click" },
        { trigger: ".modal [name=overdue_count]:contains('2')" },
        { trigger: ".modal button[name=action_view_overdue]", run: "click" },
        { trigger: ".o_list_view .o_data_row:contains('ann@recipient.example.com')" },
        goBack,
        { trigger: "button[name=action_resume]", run: "click" },
        { trigger: ".modal [name=overdue] input[data-value=spread]", run: "click" },
        { trigger: ".modal [name=days] input", run: "edit 2" },
        { trigger: ".modal-footer button[name=action_resume]", run: "click" },
        closed,
        { trigger: ".o_statusbar_status [data-value=running].o_arrow_button_current" },
        { trigger: `${card("Second")} button[data-statistic=scheduled]:contains(2)` },
    ],
});

// A marketer sees who would enter, what would be sent when, and who is excluded.
registry.category("web_tour.tours").add("nurture_dry_run_tour", {
    steps: () => [
        { trigger: "button[name=action_dry_run]", run: "click" },
        { trigger: ".modal-title:contains('Dry Run of “Tour running”')" },
        {
            content: "bit by bit, as there are many leads",
            trigger: ".modal [name=message_count]:contains('24')",
        },
        { trigger: ".modal:not(:has(.o_nurture_dry_run_progress))" },
        { trigger: ".modal [name=entering_count]:contains('12')" },
        { trigger: ".modal [name=excluded_count]:contains('1')" },
        { trigger: ".modal .o_data_row:contains('First'):contains('12')" },
        {
            trigger:
                ".modal .o_data_row:contains('Address blacklisted') button[name=action_view_leads]",
            run: "click",
        },
        {
            trigger: ".o_list_view .o_data_row:contains('black@'):contains('Address blacklisted')",
        },
        goBack,
        { trigger: "button[name=action_dry_run]", run: "click" },
        { trigger: ".modal button[name=action_view_sends]", run: "click" },
        { trigger: ".o_calendar_view .fc-event:contains('12 × First')" },
        goBack,
        { trigger: "button[name=action_dry_run]", run: "click" },
        { trigger: ".modal [name=message_count]:contains('24')" },
        { trigger: ".modal-footer button:contains('Close')", run: "click" },
        closed,
    ],
});
