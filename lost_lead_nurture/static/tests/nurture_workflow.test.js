import { beforeEach, expect, test } from "@odoo/hoot";
import {
    advanceTime,
    animationFrame,
    hover,
    press,
    queryAll,
    queryAllTexts,
    queryFirst,
    queryOne,
} from "@odoo/hoot-dom";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import {
    contains,
    defineModels,
    fields,
    makeServerError,
    MockServer,
    mockService,
    models,
    mountView,
    onRpc,
    patchWithCleanup,
} from "@web/../tests/web_test_helpers";
import { localization } from "@web/core/l10n/localization";

const DAY = 24 * 60;
const AFTER = {
    value: "after",
    label: "After the previous step",
    icon: "fa-clock-o",
    kind: "time",
};
const BEGIN = { value: "begin", label: "Beginning", icon: "fa-flag-o", kind: "time" };
const OPENED = { value: "mail_open", label: "Opened", icon: "fa-envelope-open-o", kind: "event" };
const NOT_OPENED = {
    value: "mail_not_open",
    label: "Not opened",
    icon: "fa-envelope-o",
    kind: "absence",
};
const TRIGGERS = [BEGIN, AFTER, OPENED, NOT_OPENED];

const WORKFLOW = {
    editable: true,
    mails_readable: true,
    offers: { root: [BEGIN], email: [AFTER, OPENED, NOT_OPENED], action: [AFTER], sms: [AFTER] },
    types: {
        email: { label: "Email", icon: "fa-envelope", message: true },
        action: { label: "Action", icon: "fa-cog", message: false },
        // what another add-on brings
        sms: { label: "SMS", icon: "fa-mobile", message: true },
    },
    steps: [],
    exits: [],
    profiles: [],
    rate_of: {
        ...{ opened: "delivered", clicked: "delivered", replied: "delivered" },
        ...{ ignored: "delivered", no_reaction: "delivered", bounced: "sent" },
        ...{ unsubscribed: "delivered", complained: "delivered" },
    },
    definitions: { opened: "Messages that somebody opened." },
};

function makeMails(values = {}) {
    return {
        ...{ sent: 0, delivered: 0, opened: 0, clicked: 0, replied: 0 },
        ...{ ignored: 0, no_reaction: 0, bounced: 0, unsubscribed: 0, complained: 0 },
        ...values,
    };
}

function step(id, name, parent, trigger, minutes = 0, values = {}) {
    const { label, icon, kind } = TRIGGERS.find((one) => one.value === trigger);
    return {
        id,
        name,
        parent,
        trigger,
        label,
        icon,
        kind,
        minutes,
        type: "email",
        active: true,
        untimed: false,
        wait: minutes ? `after ${minutes / DAY} days` : "at once",
        when: `${label}, at some time`,
        mailing: 100 + id,
        languages: [],
        filtered: false,
        counts: {},
        mails: makeMails(),
        chart: false,
        problems: [],
        ...values,
    };
}

const STEPS = () => [
    step(1, "First", false, "begin", 0, {
        counts: { processed: 40, rejected: 2, cancelled: 1 },
        mails: makeMails({
            sent: 42,
            delivered: 40,
            opened: 10,
            replied: 4,
            ignored: 30,
            bounced: 2,
        }),
        chart: { processed: [0, 3, 5], rejected: [0, 0, 1] },
    }),
    step(2, "Opened it", 1, "mail_open", 2 * DAY, { counts: { scheduled: 3 } }),
    step(3, "Did not open it", 1, "mail_not_open", 7 * DAY),
    step(4, "Tag", 3, "after", 0, { type: "action", mailing: false, mails: false }),
];

class Sequence extends models.Model {
    _name = "nurture.sequence";

    name = fields.Char({ required: true });
    step_ids = fields.One2many({ relation: "nurture.step", relation_field: "sequence_id" });
    workflow = fields.Json({ default: WORKFLOW });

    _records = [{ id: 1, name: "Restock", step_ids: [1, 2, 3, 4], workflow: null }];
}

