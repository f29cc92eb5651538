import { registry } from "@web/core/registry";

// A marketer walks one lead through a sequence: it answers, and once more it does not.
registry.category("web_tour.tours").add("nurture_test_tour", {
    steps: () => [
        { trigger: "button[name=action_test]", run: "click" },
        { trigger: ".modal .o_nurture_test_line[data-state=scheduled]:contains('Next')" },
        { trigger: ".modal-footer [data-do=next]", run: "click" },
        { trigger: ".modal .o_nurture_test_line:contains('sent to marketer@test.example.com')" },
        {
            content: "what comes next when nothing happens",
            trigger: ".modal .o_nurture_test_line[data-state=scheduled]:contains('Silent')",
        },
        { trigger: ".modal [data-do=reply]", run: "click" },
        {
            trigger:
                ".modal .o_nurture_test_line[data-state=cancelled]:contains('The opposite happened first')",
        },
        { trigger: ".modal-footer [data-do=next]", run: "click" },
        { trigger: ".modal .o_nurture_test_line[data-state=processed]:contains('Answered')" },
        { trigger: ".modal .o_nurture_test_end:contains('Replied')" },
        { trigger: ".modal-footer [data-do=restart]", run: "click" },
        { trigger: ".modal .o_nurture_test:not(:contains('Answered'))" },
        { trigger: ".modal-footer [data-do=next]", run: "click" },
        { trigger: ".modal .o_nurture_test_line[data-state=waiting]:contains('Answered')" },
        { trigger: ".modal-footer button:contains('Close')", run: "click" },
        { trigger: "body:not(:has(.modal))" },
    ],
});
