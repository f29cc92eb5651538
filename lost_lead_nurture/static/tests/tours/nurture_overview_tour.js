import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

const card = ".o_kanban_record:contains('Tour overview')";
const back = { trigger: ".o_back_button, .breadcrumb-item:not(.active) a", run: "click" };

function menu(section, item) {
    return [
        {
            trigger: `button[data-menu-xmlid='lost_lead_nurture.nurture_menu_${section}']`,
            run: "click",
        },
        { trigger: `a[data-menu-xmlid='lost_lead_nurture.${item}']`, run: "click" },
    ];
}

// A marketer reads the overview: each number opens what it counts.
registry.category("web_tour.tours").add("nurture_overview_tour", {
    url: "/odoo",
    steps: () => [
        ...stepUtils.goToAppSteps("lost_lead_nurture.nurture_menu_root"),
        {
            trigger: "a[data-menu-xmlid='lost_lead_nurture.nurture_sequence_menu']",
            run: "click",
        },
        {
            content: "the chart tells its numbers to who cannot see it, too",
            trigger: `${card} .o_field_nurture_chart [role=img][aria-label*='Sent: 3'] canvas`,
        },
        { trigger: `${card}:contains('3 mails go out until tomorrow')` },
        {
            content: "what those inside wait for opens who they are",
            trigger: `${card} button[name=action_view_waits]:contains('3 wait for their next mail')`,
            run: "click",
        },
        { trigger: ".o_list_view .o_data_row:contains('Second'):eq(2)" },
        back,
        { trigger: `${card} button[name=action_view_participants]:contains(3)`, run: "click" },
        { trigger: ".o_list_view .o_data_row:eq(2)" },
        back,
        {
            trigger: `${card} button[name=action_view_mails]:contains('Sent'):contains(3)`,
            run: "click",
        },
        { trigger: ".o_list_view .o_data_row:eq(2)" },
        back,
        { trigger: `${card} button[name=action_view_coming]`, run: "click" },
        { trigger: ".o_list_view .o_data_row:contains('Second'):eq(2)" },
        back,
        { trigger: `${card} .o_dropdown_kanban button:not(:visible)`, run: "click" },
        { trigger: ".o-dropdown--menu a:contains('Calendar')", run: "click" },
        // an event stands for all leads of the day, wherever tomorrow is
        { trigger: ".o_calendar_view" },
        { trigger: ".o_switch_view.o_list", run: "click" },
        { trigger: ".o_list_view .o_data_row:contains('Second') .o_data_cell", run: "click" },
        { trigger: ".o_list_view .o_data_row:contains('tour2@recipient.example.com')" },
        { trigger: ".o_breadcrumb a:contains('Steps by Day')", run: "click" },
        { trigger: ".o_switch_view.o_calendar", run: "click" },
        { trigger: ".fc-event:contains('3 leads: Second')", run: "click" },
        { trigger: ".o_cw_popover_edit", run: "click" },
        { trigger: ".o_list_view .o_data_row:contains('tour2@recipient.example.com')" },
        ...menu("report", "nurture_report_menu"),
        { trigger: ".o_graph_view canvas" },
        { trigger: ".o_switch_view.o_pivot", run: "click" },
        { trigger: ".o_pivot tr:contains('Tour overview') .o_pivot_cell_value:contains(3)" },
        ...menu("report", "nurture_link_tracker_menu"),
        { trigger: ".o_data_cell:contains('shop.example.com/limited')", run: "click" },
        { trigger: ".o_view_nocontent:contains('Nobody has clicked it yet')" },
    ],
});

// A salesperson sees own leads only, and no statistics of mails.
registry.category("web_tour.tours").add("nurture_own_overview_tour", {
    url: "/odoo/nurture-sequences",
    steps: () => [
        { trigger: `${card}:not(:contains('Sent')):not(:contains('Invoiced'))` },
        { trigger: `${card}:contains('Your leads'):contains('1 mail goes out until tomorrow')` },
        { trigger: `${card} button[name=action_view_waits]:contains('1 waits for the next mail')` },
        { trigger: `${card} button[name=action_view_participants]:contains(1)`, run: "click" },
        { trigger: ".o_list_view:not(:contains('other@recipient')) .o_data_row:contains('own@')" },
    ],
});
