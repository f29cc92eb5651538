import {
    animationFrame,
    beforeEach,
    expect,
    mockDate,
    queryAllTexts,
    queryOne,
    test,
} from "@odoo/hoot";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import {
    contains,
    defineModels,
    fields,
    makeServerError,
    mockService,
    models,
    mountView,
    onRpc,
    patchWithCleanup,
} from "@web/../tests/web_test_helpers";
import { user } from "@web/core/user";

const ENTERED = {
    kind: "entered",
    date: "2026-03-02 23:30:00",
    text: "<strong>Entered</strong>",
    why: ["automatically", "not in the holdout"],
};
const SENT = {
    kind: "sent",
    date: "2026-03-04 09:00:00",
    text: "<strong>First</strong> sent",
    why: [],
    trace: 7,
    type: "email",
    icon: "fa-envelope",
    preview: true,
};
const FAILED = {
    kind: "error",
    date: "2026-03-04 10:00:00",
    text: "<strong>Second</strong> failed",
    why: ["The step failed"],
    trace: 8,
    type: "email",
    detail: "ZeroDivisionError: <b>",
    actions: ["action_retry"],
};
const SCHEDULED = {
    kind: "scheduled",
    date: "2026-03-09 09:00:00",
    text: "<strong>Third</strong> is scheduled",
    why: [],
    trace: 9,
    type: "sms",
    actions: ["action_run_now", "action_cancel"],
    coming: true,
};
const WAITING = {
    kind: "waiting",
    date: false,
    text: "<strong>Fourth</strong> waits",
    why: ["for: Clicked"],
    trace: 10,
    coming: true,
};

class Participant extends models.Model {
    _name = "nurture.participant";

    timeline = fields.Json();

    _records = [{ id: 1, timeline: null }];
}
defineMailModels();
defineModels([Participant]);

beforeEach(() => {
    mockDate("2026-03-05 12:00:00", 0);
    patchWithCleanup(user, {
        get tz() {
            return "UTC";
        },
    });
});

function mountTimeline(entries, values = {}) {
    Participant._records[0].timeline = { entries, notice: false, ...values };
    return mountView({
        resModel: "nurture.participant",
        resId: 1,
        type: "form",
        arch: `<form><field name="timeline" widget="nurture_timeline"/></form>`,
    });
}

const entry = (kind) => `.o_nurture_timeline_entry[data-kind=${kind}]`;

test("days with their entries, what is to come apart", async () => {
    await mountTimeline([ENTERED, SENT, FAILED, SCHEDULED, WAITING]);
    expect(queryAllTexts(".o_nurture_timeline_day")).toEqual([
        "Mon, Mar 2 3 days ago",
        "Wed, Mar 4 yesterday",
        "Mon, Mar 9 in 4 days",
        "When something happens",
    ]);
    expect("[data-part=past] .o_nurture_timeline_entry").toHaveCount(3);
    expect("[data-part=coming] .o_nurture_timeline_entry").toHaveCount(2);
    expect(`${entry("entered")} .o_nurture_timeline_why`).toHaveText(
        "automatically; not in the holdout"
    );
    expect(`${entry("entered")} strong`).toHaveText("Entered");
    expect(`${entry("waiting")} time`).toHaveCount(0);
});

test("what the eye sees the ear hears", async () => {
    await mountTimeline([SENT, WAITING]);
    expect(`${entry("sent")} [role=img]`).toHaveAttribute("aria-label", "Sent");
    expect(`${entry("sent")} [role=img] i`).toHaveClass("fa-envelope");
    expect(`${entry("waiting")} [role=img]`).toHaveAttribute("aria-label", "Waiting");
    expect(`ol > li > ol > li${entry("sent")}`).toHaveCount(1);
    expect(queryOne(`${entry("sent")} time`).dateTime).toMatch(/^2026-03-04T09:00:00/);
});

test("on the clock of the user, wherever the browser is", async () => {
    patchWithCleanup(user, {
        get tz() {
            return "Europe/Brussels";
        },
    });
    await mountTimeline([ENTERED]);
    expect(".o_nurture_timeline_day").toHaveText("Tue, Mar 3 2 days ago");
    expect(`${entry("entered")} time`).toHaveText(/12:30.AM/);
});