class Step extends models.Model {
    _name = "nurture.step";

    name = fields.Char();
    sequence_id = fields.Many2one({ relation: "nurture.sequence" });
    parent_id = fields.Many2one({ relation: "nurture.step" });
    trigger = fields.Selection({ selection: TRIGGERS.map(({ value, label }) => [value, label]) });
    step_type = fields.Char();
    delay = fields.Integer();

    _records = [1, 2, 3, 4].map((id) => ({ id, name: `Step ${id}` }));
    _views = {
        form: `
            <form>
                <field name="name"/><field name="sequence_id"/><field name="parent_id"/>
                <field name="trigger"/><field name="step_type"/><field name="delay"/>
            </form>`,
    };
}
defineMailModels();
defineModels([Sequence, Step]);

beforeEach(() => setWorkflow({}));

function setWorkflow(values) {
    Sequence._records[0].workflow = { ...WORKFLOW, steps: STEPS(), ...values };
}

/** What somebody else does to it once it is on the screen. */
function changeSteps(steps) {
    MockServer.env["nurture.sequence"].write([1], { workflow: { ...WORKFLOW, steps } });
}

function mountWorkflow(params = {}) {
    return mountView({
        resModel: "nurture.sequence",
        resId: 1,
        type: "form",
        arch: `<form><field name="name"/><field name="step_ids" widget="nurture_workflow"/></form>`,
        ...params,
    });
}

const card = (id) => `.o_nurture_card[data-step="${id}"]`;

/** Keep what is written to steps. */
function stepWrites() {
    const writes = [];
    onRpc("nurture.step", "write", ({ args }) => {
        writes.push(args);
        return true;
    });
    return writes;
}

test("steps stand on an axis of days, with their triggers", async () => {
    await mountWorkflow();
    expect(queryAllTexts(".o_nurture_day")).toEqual(["Day 0", "Day 2", "Day 7"]);
    expect(queryAllTexts(".o_nurture_name")).toEqual([
        "First",
        "Opened it",
        "Did not open it",
        "Tag",
    ]);
    expect(queryAllTexts(".o_nurture_chip")).toEqual([
        "Beginning",
        "Opened, after 2 days",
        "Not opened, after 7 days",
        "at once",
    ]);
    expect(`${card(2)} .o_nurture_chip .fa-envelope-open-o`).toHaveCount(1);
    const left = (id) => queryOne(card(id)).getBoundingClientRect().left;
    expect(left(1)).toBeLessThan(left(2));
    expect(left(2)).toBeLessThan(left(3));
    expect(left(3)).toBeLessThan(left(4));
});

test("the statistics of all cards come with the form", async () => {
    onRpc(({ method, model }) => expect.step(`${model}.${method}`));
    const steps = [step(1, "First", false, "begin")];
    for (let id = 2; id <= 60; id++) {
        const values = { counts: { processed: id } };
        steps.push(step(id, `Step ${id}`, Math.floor(id / 2), "mail_open", DAY, values));
    }
    setWorkflow({ steps });
    await mountWorkflow();
    expect(".o_nurture_card").toHaveCount(60);
    expect.verifySteps(["nurture.sequence.get_views", "nurture.sequence.web_read"]);
});

test("a card shows its statistics, and a number opens what it counts", async () => {
    mockService("action", {
        doActionButton: ({ name, resId, args }) => expect.step(`${name} ${resId} ${args}`),
    });
    await mountWorkflow();
    expect(queryAllTexts(`${card(1)} .o_nurture_statistic b`)).toEqual([
        ...["0", "0", "40", "2"],
        // of the mails delivered; the bounces of those sent
        ...["42", "25%", "0%", "10%", "75%", "5%"],
    ]);
    expect(`${card(1)} svg polyline`).toHaveCount(2);
    expect(`${card(3)} .o_nurture_statistic`).toHaveCount(0, {
        message: "no noughts where nobody has been",
    });
    await contains(`${card(1)} [data-statistic=opened]`).click();
    await contains(`${card(1)} [data-statistic=rejected]`).click();
    expect.verifySteps([
        'action_view_statistic 1 ["opened"]',
        'action_view_statistic 1 ["rejected"]',
    ]);
    expect(`${card(1)} button[data-statistic=waiting]`).toHaveCount(0);
});

