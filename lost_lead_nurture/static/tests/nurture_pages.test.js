import { expect, test } from "@odoo/hoot";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import {
    contains,
    defineModels,
    fields,
    getService,
    models,
    mountWithCleanup,
    onRpc,
    patchWithCleanup,
} from "@web/../tests/web_test_helpers";
import { WebClient } from "@web/webclient/webclient";

class Sequence extends models.Model {
    _name = "nurture.sequence";
    name = fields.Char();
    active = fields.Boolean({ default: true });
    is_template = fields.Boolean();
    state = fields.Char({ default: "running" });
    _records = [{ id: 7, name: "Restock" }];
}

class Report extends models.Model {
    _name = "nurture.report";
    _records = [];
    get_funnel() {}
    get_hours() {}
    get_cohorts() {}
}
defineMailModels();
defineModels([Sequence, Report]);

const DOMAIN = [["kind", "=", "entered"]];

/** Show a page, and write down what it asks the server for and which lists it opens. */
async function openPage(page, values) {
    onRpc("nurture.report", `get_${page}`, ({ args }) => {
        expect.step(`of ${args[0]}`);
        return { count_date: false, view_id: 5, ...values };
    });
    await mountWithCleanup(WebClient);
    await getService("action").doAction({
        type: "ir.actions.client",
        tag: "lost_lead_nurture.page",
        params: { page },
    });
    patchWithCleanup(getService("action"), {
        doAction: ({ name, domain, views }) => expect.step([name, domain, views[0][0]]),
    });
}

test("each stage of the funnel opens its participants, and a sequence can be chosen", async () => {
    await openPage("funnel", {
        stages: [
            { name: "written_to", label: "Participants", count: 48, rate: 100, domain: DOMAIN },
            { name: "journeys_paid", label: "Paid", count: 0, rate: 0, domain: DOMAIN },
        ],
    });
    expect(".o_nurture_bar[data-stage=written_to]").toHaveText("48 · 100%");
    expect(".o_nurture_bar[data-stage=journeys_paid]").not.toBeEnabled();
    expect(".o_nurture_count_date").toHaveCount(0);
    await contains(".o_nurture_bar[data-stage=written_to]").click();
    await contains(".o_nurture_page select").select("7");
    expect.verifySteps(["of false", ["Participants", DOMAIN, 5], "of 7"]);
});

test("hours are shaded by what is chosen", async () => {
    const clicked = [["clicked", "=", 1]];
    const cells = [
        { opened: 4, clicked: 1, domains: { opened: DOMAIN, clicked } },
        { opened: 2, clicked: 0, domains: { opened: DOMAIN, clicked } },
        { opened: 0, clicked: 0, domains: { opened: DOMAIN, clicked } },
    ];
    await openPage("hours", {
        columns: ["00:00", "01:00", "02:00"],
        rows: [{ label: "Monday", cells }],
        count_date: "2026-03-02 09:00:00",
    });
    expect(".o_nurture_count_date").toHaveText(/every quarter of an hour/);
    expect(".o_nurture_shade:eq(0)").toHaveText("4");
    expect(".o_nurture_shade:eq(2)").not.toBeEnabled();
    await contains(".o_nurture_shade:eq(1)").click();
    await contains(".btn-group button:contains(Clicked)").click();
    expect(".o_nurture_shade:eq(0)").toHaveText("1");
    expect(".o_nurture_shade:eq(1)").not.toBeEnabled();
    await contains(".o_nurture_shade:eq(0)").click();
    expect.verifySteps([
        "of false",
        ["Monday, 01:00: 2 opened, 0 clicked", DOMAIN, 5],
        ["Monday, 00:00: 4 opened, 1 clicked", clicked, 5],
    ]);
});

test("months lost show what was won back since", async () => {
    const cells = [
        { count: 0, rate: 0, domain: DOMAIN },
        { count: 1, rate: 33.333, domain: DOMAIN },
    ];
    await openPage("cohorts", {
        rows: [{ label: "Oct 2026", count: 3, domain: DOMAIN, cells }],
    });
    expect(".o_nurture_shade:eq(0)").toHaveText("0");
    expect(".o_nurture_shade:eq(1)").toHaveText("33.3%");
    await contains(".o_nurture_shade:eq(1)").click();
    expect.verifySteps([
        "of false",
        ["Lost in Oct 2026: 1 of 3 won back by the end of month 1", DOMAIN, 5],
    ]);
});

test("where there is nothing yet it is said what will be", async () => {
    await openPage("cohorts", { rows: [] });
    expect(".o_nurture_nothing").toHaveText(/No lost lead is in a sequence yet/);
    expect.verifySteps(["of false"]);
});
