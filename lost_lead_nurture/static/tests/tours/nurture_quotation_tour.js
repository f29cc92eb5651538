import { registry } from "@web/core/registry";

const MODAL = ".modal:has(.o_web_sign_name_and_signature)";

// A recipient follows the link in a mail, gets the quotation that was refused, and signs it.
registry.category("web_tour.tours").add("nurture_quotation_tour", {
    steps: () => [
        { trigger: ".o_nurture_quotation_page:contains('$ 20.00 less than')" },
        {
            trigger:
                ".o_nurture_quotation_page tbody tr:contains('Desk (test)'):contains('$ 80.00')",
        },
        {
            content: "nothing is made before it is asked for",
            trigger: ".o_nurture_quotation_page button.o_nurture_ask",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "core's page of quotations",
            trigger: "#quote_content tr:contains('Desk (test)'):contains('$ 80.00')",
        },
        {
            trigger: ".o_portal_sale_sidebar a[data-bs-target='#modalaccept']",
            run: "click",
        },
        { trigger: `${MODAL} .o_web_sign_name_and_signature input`, run: "edit Ann" },
        { trigger: `${MODAL} .o_web_sign_name_and_signature input:value(Ann)` },
        { trigger: `${MODAL} canvas.o_web_sign_signature`, run: "canvasNotEmpty" },
        {
            trigger: `${MODAL} .o_portal_sign_submit:enabled`,
            run: "click",
            expectUnloadPage: true,
        },
        { trigger: "#quote_content:contains('Thank You')" },
    ],
});