test("mail statistics do not lead where the user may not go", async () => {
    setWorkflow({ mails_readable: false });
    await mountWorkflow();
    expect(`${card(1)} button[data-statistic=processed]`).toHaveCount(1);
    expect(`${card(1)} button[data-statistic=sent]`).toHaveCount(0);
    expect(".o_nurture_eye").toHaveCount(0);
});

test("a step without a mail leads straight to the editor", async () => {
    const steps = STEPS();
    steps[2].mailing = false;
    setWorkflow({ steps });
    onRpc("nurture.step", "action_write_mail", ({ args }) => {
        expect.step(`write ${args[0]}`);
        return { type: "ir.actions.act_window", res_model: "mailing.mailing", res_id: 9 };
    });
    mockService("action", { doAction: ({ res_id }) => expect.step(`open ${res_id}`) });
    await mountWorkflow();
    expect(".o_nurture_write").toHaveCount(1);
    await contains(`${card(3)} .o_nurture_write`).click();
    expect.verifySteps(["write 3", "open 9"]);
});

test("a type of another add-on is drawn with what the server tells of it", async () => {
    setWorkflow({ steps: [step(1, "Text", false, "begin", 0, { type: "sms" })] });
    await mountWorkflow();
    expect(`${card(1)} .o_nurture_type .fa-mobile`).toHaveCount(1);
});

test("+ offers what the server says may follow, and opens a step with it", async () => {
    onRpc("nurture.step", "web_save", ({ args }) => expect.step(args[1]));
    await mountWorkflow();
    await contains(`${card(1)} .o_nurture_add`).click();
    expect(queryAllTexts(".o_nurture_add_menu .o-dropdown-item")).toEqual([
        "After the previous step",
        "Opened",
        "Not opened",
    ]);
    await contains(".o_nurture_add_menu [data-trigger=mail_not_open]").click();
    await contains(".modal .o_field_widget[name=name] input").edit("Again");
    await contains(".modal .o_form_button_save").click();
    expect.verifySteps([
        {
            name: "Again",
            sequence_id: 1,
            parent_id: 1,
            trigger: "mail_not_open",
            step_type: false,
            delay: 7,
        },
    ]);
    await contains(`${card(4)} .o_nurture_add`).click();
    expect(queryAllTexts(".o_nurture_add_menu .o-dropdown-item")).toEqual([
        "After the previous step",
    ]);
});

test("a sequence that is not saved is saved when its first step is added", async () => {
    onRpc("nurture.sequence", "web_save", ({ args }) => expect.step(args[1].name));
    await mountWorkflow({ resId: false });
    expect(queryAllTexts(".o_nurture_empty button")).toEqual(["Email", "Action", "SMS"]);
    await contains(".o_nurture_empty button[data-type=action]").click();
    expect(".modal").toHaveCount(0, { message: "it has no name yet" });
    expect(".o_field_widget[name=name]").toHaveClass("o_field_invalid");
    await contains(".o_field_widget[name=name] input").edit("New one");
    await contains(".o_nurture_empty button[data-type=action]").click();
    expect.verifySteps(["New one"]);
    expect(".modal .o_field_widget[name=step_type] input").toHaveValue("action");
    expect(".modal .o_field_widget[name=trigger] input").toHaveValue("Beginning");
});

test("a click on a card edits the step, and its statistics come anew", async () => {
    onRpc("nurture.step", "web_save", ({ args }) => expect.step(args[0]));
    onRpc("nurture.sequence", "web_read", () => expect.step("read"));
    await mountWorkflow();
    expect.verifySteps(["read"]);
    await contains(`${card(3)} .o_nurture_name`).click();
    await contains(".modal .o_field_widget[name=name] input").edit("Other");
    await contains(".modal .o_form_button_save").click();
    expect.verifySteps([[3], "read"]);
    expect(card(3)).toBeFocused();
});

