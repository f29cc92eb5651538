import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

const card = (name) => `.o_nurture_template:contains('${name}')`;

// A marketer makes a sequence from a template and starts it.
registry.category("web_tour.tours").add("nurture_gallery_tour", {
    url: "/odoo",
    steps: () => [
        ...stepUtils.goToAppSteps("lost_lead_nurture.nurture_menu_root"),
        { trigger: ".o_nurture_dashboard_new", run: "click" },
        { trigger: ".o_nurture_gallery_group:contains('Last-chance mail')" },
        { trigger: ".o_nurture_gallery_search input", run: "edit no such template" },
        { content: "says that nothing is found", trigger: ".o_nocontent_help", run: () => {} },
        { trigger: ".o_nocontent_help .btn-link", run: "click" },
        { trigger: ".o_nurture_gallery_search input", run: "edit back in stock" },
        {
            content: "only what is searched for",
            trigger: ".o_nurture_gallery:not(:contains('Appointment'))",
        },
        { trigger: `${card("Back in Stock")} .o_nurture_card_preview`, run: "click" },
        { trigger: ".modal .o_nurture_preview_step.active:contains('It is back in stock')" },
        { trigger: ".modal .o_nurture_preview_step:contains('Shall we keep one')", run: "click" },
        {
            content: "the mail itself",
            trigger: ".modal .o_nurture_preview_mail iframe[title='Shall we keep one for you?']",
        },
        { trigger: ".modal-footer .btn-primary", run: "click" },
        { trigger: ".modal .o_field_widget[name=name] input", run: "edit Tour restock" },
        { trigger: ".modal .o_tag:contains('No stock (test)')" },
        { trigger: ".modal .o_field_widget[name=matching_count]:contains(1)" },
        { trigger: ".modal button[name=action_create]", run: "click" },
        { trigger: ".o_field_widget[name=step_ids]:contains('Shall we keep one for you?')" },
        {
            content: "the gallery is not on the way back",
            trigger: ".o_breadcrumb:contains('Dashboard'):not(:contains('New Sequence'))",
        },
        { trigger: "button[name=button_start]", run: "click" },
        { trigger: ".modal [name=entering_count]:contains(1)" },
        { trigger: ".modal-footer button:contains('Start')", run: "click" },
        { trigger: ".o_notification:contains('1 lead entered')" },
        { trigger: "button[name=button_advance]", run: "click" },
        { trigger: ".o_notification:contains('What was due is done')" },
        { trigger: "button[name=action_view_participants]:contains(1)" },
    ],
});

// From a lost reason with its statistics to a sequence for it.
registry.category("web_tour.tours").add("nurture_lost_reason_tour", {
    url: "/odoo",
    steps: () => [
        ...stepUtils.goToAppSteps("lost_lead_nurture.nurture_menu_root"),
        {
            trigger: "button[data-menu-xmlid='lost_lead_nurture.nurture_menu_configuration']",
            run: "click",
        },
        { trigger: "a[data-menu-xmlid='lost_lead_nurture.crm_lost_reason_menu']", run: "click" },
        {
            trigger:
                ".o_data_row:contains('No stock (test)') td[name=nurture_lost_revenue]:contains(100)",
        },
        { trigger: ".o_data_cell[name=name]:contains('No stock (test)')", run: "click" },
        { trigger: "button[name=action_nurture_lost]:contains(100)", run: "click" },
        { trigger: ".o_data_row:contains('tour@recipient.example.com')" },
        { trigger: ".o_breadcrumb a:contains('No stock (test)')", run: "click" },
        { trigger: ".o_form_view button[name=action_nurture]", run: "click" },
        {
            content: "made for this reason, and first",
            trigger: `.o_nurture_gallery_group:first ${card("Back in Stock")}`,
        },
        { trigger: `${card("Back in Stock")} .o_nurture_card_use`, run: "click" },
        { trigger: ".modal .o_tag:contains('No stock (test)')" },
        { trigger: ".modal button[name=action_create]", run: "click" },
        { trigger: ".o_nurture_preset_chip[aria-pressed=true]:contains('No stock (test)')" },
    ],
});

// A sequence becomes a template of one's own, and is deleted as such.
registry.category("web_tour.tours").add("nurture_own_template_tour", {
    steps: () => [
        { trigger: ".o_form_view .o_cp_action_menus button", run: "click" },
        { trigger: ".o_menu_item:contains('Save as Template')", run: "click" },
        { trigger: ".modal .o_field_widget[name=name] input", run: "edit Tour template" },
        { trigger: ".modal button[name=action_save]", run: "click" },
        { trigger: ".o_notification:contains('is in the gallery now')" },
        { content: "New on the form", trigger: ".o_form_button_create", run: "click" },
        { trigger: `.o_nurture_gallery_group:contains('Your Own') ${card("Tour template")}` },
        { content: "the way back is there", trigger: ".o_breadcrumb:contains('Tour own')" },
        { trigger: `${card("Tour template")} .o_nurture_card_menu`, run: "click" },
        { trigger: ".dropdown-item:contains('Delete')", run: "click" },
        { trigger: ".modal-footer .btn-primary", run: "click" },
        { trigger: ".o_nurture_gallery:not(:contains('Tour template'))" },
        { trigger: ".o_nurture_card_use[data-template=empty]", run: "click" },
        { trigger: ".o_form_view .o_field_widget[name=name] input" },
    ],
});
