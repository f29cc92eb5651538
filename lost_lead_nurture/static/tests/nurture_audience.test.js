import { expect, test } from "@odoo/hoot";
import { advanceTime, animationFrame, Deferred, queryAllTexts } from "@odoo/hoot-dom";
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
} from "@web/../tests/web_test_helpers";

class Preset extends models.Model {
    _name = "nurture.preset";
    name = fields.Char();
    _records = [...Array(12).keys()].map((index) => ({ id: index + 1, name: `Preset ${index}` }));
    _views = { form: `<form><field name="name"/></form>` };
}
class Sequence extends models.Model {
    _name = "nurture.sequence";
    name = fields.Char();
    state = fields.Char({ default: "draft" });
    entry = fields.Char({ default: "auto" });
    participant_count = fields.Integer();
    company_id = fields.Many2one({ relation: "nurture.preset" });
    preset_id = fields.Many2one({ relation: "nurture.preset" });
    domain = fields.Char();
    exclude_customers = fields.Boolean();
    excluded_preset_ids = fields.Many2many({ relation: "nurture.preset" });
    _records = [{ id: 1, name: "Restock", domain: "[]", state: "draft", entry: "auto" }];
}
defineMailModels();
defineModels([Preset, Sequence]);

const ARCH = `
    <form>
        <field name="name"/>
        <field name="entry" invisible="1"/>
        <field name="preset_id" widget="nurture_preset_chips"/>
        <field name="domain"/>
        <field name="exclude_customers"/>
        <field name="excluded_preset_ids" widget="many2many_tags"/>
        <widget name="nurture_audience"/>
    </form>`;
const AUDIENCE = {
    matching: 212,
    is_capped: false,
    entering: 187,
    held_out: 0,
    is_drawn: true,
    excluded: [
        { reason: "open_deal", label: "Another deal is open", count: 12 },
        { reason: "customer", label: "Has ordered", count: 13 },
    ],
    profiles: [],
};

async function mountForm(options = {}) {
    await mountView({ resModel: "nurture.sequence", type: "form", arch: ARCH, ...options });
}

async function pause() {
    await advanceTime(1000);
    await animationFrame();
}

test("it is counted after the form, and again when something is changed", async () => {
    onRpc("nurture.sequence", "get_audience", ({ args: [ids, values] }) => {
        expect.step([ids, values.domain, values.exclude_customers, values.excluded_preset_ids]);
        return AUDIENCE;
    });
    await mountForm({ resId: 1 });
    expect(".o_nurture_audience").toHaveText("Counting leads…");
    expect.verifySteps([]);
    await pause();
    expect.verifySteps([[[1], "[]", false, []]]);
    expect(queryAllTexts("[data-what]")).toEqual([
        "212 leads match",
        "187 would enter",
        "25 are excluded:",
        "Another deal is open\n12",
        "Has ordered\n13",
    ]);
    await contains("[name=exclude_customers] input").click();
    await contains("[name=domain] input").edit("[1]");
    await pause();
    expect.verifySteps([[[1], "[1]", true, []]]);
    await contains("[name=name] input").edit("Another name");
    await pause();
    expect.verifySteps([]);
});

test("a new sequence is counted, too", async () => {
    onRpc("nurture.sequence", "get_audience", ({ args: [ids] }) => {
        expect.step(ids);
        return { ...AUDIENCE, matching: 10000, is_capped: true, held_out: 19, is_drawn: false };
    });
    await mountForm();
    await pause();
    expect.verifySteps([[]]);
    expect("[data-what=matching]").toHaveText("10,000+ leads match");
    expect(".o_nurture_audience").toHaveText(/counted are the 10,000 that were lost last/);
    expect("[data-what=held_out]").toHaveText("Held out for comparison\nabout 19");
});

test("an answer that comes late is not shown", async () => {
    const late = new Deferred();
    const answers = [late, { ...AUDIENCE, matching: 2 }];
    onRpc("nurture.sequence", "get_audience", () => answers.shift());
    await mountForm({ resId: 1 });
    await pause();
    await contains("[name=domain] input").edit("[1]");
    await pause();
    expect("[data-what=matching]").toHaveText("2 leads match");
    late.resolve(AUDIENCE);
    await pause();
    expect("[data-what=matching]").toHaveText("2 leads match");
});