test("who clicks twice gets one dialog, and again one later", async () => {
    await mountWorkflow();
    for (let time = 1; time <= 2; time++) {
        queryFirst(`${card(3)} .o_nurture_name`).click();
        queryFirst(`${card(3)} .o_nurture_name`).click();
        await animationFrame();
        await contains(".modal .o_form_button_cancel").click();
        expect(".modal").toHaveCount(0);
    }
});

test("the focus returns to the step that nothing was added to", async () => {
    await mountWorkflow();
    await contains(`${card(4)} .o_nurture_add`).click();
    await contains(".o_nurture_add_menu [data-trigger=after]").click();
    await contains(".modal .o_form_button_cancel").click();
    await animationFrame();
    expect(card(4)).toBeFocused();
});

test("duplicate alone or with what follows", async () => {
    onRpc("nurture.step", "action_duplicate", ({ args }) => {
        expect.step(args);
        return 2;
    });
    await mountWorkflow();
    await contains(`${card(3)} .o_nurture_menu`).click();
    await contains(".o-dropdown-item:text(Duplicate)").click();
    await contains(`${card(3)} .o_nurture_menu`).click();
    await contains(".o-dropdown-item:text(Duplicate with What Follows)").click();
    expect.verifySteps([
        [[3], false],
        [[3], true],
    ]);
    await contains(`${card(4)} .o_nurture_menu`).click();
    expect(".o-dropdown-item:text(Duplicate with What Follows)").toHaveCount(0);
});

test("deleting asks first, and says what goes", async () => {
    onRpc("nurture.step", "unlink", ({ args }) => {
        expect.step(args[0]);
        return true;
    });
    await mountWorkflow();
    queryFirst(card(1)).focus();
    await press("Delete");
    await animationFrame();
    expect(".modal-title").toHaveText("Delete “First”?");
    expect(".modal-body").toHaveText(/4 steps in all/);
    expect(".modal-body").toHaveText(/at 2 of the steps/);
    expect(".modal-body").toHaveText(/history of 46 entries, and what was to come \(3\)/);
    await contains(".modal-footer button:text(Cancel)").click();
    expect.verifySteps([]);
    expect(card(1)).toBeFocused();
    queryFirst(card(4)).focus();
    await press("Delete");
    await animationFrame();
    expect(".modal-body").toHaveText("No lead has been there yet.");
    changeSteps(STEPS().slice(0, 3));
    await contains(".modal-footer button:text(Delete)").click();
    expect.verifySteps([[4]]);
    await animationFrame();
    expect(card(3)).toBeFocused();
    queryFirst(card(1)).focus();
    await press("Delete");
    await animationFrame();
    changeSteps([]);
    await contains(".modal-footer button:text(Delete)").click();
    expect.verifySteps([[1]]);
    await animationFrame();
    expect(".o_nurture_empty button[data-type=email]").toBeFocused();
});

test("a step is dragged to another one, and keeps a trigger that is possible there", async () => {
    const writes = stepWrites();
    await mountWorkflow();
    await contains(`${card(3)} .o_nurture_name`).dragAndDrop(card(2));
    expect(writes).toEqual([[[3], { parent_id: 2, trigger: "mail_not_open" }]]);
});

test("where its trigger is not possible, one has to be chosen", async () => {
    const writes = stepWrites();
    await mountWorkflow();
    await contains(`${card(2)} .o_nurture_name`).dragAndDrop(card(4));
    expect(writes).toEqual([]);
    expect(".modal #o_nurture_move_parent option:checked").toHaveText("Tag");
    expect(queryAllTexts("#o_nurture_move_trigger option")).toEqual(["After the previous step"]);
    await contains(".o_nurture_move_confirm").click();
    expect(writes).toEqual([[[2], { parent_id: 4, trigger: "after" }]]);
});

