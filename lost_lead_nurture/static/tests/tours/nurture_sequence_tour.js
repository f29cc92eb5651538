import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

// A marketer makes a sequence from a preset, adds two mails, starts it and sees who entered.
registry.category("web_tour.tours").add("nurture_sequence_tour", {
    url: "/odoo",
    steps: () => [
        ...stepUtils.goToAppSteps("lost_lead_nurture.nurture_menu_root"),
        { trigger: ".o-kanban-button-new", run: "click" },
        { trigger: ".o_nurture_card_use[data-template=empty]", run: "click" },
        { trigger: ".o_field_widget[name=name] input", run: "edit Tour sequence" },
        { trigger: ".o_field_widget[name=preset_id] input", run: "edit Tour preset" },
        { trigger: ".dropdown-item:contains('Tour preset')", run: "click" },
        {
            content: "the count is live",
            trigger: ".o_field_widget[name=matching_count]:contains(1)",
        },
        ...stepUtils.saveForm(),
        { trigger: ".o_field_widget[name=step_ids] .o_field_x2many_list_row_add a", run: "click" },
        { trigger: ".modal .o_field_widget[name=mailing_id] input", run: "edit Tour mail one" },
        { trigger: ".dropdown-item:contains('Tour mail one')", run: "click" },
        { trigger: ".modal .o_form_button_save", run: "click" },
        {
            trigger: ".o_data_row:contains('Tour mail one'):contains('Beginning of the sequence')",
        },
        ...stepUtils.saveForm(),
        { trigger: ".o_field_widget[name=step_ids] .o_field_x2many_list_row_add a", run: "click" },
        { trigger: ".modal .o_field_widget[name=parent_id] input", run: "edit Tour mail one" },
        { trigger: ".dropdown-item:contains('Tour mail one')", run: "click" },
        { trigger: ".modal .o_field_widget[name=when]:contains('After the previous step')" },
        { trigger: ".modal .o_field_widget[name=delay] input", run: "edit 7 && press Tab" },
        { trigger: ".modal .o_field_widget[name=when]:contains('after 7 days')" },
        { trigger: ".modal .o_field_widget[name=mailing_id] input", run: "edit Tour mail two" },
        { trigger: ".dropdown-item:contains('Tour mail two')", run: "click" },
        { trigger: ".modal .o_form_button_save", run: "click" },
        { trigger: ".o_data_row:contains('Tour mail two'):contains('after 7 days')" },
        { trigger: "button[name=action_start]", run: "click" },
        { trigger: ".modal-footer button:contains('Start')", run: "click" },
        { trigger: "button[name=action_advance]", run: "click" },
        { trigger: ".o_notification:contains('1 leads entered')" },
        {
            trigger: "button[name=action_view_participants]:contains(1)",
            run: "click",
        },
        { trigger: ".o_data_cell[name=email]:contains('tour@reader.example.com')", run: "click" },
        { trigger: ".o_field_widget[name=trace_ids] .o_data_row:contains('Tour mail one')" },
    ],
});

// A salesperson sees from the lead where it is in its sequence and why.
registry.category("web_tour.tours").add("nurture_salesperson_tour", {
    url: "/odoo",
    steps: () => [
        ...stepUtils.goToAppSteps("crm.crm_menu_root"),
        { trigger: "button[data-menu-xmlid='crm.crm_menu_sales']", run: "click" },
        {
            trigger: "a[data-menu-xmlid='lost_lead_nurture.nurture_participant_menu_crm']",
            run: "click",
        },
        { content: "own leads only", trigger: ".o_list_view:not(:contains('other@reader'))" },
        { trigger: ".o_data_cell[name=email]:contains('own@reader.example.com')", run: "click" },
        { trigger: ".o_field_widget[name=trace_ids] .o_data_row:contains('First')" },
        { trigger: "button[name=action_view_lead]", run: "click" },
        { trigger: "button[name=action_view_nurture]:contains('Running')", run: "click" },
        { trigger: ".o_field_widget[name=trace_ids]" },
    ],
});
