import { registry } from "@web/core/registry";

const card = ".o_nurture_card:contains('First')";
const version = (letter) => `${card} .o_nurture_versions tr:contains('${letter}')`;
const number = (letter, statistic) =>
    `${card} [data-version=${letter}][data-statistic=${statistic}]`;
const closed = { trigger: "body:not(:has(.modal))" };
const openTest = [
    { trigger: `${card} .o_nurture_name`, run: "click" },
    { trigger: ".modal .nav-link:contains('A/B Test')", run: "click" },
];
const save = [{ trigger: ".modal .o_form_button_save", run: "click" }, closed];

// A marketer adds a version of a mail, which comes later, and finds it on the card.
registry.category("web_tour.tours").add("nurture_add_version_tour", {
    steps: () => [
        { trigger: `${card}:not(:has(.o_nurture_versions))` },
        ...openTest,
        { trigger: ".modal button[name=button_add_variant]:visible", run: "click" },
        { trigger: ".modal .o_data_row [name=letter]:contains('B')", run: "click" },
        { trigger: ".modal .o_data_row [name=has_delay] input", run: "click" },
        { trigger: ".modal .o_data_row [name=delay] input", run: "edit 3" },
        ...save,
        { trigger: `${version("A")}:not(:contains('after'))` },
        { trigger: `${version("B")}:contains('after 3 days')` },
        { trigger: `${number("B", "sent")}:contains('0')` },
        { trigger: `${card} .o_nurture_versions:contains('Nobody has got')` },
    ],
});

// A marketer looks at what came of the versions, opens a number, and chooses the winner.
registry.category("web_tour.tours").add("nurture_choose_version_tour", {
    steps: () => [
        { trigger: `${number("A", "sent")}:contains('1')` },
        { trigger: `${number("A", "clicked")}:contains('0')` },
        { trigger: `${number("B", "clicked")}:contains('100')`, run: "click" },
        { trigger: ".o_breadcrumb:contains('First, version B: Clicked')" },
        { trigger: ".o_list_view .o_data_row", run: () => {} },
        { trigger: ".breadcrumb-item a:contains('Tour versions')", run: "click" },
        ...openTest,
        { trigger: ".modal .o_field_widget[name=ab_result] table" },
        { trigger: ".modal .o_data_row button[name=action_choose]", run: "click" },
        { trigger: ".modal .o_field_widget[name=ab_result]:contains('chosen by hand')" },
        ...save,
        { trigger: `${version("B")} .fa-trophy` },
        { trigger: `${card} .o_nurture_versions:contains('version B was chosen by hand')` },
    ],
});