test("a step is dragged to the beginning", async () => {
    await mountWorkflow();
    await contains(`${card(2)} .o_nurture_name`).dragAndDrop(".o_nurture_begin");
    expect(".modal #o_nurture_move_parent option:checked").toHaveText("Beginning of the sequence");
    expect(queryAllTexts("#o_nurture_move_trigger option")).toEqual(["Beginning"]);
});

test("a step cannot be dragged below itself, nor to where it is", async () => {
    const writes = stepWrites();
    await mountWorkflow();
    await contains(`${card(3)} .o_nurture_name`).dragAndDrop(card(4));
    await contains(`${card(3)} .o_nurture_name`).dragAndDrop(card(1));
    expect(writes).toEqual([]);
    expect(".modal").toHaveCount(0);
});

test("moving by menu offers the possible places, with the triggers of each", async () => {
    const writes = stepWrites();
    await mountWorkflow();
    await contains(`${card(3)} .o_nurture_menu`).click();
    await contains(".o-dropdown-item:text(Move…)").click();
    expect(queryAllTexts("#o_nurture_move_parent option")).toEqual([
        "Beginning of the sequence",
        "Opened it",
    ]);
    expect("#o_nurture_move_trigger").toHaveValue("begin");
    await contains("#o_nurture_move_parent").select("1");
    expect("#o_nurture_move_trigger").toHaveValue("mail_not_open");
    await contains("#o_nurture_move_trigger").select("mail_open");
    await contains(".o_nurture_move_confirm").click();
    expect(writes).toEqual([[[3], { parent_id: 2, trigger: "mail_open" }]]);
});

test("a step that can go nowhere else is not offered to move", async () => {
    await mountWorkflow();
    // all others follow it
    await contains(`${card(1)} .o_nurture_menu`).click();
    expect(".o-dropdown-item:text(Edit)").toHaveCount(1);
    expect(".o-dropdown-item:text(Move…)").toHaveCount(0);
});

test("a step moves up and down among its siblings, by menu and by keyboard", async () => {
    onRpc("nurture.step", "action_reorder", ({ args }) => {
        expect.step(args);
        return true;
    });
    await mountWorkflow();
    // the second of two
    await contains(`${card(3)} .o_nurture_menu`).click();
    expect(".o-dropdown-item:text(Move Down)").toHaveCount(0);
    await contains(".o-dropdown-item:text(Move Up)").click();
    expect.verifySteps([[[3], -1]]);
    queryFirst(card(2)).focus();
    await press(["alt", "ArrowUp"]);
    await press(["alt", "ArrowDown"]);
    await animationFrame();
    expect.verifySteps([[[2], 1]]);
});

test("what the server refuses is said", async () => {
    expect.errors(1);
    onRpc("nurture.step", "write", () => {
        throw makeServerError({
            errorName: "odoo.exceptions.UserError",
            message: "Somebody is at this step.",
        });
    });
    await mountWorkflow();
    changeSteps(STEPS().slice(0, 3));
    await contains(`${card(3)} .o_nurture_name`).dragAndDrop(card(2));
    await animationFrame();
    expect.verifyErrors(["RPC_ERROR"]);
    expect(".modal-body").toHaveText("Somebody is at this step.");
    expect(".o_nurture_card").toHaveCount(3, { message: "what is there now is shown" });
});