test("a notice, and nothing else", async () => {
    await mountTimeline([], { notice: "The sequence is stopped." });
    expect(".o_nurture_timeline .alert").toHaveText("The sequence is stopped.");
    expect(".o_nurture_timeline_entry").toHaveCount(0);
});

test("what the system says is text, and folded away", async () => {
    await mountTimeline([FAILED]);
    expect(`${entry("error")} details`).not.toHaveAttribute("open");
    expect(queryOne(`${entry("error")} .o_nurture_timeline_detail`).textContent).toBe(
        "ZeroDivisionError: <b>"
    );
});

test("a step is run, and the timeline is read again", async () => {
    onRpc("nurture.trace", "action_run_now", function ({ args }) {
        expect.step(["run", ...args[0]]);
        const timeline = { entries: [SENT], notice: false };
        this.env["nurture.participant"].write([1], { timeline });
        return { type: "ir.actions.client", tag: "soft_reload" };
    });
    await mountTimeline([SCHEDULED]);
    await contains("[data-action=action_run_now]").click();
    await animationFrame();
    expect.verifySteps([["run", 9]]);
    expect(entry("sent")).toHaveCount(1);
    expect(entry("scheduled")).toHaveCount(0);
});

test("what somebody else has done meanwhile is shown", async () => {
    expect.errors(1);
    onRpc("nurture.trace", "action_run_now", function () {
        const timeline = { entries: [SENT], notice: false };
        this.env["nurture.participant"].write([1], { timeline });
        throw makeServerError({ message: "Only what is scheduled can be done now." });
    });
    await mountTimeline([SCHEDULED]);
    await contains("[data-action=action_run_now]").click();
    await animationFrame();
    expect.verifyErrors(["RPC_ERROR"]);
    expect(entry("sent")).toHaveCount(1);
    expect("[data-action]").toHaveCount(0);
});

test("cancelling is asked about", async () => {
    onRpc("nurture.trace", "action_cancel", ({ args }) => {
        expect.step(["cancel", ...args[0]]);
        return true;
    });
    await mountTimeline([SCHEDULED]);
    await contains("[data-action=action_cancel]").click();
    await contains(".modal-footer button:contains('Keep It')").click();
    expect.verifySteps([]);
    await contains("[data-action=action_cancel]").click();
    await contains(".modal-footer button:contains('Cancel Step')").click();
    await animationFrame();
    expect.verifySteps([["cancel", 9]]);
});

test("the message is shown with what it is", async () => {
    // HOOT wants to listen to all frames, and cannot to one that is shut off
    expect.errors(1);
    onRpc("nurture.trace", "get_preview", ({ args }) => {
        expect.step(args[0]);
        return {
            lead: "Desk",
            address: "ann@example.com",
            language: "",
            subject: "Hello Ann",
            html: "<p>Hi</p>",
            note: "As it was sent on Monday.",
        };
    });
    await mountTimeline([SENT]);
    await contains(".o_nurture_timeline_show").click();
    await animationFrame();
    expect(".o_nurture_preview").toHaveText(/Hello Ann\s+As it was sent on Monday\. Links do/);
    const frame = queryOne(".o_nurture_preview").querySelector("iframe");
    expect(frame.getAttribute("sandbox")).toBe("");
    expect.verifyErrors(["Blocked a frame"]);
    expect.verifySteps([[7]]);
});

test("an order is opened", async () => {
    mockService("action", {
        doAction: (action) => expect.step(`${action.res_model} ${action.res_id}`),
    });
    await mountTimeline([
        { ...ENTERED, kind: "order", record: { model: "sale.order", id: 5 }, why: [] },
    ]);
    await contains(".o_nurture_timeline_open").click();
    expect.verifySteps(["sale.order 5"]);
});

test("a long journey", async () => {
    const entries = Array.from({ length: 260 }, (_item, number) => ({
        ...SENT,
        date: `2026-03-${String(1 + Math.floor(number / 10)).padStart(2, "0")} 09:00:00`,
    }));
    await mountTimeline(entries);
    expect(".o_nurture_timeline_entry").toHaveCount(260);
    expect(".o_nurture_timeline_day").toHaveCount(26);
});
