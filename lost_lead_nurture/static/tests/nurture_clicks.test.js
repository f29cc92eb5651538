import { expect, test } from "@odoo/hoot";
import { queryRect, waitFor } from "@odoo/hoot-dom";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import {
    contains,
    defineModels,
    getService,
    models,
    mountWithCleanup,
    onRpc,
} from "@web/../tests/web_test_helpers";
import { WebClient } from "@web/webclient/webclient";

class Mailing extends models.Model {
    _name = "mailing.mailing";
    _records = [];
    get_nurture_clicks() {}
    action_view_nurture_link() {}
}
defineMailModels();
defineModels([Mailing]);

const HTML = `<!DOCTYPE html><html><head><style>body { margin: 0; }</style></head><body>
    <p style="height: 100px; margin: 0"><a data-nurture-link="0">See it</a></p>
    <p style="height: 400px; margin: 0"><a data-nurture-link="1">All</a></p>
    <p style="margin: 0"><a data-nurture-link="0">See it</a></p></body></html>`;
const LINK = { url: "https://shop.example.com/limited", places: 1, bots: 0 };
const LINKS = [
    { ...LINK, ids: [7], label: "See it", places: 2, clicked: 1, rate: 2.5, clicks: 3, bots: 4 },
    { ...LINK, ids: [8, 9], label: "All", clicked: 4, rate: 10, clicks: 4 },
    { ...LINK, ids: [5], label: "", places: 0, clicked: 0, rate: 0, clicks: 0 },
];

async function openClicks(values) {
    onRpc("mailing.mailing", "get_nurture_clicks", ({ args }) => {
        expect.step(`of ${args[0]}`);
        return {
            subject: "Back in stock",
            html: HTML,
            recipient: "Ann",
            delivered: 40,
            clicked: 5,
            is_judged: true,
            links: LINKS,
            left_off: 0,
            mails: [],
            ...values,
        };
    });
    onRpc("mailing.mailing", "action_view_nurture_link", ({ args }) => {
        expect.step(args);
        return { type: "ir.actions.act_window_close" };
    });
    await mountWithCleanup(WebClient);
    await getService("action").doAction({
        type: "ir.actions.client",
        tag: "lost_lead_nurture.clicks",
        context: { active_id: 3 },
    });
}

test("each place of a link has a badge on it, which opens who clicked", async () => {
    await openClicks();
    await waitFor(".o_nurture_click_badge");
    expect(".o_nurture_clicks_summary").toHaveText("5 of 40 who got it clicked (12.5%).");
    expect(".o_nurture_click_badge").toHaveCount(3);
    expect(".o_nurture_click_badge[data-link='0']").toHaveCount(2);
    expect(".o_nurture_click_badge:eq(0)").toHaveText("1 · 2.5%");
    expect(".o_nurture_click_badge:eq(1)").toHaveText("4 · 10%");
    // the darkest one is clicked by most
    expect(".o_nurture_click_badge:eq(1)").toHaveClass("o_nurture_strong");
    expect(".o_nurture_click_badge:eq(0)").not.toHaveClass("o_nurture_strong");
    const [frame, first, second] = [
        queryRect(".o_nurture_mail iframe"),
        queryRect(".o_nurture_click_badge:eq(0)"),
        queryRect(".o_nurture_click_badge:eq(1)"),
    ];
    expect(frame.height).toBeGreaterThan(499, { message: "the whole mail is shown" });
    expect(Math.round(second.top - first.top)).toBe(100);
    await contains(".o_nurture_click_badge:eq(1)").click();
    expect.verifySteps(["of 3", [[3], [8, 9]]]);
});

test("the links are listed beside it, those clicked by most first", async () => {
    await openClicks();
    expect(".o_nurture_click_link").toHaveCount(3);
    expect(".o_nurture_click_link:eq(0)").toHaveText(/All\s*4 · 10%/);
    expect(".o_nurture_click_link:eq(1)").toHaveText(/Clicks: 3\s*Bots: 4\s*In 2 places/);
    expect(".o_nurture_click_link:eq(2)").toHaveText(/Not in the text as it is today/);
    await contains(".o_nurture_click_link:eq(1)").click();
    expect.verifySteps(["of 3", [[3], [7]]]);
});

test("nothing in the frame runs or leads anywhere", async () => {
    await openClicks();
    expect(".o_nurture_mail iframe").toHaveAttribute("sandbox", "allow-same-origin");
    expect.verifySteps(["of 3"]);
});

test("a plain mailing does not set bots apart, and one that nobody got says so", async () => {
    await openClicks({ is_judged: false, delivered: 0, clicked: 0, links: [] });
    expect(".o_nurture_clicks_summary").toHaveText("Nobody has got this mail yet.");
    expect(".o_nurture_clicks").toHaveText(/Bots are not set apart/);
    expect(".o_nurture_nothing").toHaveText(/No link of this mail was sent yet/);
    expect.verifySteps(["of 3"]);
});

test("other versions of the step's mail are a choice away", async () => {
    await openClicks({
        mails: [
            { id: 3, name: "Version A" },
            { id: 4, name: "Version B" },
        ],
    });
    await contains(".o_nurture_clicks select").select("4");
    expect.verifySteps(["of 3", "of 4"]);
});
