import { expect, test } from "@odoo/hoot";
import { waitFor } from "@odoo/hoot-dom";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import {
    contains,
    defineModels,
    getService,
    models,
    mountWithCleanup,
    onRpc,
    patchWithCleanup,
} from "@web/../tests/web_test_helpers";
import { WebClient } from "@web/webclient/webclient";

const DATA = {
    week: [
        { name: "sent", label: "Sent", this: "12", last: "7" },
        { name: "invoices", label: "Invoiced (Paid)", this: "$ 250", last: "$ 0" },
    ],
    days: { this: "Mar 1 – Mar 7, 2026", last: "Feb 22 – Feb 28, 2026" },
    needs: [{ name: "failed", label: "Steps that failed", count: 3 }],
    best: [],
    coming: {
        total: 4,
        days: [
            { label: "Mar 2", count: 4 },
            { label: "Mar 3", count: 0 },
        ],
    },
    sequences: {
        total: 1,
        rows: [
            {
                id: 5,
                name: "Restock",
                running: 2,
                sent: 12,
                opened: 60,
                clicked: null,
                won_back: 1,
                chart: [0, 3, 12],
            },
        ],
    },
    drafts: 2,
    counted: false,
    is_empty: false,
};

class Report extends models.Model {
    _name = "nurture.report";
    _records = [];
    get_funnel() {}
    get_hours() {}
}
defineMailModels();
defineModels([Report]);

/** The week, with nothing but one hour in which somebody opened something. */
function makeHours(weekday, hour, opened) {
    const columns = [...Array(24).keys()].map((one) => `${String(one).padStart(2, "0")}:00`);
    const rows = ["Monday", "Tuesday"].map((label) => ({
        label,
        cells: columns.map((_column, one) => ({
            opened: label === weekday && one === hour ? opened : 0,
        })),
    }));
    return { columns, rows };
}

function makeFunnel(counts) {
    const labels = {
        written_to: "Participants",
        journeys_sent: "Sent",
        journeys_delivered: "Delivered",
        journeys_opened: "Opened",
        journeys_clicked: "Clicked",
        won_back_entered: "Won back",
        journeys_order: "Order",
        journeys_paid: "Paid",
    };
    const stages = Object.entries(labels).map(([name, label], index) => ({
        name,
        label,
        count: counts[index],
        rate: counts[0] ? (100 * counts[index]) / counts[0] : 0,
    }));
    return { stages };
}

/** Open the dashboard; each action that is opened is a step of the test. */
async function openDashboard(
    data = {},
    hours = makeHours("Tuesday", 10, 4),
    funnel = makeFunnel([48, 47, 46, 30, 8, 6, 3, 3])
) {
    onRpc("nurture.sequence", "get_dashboard", () => ({ ...DATA, ...data }));
    onRpc("nurture.sequence", "action_view_dashboard", ({ args }) => ({ args }));
    onRpc("nurture.report", "get_hours", () => hours);
    onRpc("nurture.report", "get_funnel", () => funnel);
    await mountWithCleanup(WebClient);
    await getService("action").doAction({ type: "ir.actions.client", tag: "nurture_dashboard" });
    patchWithCleanup(getService("action"), {
        doAction: (action) => expect.step(action.args || action),
    });
}

test("each number of the week opens its list", async () => {
    await openDashboard();
    expect("[data-name=sent]").toHaveText(/12\s*Sent\s*Last week: 7/);
    await contains("[data-name=sent] button:eq(0)").click();
    await contains("[data-name=sent] button:eq(1)").click();
    await contains("[data-name=failed]").click();
    await contains("[data-part=coming] button:eq(0)").click();
    await contains("[data-id='5'] button:contains(12)").click();
    expect.verifySteps([
        [[], "sent", "this"],
        [[], "sent", "last"],
        [[], "failed", "this"],
        [[], "coming", "this"],
        [[5], "sent", "this"],
    ]);
});

test("a line tells what it shows to who cannot see it, and no rate is made up", async () => {
    await openDashboard();
    const line = "[data-id='5'] svg[aria-label='Sent in the last 3 days: 15']";
    expect(line).toHaveCount(1);
    expect("[data-id='5'] td:eq(4)").toHaveText("60%");
    expect("[data-id='5'] td:eq(5)").toHaveText("–");
});

test("nothing that needs anybody is said, too", async () => {
    await openDashboard({ needs: [] });
    expect("[data-part=needs]").toHaveText(/Nothing\s+needs you just now/);
});

test("who has no sequence yet is shown where to begin", async () => {
    await openDashboard({ is_empty: true });
    expect("[data-name=sent]").toHaveCount(0);
    await contains(".o_nurture_dashboard_first button:contains(Choose a template)").click();
    await contains(".o_nurture_dashboard_first button:contains(lost)").click();
    await contains(".o_nurture_dashboard_first button:contains(2)").click();
    expect.verifySteps([
        "lost_lead_nurture.nurture_gallery_action",
        "crm.crm_lost_reason_action",
        "lost_lead_nurture.nurture_sequence_action",
    ]);
});

test("charts answer a question in words, and lead to the page that has more", async () => {
    await openDashboard();
    await waitFor("[data-part=hours] p");
    expect("[data-part=hours] p").toHaveText("Most often on Tuesday at 10:00, on their own clock.");
    expect("[data-part=hours] i").toHaveCount(48);
    expect("[data-part=funnel] p").toHaveText("Most between Opened and Clicked: 22 of 30.");
    expect("[data-part=funnel] .o_nurture_worst").toHaveCount(1);
    expect("[data-part=funnel] small:contains(17%)").toHaveText("8 · 17%");
    await contains("[data-part=hours] button").click();
    await contains("[data-part=funnel] button:eq(0)").click();
    await contains("[data-part=funnel] button:eq(1)").click();
    expect.verifySteps([
        "lost_lead_nurture.nurture_hours_action",
        "lost_lead_nurture.nurture_funnel_action",
        "lost_lead_nurture.nurture_cohorts_action",
    ]);
});

test("charts of nothing say so", async () => {
    await openDashboard({}, makeHours("Monday", 0, 0), makeFunnel(Array(8).fill(0)));
    await waitFor("[data-part=hours] p");
    expect("[data-part=hours] p").toHaveText("Nobody has opened a message yet.");
    expect("[data-part=funnel] p").toHaveText("Nobody is in a sequence yet.");
    expect("[data-part=hours] i, [data-part=funnel] i").toHaveCount(0);
});
