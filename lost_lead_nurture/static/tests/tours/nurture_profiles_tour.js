import { registry } from "@web/core/registry";

const FIRST = ".o_nurture_profiles .o_data_row:first-of-type";

// A marketer makes one choice of leads two profiles, changes their order, and sees who enters when.
registry.category("web_tour.tours").add("nurture_profiles_tour", {
    steps: () => [
        { trigger: ".o_nurture_preset_chip[aria-pressed=true]:contains('Builders')" },
        { trigger: "[name=profile_mode] input", run: "click" },
        {
            trigger: ".o_select_menu_item:contains('one after the other')",
            run: "click",
        },
        {
            content: "the preset that was chosen is the first profile",
            trigger: ".o_nurture_profiles .o_data_row:contains('Builders')",
        },
        { trigger: "body:not(:has(.o_nurture_preset_chip))" },
        {
            trigger: ".o_nurture_profiles .o_field_x2many_list_row_add a",
            run: "click",
        },
        {
            trigger: ".o_nurture_profiles .o_selected_row [name=preset_id] input",
            run: "edit Rich",
        },
        { trigger: ".dropdown-item:contains('Rich (tour)')", run: "click" },
        {
            content: "each says how many it lets in, and when, before anything is saved",
            trigger:
                ".o_nurture_audience_profiles li:contains('Builders'):contains('now'):contains('2')",
        },
        {
            trigger:
                ".o_nurture_audience_profiles li:contains('Rich'):contains('from'):contains('1')",
        },
        { trigger: "[data-what=not_turn]:contains('1')" },
        { trigger: ".o_form_button_save", run: "click" },
        { trigger: ".o_form_saved, .o_form_status_indicator_buttons.invisible" },
        {
            content: "whose turn it is stands below the days",
            trigger: ".o_nurture_mark:contains('Builders (tour) enter')",
        },
        { trigger: ".o_nurture_mark:contains('Rich (tour) enter')" },
        {
            content: "the other one first",
            trigger: ".o_nurture_profiles .o_data_row:contains('Rich') .o_row_handle",
            run: `drag_and_drop(${FIRST})`,
        },
        { trigger: `${FIRST}:contains('Rich')` },
        { trigger: ".o_nurture_audience_profiles li:first-child:contains('Rich'):contains('2')" },
        { trigger: ".o_form_button_save", run: "click" },
        { trigger: ".o_nurture_mark.o_nurture_first:contains('Rich (tour) enter')" },
        { trigger: "button[name=action_dry_run]", run: "click" },
        { trigger: ".modal [name=profile_ids] .o_data_row:contains('Rich'):contains('2')" },
        {
            trigger:
                ".modal [name=profile_ids] .o_data_row:contains('Builders'):contains('1') button:contains('See them')",
            run: "click",
        },
        { trigger: ".o_list_view .o_data_row:contains('builder@recipient')" },
    ],
});
