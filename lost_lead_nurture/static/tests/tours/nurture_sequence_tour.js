import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

const card = (name) => `.o_nurture_card:contains('${name}')`;

/** Choose a mail in the dialog of a step, and save it. */
function chooseMail(subject) {
    return [
        { trigger: ".modal .o_field_widget[name=mailing_id] input", run: `edit ${subject}` },
        { trigger: `.dropdown-item:contains('${subject}')`, run: "click" },
        { trigger: ".modal .o_form_button_save", run: "click" },
        { trigger: "body:not(:has(.modal))" },
    ];
}

/** Add what follows a card when `trigger` happens. */
function follow(name, trigger) {
    return [
        { trigger: `${card(name)} .o_nurture_add`, run: "click" },
        { trigger: `.o_nurture_add_menu [data-trigger=${trigger}]`, run: "click" },
        { trigger: ".modal .o_field_widget[name=mailing_id] input" },
    ];
}

/** Write a mail from the dialog of a step, beginning with one of core's templates, and save both. */
function writeMail(subject) {
    return [
        { trigger: ".modal .o_nurture_write_mail:contains('Write the Mail')", run: "click" },
        {
            content: "nobody sends it from here, or chooses who gets it",
            trigger:
                ".modal:has([name=subject]):not(:has(button[name=action_launch])):not(:has(button[name=action_schedule])):not(:has([name=mailing_model_id]))",
        },
        { trigger: ".modal .o_field_widget[name=subject] input", run: `edit ${subject}` },
        { trigger: ".modal [data-name=default]", run: "click" },
        { trigger: ".modal [name=body_arch] :iframe .s_text_block" },
        { trigger: ".modal:has([name=subject]) .o_form_button_save", run: "click" },
        { trigger: ".modal:not(:has([name=subject])) [name=mailing_id]" },
        { trigger: ".modal .o_nurture_write_mail:contains('Edit the Mail')" },
        { trigger: ".modal .o_form_button_save", run: "click" },
        { trigger: "body:not(:has(.modal))" },
    ];
}

/** Drag a card onto something. */
function dragTo(name, target) {
    return {
        trigger: `${card(name)} .o_nurture_name`,
        async run(helpers) {
            await helpers.drag_and_drop(target, {
                position: { top: 10, left: 20 },
                relative: true,
            });
        },
    };
}

// A marketer makes a sequence from a preset, adds two mails, starts it and sees who entered.
registry.category("web_tour.tours").add("nurture_sequence_tour", {
    url: "/odoo",
    steps: () => [
        ...stepUtils.goToAppSteps("lost_lead_nurture.nurture_menu_root"),
        { trigger: ".o_nurture_dashboard_new", run: "click" },
        { trigger: ".o_nurture_card_use[data-template=empty]", run: "click" },
        { trigger: ".o_field_widget[name=name] input", run: "edit Tour sequence" },
        { trigger: ".o_nurture_preset_chip:contains('Tour preset')", run: "click" },
        {
            content: "the count is live",
            trigger: ".o_nurture_audience [data-what=matching]:contains(1)",
        },
        { trigger: ".o_nurture_empty button[data-type=email]", run: "click" },
        ...chooseMail("Tour mail one"),
        { trigger: `${card("Tour mail one")}:contains('Beginning of the sequence')` },
        ...follow("Tour mail one", "after"),
        { trigger: ".modal .o_field_widget[name=when]:contains('after 7 days')" },
        ...chooseMail("Tour mail two"),
        { trigger: `${card("Tour mail two")}:contains('after 7 days')` },
        { trigger: "button[name=button_start]", run: "click" },
        { trigger: ".modal [name=entering_count]:contains(1)" },
        { trigger: ".modal-footer button:contains('Start')", run: "click" },
        { trigger: ".o_notification:contains('1 lead entered')" },
        { trigger: "button[name=button_advance]", run: "click" },
        { trigger: ".o_notification:contains('What was due is done')" },
        {
            trigger: "button[name=action_view_participants]:contains(1)",
            run: "click",
        },
        {
            trigger: ".o_data_cell[name=email]:contains('tour@recipient.example.com')",
            run: "click",
        },
        { trigger: ".o_nurture_timeline_entry:contains('Tour mail one')" },
    ],
});

