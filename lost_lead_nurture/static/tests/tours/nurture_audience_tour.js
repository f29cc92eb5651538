import { registry } from "@web/core/registry";

// A marketer sees how many are excluded, who they are, and why; and asks of one lead.
registry.category("web_tour.tours").add("nurture_audience_tour", {
    steps: () => [
        { trigger: "[data-what=matching]:contains('3')" },
        { trigger: "[data-what=entering]:contains('1')" },
        { trigger: ".o_nurture_preset_chip[aria-pressed=true]:contains('Tour preset')" },
        {
            content: "the numbers follow what is edited",
            trigger: ".o_notebook_headers a:contains('Entry')",
            run: "click",
        },
        { trigger: "[name=exclude_open_deals] input", run: "click" },
        { trigger: "[data-what=entering]:contains('2')" },
        { trigger: "[name=exclude_open_deals] input", run: "click" },
        { trigger: "[data-what=entering]:contains('1')" },
        { trigger: "[data-what=excluded]:contains('2')", run: "click" },
        {
            trigger:
                ".o_list_view .o_data_row:contains('deal@recipient'):contains('Another opportunity with this customer is open')",
        },
        {
            trigger: ".o_data_row:contains('black@recipient'):contains('Address blacklisted')",
        },
        {
            trigger: ".o_data_row:contains('black@recipient') button:contains('Why?')",
            run: "click",
        },
        { trigger: ".modal .o_nurture_no:contains('The address is not blacklisted')" },
        { trigger: ".modal-footer button:contains('Close')", run: "click" },
        { trigger: "body:not(:has(.modal))" },
        { trigger: ".breadcrumb-item a:contains('Tour audience')", run: "click" },
        { trigger: "[data-what=open_deal]:contains('1')", run: "click" },
        { trigger: ".o_breadcrumb:contains('Excluded: Another opportunity')" },
        { trigger: ".o_list_view:not(:contains('black@recipient'))" },
        { trigger: ".breadcrumb-item a:contains('Tour audience')", run: "click" },
        {
            content: "the dialog of the sequence",
            trigger: "button:contains('Why?')",
            run: "click",
        },
        { trigger: ".modal [name=lead_id] input", run: "edit deal" },
        { trigger: ".dropdown-item:contains('Desk for deal@recipient')", run: "click" },
        {
            trigger: ".modal .o_nurture_no:contains('No other opportunity with this customer')",
        },
        { trigger: ".modal-footer button:contains('Close')", run: "click" },
        { trigger: "body:not(:has(.modal))" },
    ],
});
