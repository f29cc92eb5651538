import { registry } from "@web/core/registry";

// Where no PDF can be made, the results are a page that the browser prints.
registry.category("web_tour.tours").add("nurture_print_tour", {
    steps: () => [
        { trigger: "button[name=action_print_results]", run: "click" },
        { trigger: ".o_notification:contains('will be shown in html')" },
        { trigger: ":iframe .page:contains('Compared with those held out')" },
        { trigger: ".o_control_panel button:contains('Print')" },
    ],
});