// A marketer builds the campaign of three weeks from nothing: three mails, a week between them,
// another way for those who did not open the first; then looks, moves, duplicates and deletes.
registry.category("web_tour.tours").add("nurture_workflow_tour", {
    url: "/odoo",
    steps: () => [
        ...stepUtils.goToAppSteps("lost_lead_nurture.nurture_menu_root"),
        { trigger: ".o_nurture_dashboard_new", run: "click" },
        { trigger: ".o_nurture_card_use[data-template=empty]", run: "click" },
        { trigger: ".o_field_widget[name=name] input", run: "edit Three weeks" },
        { trigger: ".o_nurture_preset_chip:contains('Tour preset')", run: "click" },
        { trigger: ".o_nurture_empty button[data-type=email]", run: "click" },
        ...writeMail("It is back"),
        { trigger: `${card("It is back")}:contains('Beginning of the sequence')` },
        ...follow("It is back", "after"),
        ...chooseMail("Still there"),
        { trigger: `${card("Still there")}:contains('after 7 days')` },
        ...follow("Still there", "after"),
        ...chooseMail("Last chance"),
        { trigger: `${card("Last chance")}:contains('after 7 days')` },
        ...follow("It is back", "mail_not_open"),
        { trigger: ".modal .o_field_widget[name=delay] input", run: "edit 3 && press Tab" },
        { trigger: ".modal .o_field_widget[name=when]:contains('Not opened, after 3 days')" },
        ...chooseMail("Did you see it"),
        {
            content: "days of the campaign",
            trigger: ".o_nurture_grid:contains('Day 0'):contains('Day 3'):contains('Day 14')",
        },
        // edit in the dialog
        { trigger: `${card("Did you see it")} .o_nurture_name`, run: "click" },
        { trigger: ".modal .o_field_widget[name=delay] input", run: "edit 4 && press Tab" },
        { trigger: ".modal .o_form_button_save", run: "click" },
        { trigger: ".o_nurture_grid:contains('Day 4')" },
        // with a lead's values
        { trigger: `${card("It is back")} .o_nurture_eye`, run: "click" },
        { trigger: ".o_nurture_preview:contains('It is back'):contains('tour@recipient') iframe" },
        { trigger: `${card("It is back")} .o_nurture_eye`, run: "press Escape" },
        { trigger: "body:not(:has(.o_nurture_preview))" },
        // duplicate; drag to where its trigger is possible, and to where it is not; delete
        { trigger: `${card("Did you see it")} .o_nurture_menu`, run: "click" },
        { trigger: ".o-dropdown-item:contains('Duplicate')", run: "click" },
        { trigger: `${card("Did you see it (copy)")} .o_nurture_name` },
        dragTo("Did you see it (copy)", card("Last chance")),
        { trigger: ".o_nurture_grid:contains('Day 18')" },
        dragTo("Did you see it (copy)", ".o_nurture_begin"),
        {
            trigger: ".modal #o_nurture_move_trigger",
            run: "selectByLabel Beginning of the sequence",
        },
        { trigger: ".modal .o_nurture_move_confirm", run: "click" },
        { trigger: `${card("Did you see it (copy)")}:contains('Beginning of the sequence')` },
        { trigger: `${card("Did you see it (copy)")} .o_nurture_menu`, run: "click" },
        { trigger: ".o-dropdown-item:contains('Delete')", run: "click" },
        { trigger: ".modal:contains('No lead has been there yet.') .btn-danger", run: "click" },
        { trigger: `.o_nurture_grid:not(:has(${card("(copy)")}))` },
        // start: a number opens what it counts
        { trigger: "button[name=button_start]", run: "click" },
        { trigger: ".modal [name=entering_count]:contains(1)" },
        { trigger: ".modal-footer button:contains('Start')", run: "click" },
        { trigger: ".o_notification:contains('1 lead entered')" },
        { trigger: "button[name=button_advance]", run: "click" },
        { trigger: ".o_notification:contains('What was due is done')" },
        {
            trigger: `${card("It is back")} button[data-statistic=processed]:contains(1)`,
            run: "click",
        },
        { trigger: ".o_list_view .o_data_row:contains('tour@recipient.example.com')" },
        { trigger: ".o_back_button, .breadcrumb-item a:contains('Three weeks')", run: "click" },
        // where somebody is or was nothing moves, and it says so
        dragTo("Did you see it", card("Last chance")),
        { trigger: ".modal:contains('Somebody is or was at the step') .btn-primary", run: "click" },
        { trigger: "body:not(:has(.modal))" },
        { trigger: card("Did you see it") },
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
        { content: "own leads only", trigger: ".o_list_view:not(:contains('other@recipient'))" },
        { trigger: ".o_data_cell[name=email]:contains('own@recipient.example.com')", run: "click" },
        { trigger: ".o_nurture_timeline_entry:contains('First')" },
        { trigger: "button[name=action_view_lead]", run: "click" },
        { trigger: "button[name=action_view_nurture]:contains('In Nurture')", run: "click" },
        { trigger: ".o_nurture_timeline_entry" },
    ],
});

// A marketer replays a draft over the last months, and opens what is behind the numbers.
registry.category("web_tour.tours").add("nurture_replay_tour", {
    url: "/odoo/nurture-sequences",
    steps: () => [
        {
            trigger: ".o_kanban_record:contains('Restock'), .o_data_cell:contains('Restock')",
            run: "click",
        },
        { trigger: "button[name=action_replay]", run: "click" },
        { trigger: ".modal .o_field_widget[name=months] input", run: "edit 1" },
        { trigger: ".modal label:contains('Nobody reacts')", run: "click" },
        { trigger: ".modal footer button[name=action_replay]", run: "click" },
        { trigger: ".o_form_view h2:contains('Replay of')", timeout: 60000 },
        // it shows how far it is, and goes on
        { trigger: ".o_field_widget[name=entered_count]:contains('1')", timeout: 60000 },
        { trigger: ".o_notebook a:contains('What It Cannot Know')", run: "click" },
        { trigger: ".o_field_widget[name=notes]:contains('nobody opens')" },
        { trigger: "button[name=action_view_entered]:first", run: "click" },
        { trigger: ".o_list_view .o_data_cell:contains('tour@recipient')", run: "click" },
        {
            trigger:
                ".o_form_view .o_field_widget[name=email_from], .o_form_view:contains('tour@recipient')",
        },
    ],
});