test("arrows lead from card to card, and Tab to one of them only", async () => {
    await mountWorkflow();
    const tabbable = () => queryAll(".o_nurture_card[tabindex='0']").map((el) => el.dataset.step);
    expect(tabbable()).toEqual(["1"]);
    queryFirst(card(1)).focus();
    const go = async (key, id) => {
        await press(key);
        await animationFrame();
        expect(card(id)).toBeFocused({ message: key });
    };
    await go("ArrowRight", 2);
    await go("ArrowRight", 2);
    await go("ArrowDown", 3);
    await go("ArrowDown", 4);
    await go("ArrowLeft", 3);
    await go("ArrowLeft", 1);
    await go("End", 4);
    await go("Home", 1);
    await go("ArrowDown", 2);
    expect(tabbable()).toEqual(["2"]);
    expect(`${card(2)} button[tabindex='-1']`).toHaveCount(0);
    expect(`${card(3)} button[tabindex='0']`).toHaveCount(0);
    await press("Enter");
    await animationFrame();
    expect(".modal .o_form_view").toHaveCount(1);
});

test("from right to left the arrows are the other way round", async () => {
    await mountWorkflow();
    patchWithCleanup(localization, { direction: "rtl" });
    queryFirst(card(1)).focus();
    await press("ArrowLeft");
    expect(card(2)).toBeFocused();
    await press("ArrowRight");
    expect(card(1)).toBeFocused();
});

test("+ on the keyboard opens the menu, Escape closes it", async () => {
    await mountWorkflow();
    queryFirst(card(1)).focus();
    await press("+");
    await animationFrame();
    expect(".o_nurture_add_menu .o-dropdown-item").toHaveCount(3);
    await press("Escape");
    await animationFrame();
    expect(".o_nurture_add_menu").toHaveCount(0);
});

test("a screen reader hears a tree", async () => {
    await mountWorkflow();
    expect("[role=tree]").toHaveAttribute("aria-label", "Workflow");
    expect(queryAll("[role=treeitem]").map((el) => el.ariaLevel)).toEqual(["1", "2", "2", "3"]);
    expect(card(3)).toHaveAttribute("aria-posinset", "2");
    expect(card(3)).toHaveAttribute("aria-setsize", "2");
    expect(card(1)).toHaveAttribute(
        "aria-label",
        /^Email: First\. Beginning, at some time\. Day 0\. .*Processed: 40\. .*Opened: 10/
    );
    for (const button of queryAll(".o_nurture_card button")) {
        expect(Boolean(button.ariaLabel)).toBe(true, { message: button.outerHTML });
    }
});

test("who may only read sees all of it and changes nothing", async () => {
    setWorkflow({ editable: false });
    await mountWorkflow();
    expect(".o_nurture_card").toHaveCount(4);
    expect(".o_nurture_add, .o_nurture_menu, .o_nurture_begin").toHaveCount(0);
    const writes = stepWrites();
    await contains(`${card(3)} .o_nurture_name`).dragAndDrop(card(2));
    expect(writes).toEqual([]);
    await press("Escape");
    queryFirst(card(1)).focus();
    await press("Delete");
    await animationFrame();
    expect(".modal").toHaveCount(0);
    await press("Enter");
    await animationFrame();
    expect(".modal .o_form_readonly").toHaveCount(1);
    expect(queryAllTexts(".modal-footer button")).toEqual(["Close"]);
});

test("archived steps are shown on request, and can be restored", async () => {
    const writes = stepWrites();
    setWorkflow({
        steps: [...STEPS(), step(5, "Old", 1, "after", DAY, { active: false })],
    });
    await mountWorkflow();
    expect(card(5)).toHaveCount(0);
    await contains("#o_nurture_show_archived").click();
    expect(`${card(5)}.o_nurture_archived`).toHaveCount(1);
    expect(`${card(5)} .o_nurture_add`).toHaveCount(0);
    await contains(`${card(5)} .o_nurture_menu`).click();
    await contains(".o-dropdown-item:text(Restore)").click();
    expect(writes).toEqual([[[5], { active: true }]]);
});

test("hints: languages, filter, and what keeps a step from running", async () => {
    setWorkflow({
        steps: [
            step(1, "First", false, "begin", 0, {
                languages: ["French", "German"],
                filtered: true,
                problems: ["Step “First” has no mail."],
            }),
        ],
    });
    await mountWorkflow();
    expect(`${card(1)} .o_nurture_hints`).toHaveText(/Only for some leads\s+French, German/);
    expect(`${card(1)} .o_nurture_problem`).toHaveText("Step “First” has no mail.");
});

