import { expect, test } from "@odoo/hoot";
import { animationFrame, queryFirst, queryOne } from "@odoo/hoot-dom";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import {
    contains,
    getService,
    mountWithCleanup,
    onRpc,
    patchWithCleanup,
} from "@web/../tests/web_test_helpers";
import { WebClient } from "@web/webclient/webclient";

const STEP = { icon: "fa-envelope", when: "Beginning, at once", name: "Hello", depth: 0 };
const TEMPLATE = {
    id: 7,
    name: "Win back",
    summary: "",
    check: "",
    icon: "fa-leaf",
    own: true,
    reasons: [],
    steps: [
        { ...STEP, id: 1, day: 0 },
        { ...STEP, id: 2, day: 1, icon: "fa-mobile" },
    ],
    mails: 1,
    days: 1,
};

defineMailModels();

async function openGallery(templates = [TEMPLATE], context = {}) {
    onRpc("nurture.sequence", "get_gallery", () => ({
        groups: [{ key: "own", label: "Your Own", templates }],
    }));
    onRpc("nurture.sequence", "get_template_mails", () => [
        { id: 1, day: 0, when: STEP.when, subject: "Hello", preview: "", body: "<p>Hello</p>" },
    ]);
    await mountWithCleanup(WebClient);
    await getService("action").doAction({
        type: "ir.actions.client",
        tag: "nurture_gallery",
        context,
    });
}

test("a card says how many mails in what time, and what each step is", async () => {
    await openGallery();
    expect(".o_nurture_template:contains(Win back)").toHaveText(/1 mail in 1 day/);
    expect(".o_nurture_flow .fa-mobile").toHaveCount(1);
});

test("who clicks twice gets one preview, with room for the mail", async () => {
    await openGallery();
    for (let time = 1; time <= 2; time++) {
        queryFirst(".o_nurture_card_preview").click();
        queryFirst(".o_nurture_card_preview").click();
        await animationFrame();
        expect(".modal").toHaveCount(1);
        const { width } = queryOne(".modal-body").getBoundingClientRect();
        const mail = queryOne(".o_nurture_preview_mail").getBoundingClientRect();
        expect(mail.width / width).toBeGreaterThan(0.6);
        await contains(".modal-footer button:text(Close)").click();
    }
});

test("the focus returns to the template that was not used", async () => {
    await openGallery();
    patchWithCleanup(getService("action"), {
        doAction: (action, { onClose }) => {
            // as core's dialog leaves it
            document.activeElement.blur();
            return onClose();
        },
    });
    await contains("[data-template='7']").click();
    expect("[data-template='7']").toBeFocused();
});

test("the menu of a card is about its template", async () => {
    onRpc("nurture.sequence", "unlink", ({ args }) => {
        expect.step(args[0]);
        return true;
    });
    await openGallery([
        { ...TEMPLATE, id: 7, name: "First" },
        { ...TEMPLATE, id: 8, name: "Second" },
    ]);
    await contains(".o_nurture_template:contains(First) .o_nurture_card_menu").click();
    await contains(".o-dropdown-item:text(Delete)").click();
    expect(".modal-body").toHaveText(/“First”/);
    await contains(".modal-footer button:text(Delete)").click();
    expect.verifySteps([[7]]);
});

test("a card is no wider for a long name", async () => {
    await openGallery([{ ...TEMPLATE, name: "x".repeat(400), summary: "y ".repeat(2000) }]);
    const card = queryOne(".o_nurture_template:contains(xxx)");
    expect(card.scrollWidth).toBe(card.clientWidth);
    expect(card.offsetHeight).toBeLessThan(1000);
});

test("templates made for what would cure the reason come first", async () => {
    const templates = [
        { ...TEMPLATE, id: 7, name: "Any", cure: "" },
        { ...TEMPLATE, id: 8, name: "Lower price", cure: "price" },
    ];
    await openGallery(templates, { nurture_cures: ["price"] });
    expect(".o_nurture_gallery_group:first").toHaveText(/made for this/i);
    expect(".o_nurture_gallery_group:first .o_nurture_template").toHaveCount(1);
    expect(".o_nurture_gallery_group:first").toHaveText(/Lower price/);
});
