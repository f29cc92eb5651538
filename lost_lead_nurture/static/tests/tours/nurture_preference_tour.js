import { registry } from "@web/core/registry";

// A recipient on the page to unsubscribe, who sets details and does not click on a choice.
registry.category("web_tour.tours").add("nurture_preference_tour", {
    steps: () => [
        { trigger: "input[name=choice][value=everything]:checked" },
        {
            trigger: "select[name=number]",
            async run() {
                this.anchor.value = "2";
                const choice = document.querySelector("input[name=choice][value=fewer]");
                // the page's script is loaded when the page is there already
                while (!choice.checked) {
                    this.anchor.dispatchEvent(new Event("input", { bubbles: true }));
                    await new Promise(requestAnimationFrame);
                }
            },
        },
        { trigger: "input[name=choice][value=fewer]:checked" },
        {
            trigger: "input[name=until]",
            run() {
                // another day that the page offers
                this.anchor.value = this.anchor.max;
                this.anchor.dispatchEvent(new Event("input", { bubbles: true }));
            },
        },
        { trigger: "input[name=choice][value=pause]:checked" },
        {
            trigger: ".o_nurture_preference button[type=submit]",
            run: "click",
            expectUnloadPage: true,
        },
        { trigger: "#info_state:contains('A pause: until')" },
    ],
});