test("a card stays small, whatever is written on it", async () => {
    const long = "https://shop.example.com/" + "very-long-path/".repeat(100);
    setWorkflow({
        steps: [
            step(1, long, false, "begin", DAY, { label: long, problems: [`No link to ${long}.`] }),
        ],
    });
    await mountWorkflow();
    expect(queryOne(card(1)).offsetHeight).toBeLessThan(300);
    expect(queryOne(card(1)).scrollWidth).toBeLessThan(400);
    expect(`${card(1)} .o_nurture_problem`).toHaveAttribute("title", `No link to ${long}.`);
});

test("the eye shows the mail, in a frame that can do nothing", async () => {
    // HOOT wants to listen to all frames, and cannot to one that is shut off
    expect.errors(1);
    onRpc("nurture.step", "get_preview", ({ args }) => {
        expect.step(args[0]);
        return {
            lead: "Desk",
            address: "ann@example.com",
            language: "",
            subject: "Hello Ann",
            html: "<p>Hi</p>",
        };
    });
    await mountWorkflow();
    await contains(`${card(1)} .o_nurture_eye`).click();
    await animationFrame();
    expect(".o_nurture_preview").toHaveText(/Hello Ann.*Desk/s);
    // another origin: nothing but the attributes can be looked at
    const frame = queryOne(".o_nurture_preview").querySelector("iframe");
    expect(frame.getAttribute("sandbox")).toBe("");
    expect(frame.getAttribute("srcdoc")).toBe("<p>Hi</p>");
    expect.verifyErrors(["Blocked a frame"]);
    expect.verifySteps([[1]]);
    expect(`${card(4)} .o_nurture_eye`).toHaveCount(0);
});

test("the mail is shown while the pointer rests on the eye, or until it is closed", async () => {
    // it stays on its way
    onRpc("nurture.step", "get_preview", () => new Promise(() => {}));
    await mountWorkflow();
    await hover(`${card(1)} .o_nurture_eye`);
    await advanceTime(500);
    await animationFrame();
    expect(".o_nurture_preview").toHaveCount(1);
    await hover(card(3));
    await advanceTime(500);
    await animationFrame();
    expect(".o_nurture_preview").toHaveCount(0);
    await contains(`${card(1)} .o_nurture_eye`).click();
    await hover(card(3));
    await advanceTime(500);
    await animationFrame();
    expect(".o_nurture_preview").toHaveCount(1);
    await press("Escape");
    await animationFrame();
    expect(".o_nurture_preview").toHaveCount(0);
});

test("why a mail cannot be shown is said in its place", async () => {
    onRpc("nurture.step", "get_preview", () => {
        throw makeServerError({
            errorName: "odoo.exceptions.UserError",
            message: "There is no lead to show it for.",
        });
    });
    await mountWorkflow();
    await contains(`${card(1)} .o_nurture_eye`).click();
    await animationFrame();
    expect(".o_nurture_preview .alert").toHaveText("There is no lead to show it for.");
});

test("who is out of the sequence, and why", async () => {
    mockService("action", {
        doActionButton: ({ name, resId, args }) => expect.step(`${name} ${resId} ${args}`),
    });
    setWorkflow({ exits: [{ reason: "replied", label: "Replied", count: 15 }] });
    await mountWorkflow();
    await contains("[data-exit=replied]:contains(15)").click();
    expect.verifySteps(['action_view_exits 1 ["replied"]']);
});

test("whose turn it is stands below the days", async () => {
    const profiles = [
        { id: 1, name: "Builders", day: 0, date: false },
        { id: 2, name: "Rich", day: 7, date: "Mar 9, 2026" },
    ];
    setWorkflow({ profiles });
    await mountWorkflow();
    expect(queryAllTexts(".o_nurture_mark")).toEqual(["Builders enter", "Rich enter Mar 9, 2026"]);
});