test("numbers that could not be counted are not those of before", async () => {
    expect.errors(1);
    let isOnline = true;
    onRpc("nurture.sequence", "get_audience", () => {
        if (!isOnline) {
            throw makeServerError({ message: "No connection" });
        }
        return AUDIENCE;
    });
    await mountForm({ resId: 1 });
    await pause();
    isOnline = false;
    await contains("[name=domain] input").edit("[1]");
    await pause();
    expect.verifyErrors(["No connection"]);
    expect(".o_nurture_audience").toHaveText("The leads could not be counted. Try again");
    isOnline = true;
    await contains(".o_nurture_audience_recount").click();
    await pause();
    expect("[data-what=matching]").toHaveText("212 leads match");
});

test("what is wrong with the filter is said", async () => {
    onRpc("nurture.sequence", "get_audience", () => ({ error: "The filter cannot be used." }));
    await mountForm({ resId: 1 });
    await pause();
    expect(".o_nurture_audience").toHaveText("The filter cannot be used.");
});

test("a number saves the form and opens its leads", async () => {
    mockService("action", {
        doAction(action) {
            expect.step(action.name);
        },
    });
    onRpc("nurture.sequence", "get_audience", () => AUDIENCE);
    onRpc("nurture.sequence", "web_save", () => expect.step("save"));
    onRpc("nurture.sequence", "action_view_audience", ({ args: [ids, what] }) => {
        expect.step([ids, what]);
        return { name: "Leads Excluded" };
    });
    await mountForm({ resId: 1 });
    await pause();
    await contains("[name=name] input").edit("Another name");
    await contains("[data-what=customer]").click();
    await animationFrame();
    expect.verifySteps(["save", [[1], "customer"], "Leads Excluded"]);
});

test("who is inside already stands apart from who is excluded", async () => {
    const inside = { reason: "inside", label: "Is or was in the sequence", count: 20 };
    onRpc("nurture.sequence", "get_audience", () => ({
        ...AUDIENCE,
        excluded: [...AUDIENCE.excluded, inside],
    }));
    await mountForm({ resId: 1 });
    await pause();
    expect("[data-what=inside]").toHaveText("20 are already inside");
    expect("[data-what=excluded]").toHaveText("25 are excluded:");
    expect("li [data-what]").toHaveCount(2);
});

test("presets are chips, those further down are in a menu", async () => {
    onRpc("nurture.sequence", "get_audience", () => AUDIENCE);
    await mountForm({ resId: 1 });
    expect(".o_nurture_preset_chip").toHaveCount(8);
    expect(".o_nurture_preset_chip[aria-pressed=true]").toHaveCount(0);
    await contains(".o_nurture_preset_chip:contains('Preset 2')").click();
    expect(".o_nurture_preset_chip[aria-pressed=true]").toHaveText("Preset 2");
    expect(".o_nurture_preset_edit").toHaveCount(1);
    await contains(".o_select_menu_toggler:contains('4 more')").click();
    await contains(".o_select_menu_input").edit("11", { confirm: false });
    await pause();
    await contains(".o_select_menu_item:contains('Preset 11')").click();
    expect(".o_nurture_preset_chip[aria-pressed=true]").toHaveText("Preset 11");
    expect(".o_nurture_preset_chip").toHaveCount(9);
    await contains(".o_nurture_preset_chip[aria-pressed=true]").click();
    expect(".o_nurture_preset_chip[aria-pressed=true]").toHaveCount(0);
});

test("a preset is made where it is chosen", async () => {
    onRpc("nurture.sequence", "get_audience", () => AUDIENCE);
    await mountForm({ resId: 1 });
    await contains(".o_nurture_preset_new").click();
    await contains(".modal [name=name] input").edit("Too far away");
    await contains(".modal .o_form_button_save").click();
    expect(".o_nurture_preset_chip[aria-pressed=true]").toHaveText("Too far away");
});

test("which profile lets in how many, and when", async () => {
    onRpc("nurture.sequence", "get_audience", () => ({
        ...AUDIENCE,
        profiles: [
            { preset_id: 1, name: "Builders", date: false, day: false, count: 1200 },
            { preset_id: 2, name: "Rich", date: "2026-03-09 09:00:00", day: "Mar 9", count: 3 },
        ],
    }));
    await mountForm({ resId: 1 });
    await pause();
    expect(queryAllTexts(".o_nurture_audience_profiles li")).toEqual([
        "Builders\nnow\n1,200",
        "Rich\nfrom Mar 9 on\n3",
    ]);
});
