import { expect, test } from "@odoo/hoot";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import {
    contains,
    defineModels,
    fields,
    models,
    mountView,
    onRpc,
} from "@web/../tests/web_test_helpers";

class Reason extends models.Model {
    _name = "crm.lost.reason";
    name = fields.Char();
    _records = [
        { id: 1, name: "Too expensive" },
        { id: 2, name: "Not enough stock" },
    ];
}
class Lead extends models.Model {
    _name = "crm.lead";
    name = fields.Char();
    lost_reason_id = fields.Many2one({ relation: "crm.lost.reason" });
    _records = [
        { id: 1, name: "Desk" },
        { id: 2, name: "Chair" },
    ];
    _views = { search: `<search/>` };
}
defineMailModels();
defineModels([Reason, Lead]);

const FIELD = `<field name="lost_reason_id" widget="nurture_reason"/>`;
const ARCHS = {
    list: `<list><field name="name"/>${FIELD}</list>`,
    kanban: `<kanban><templates><t t-name="card"><field name="name"/>${FIELD}</t></templates></kanban>`,
};

for (const [type, arch] of Object.entries(ARCHS)) {
    test(`one click saves the reason and nothing else: ${type}`, async () => {
        onRpc("crm.lead", "web_save", ({ args }) => expect.step(args.slice(0, 2)));
        const opened = () => expect.step("opened");
        await mountView({ resModel: "crm.lead", type, arch, selectRecord: opened });
        expect(".o_nurture_reason:first button").toHaveCount(2);
        await contains(".o_nurture_reason:first button:contains(stock)").click();
        expect.verifySteps([[[1], { lost_reason_id: 2 }]]);
        expect(".o_nurture_reason:first .btn-primary").toHaveText("Not enough stock");
        expect(".o_nurture_reason:last .btn-primary").toHaveCount(0);
        // once more changes nothing
        await contains(".o_nurture_reason:first button:contains(stock)").click();
        expect.verifySteps([]);
    });
}

test("a reason that could not be saved is not shown as chosen", async () => {
    expect.errors(1);
    onRpc("crm.lead", "web_save", () => {
        throw new Error("not yours");
    });
    await mountView({ resModel: "crm.lead", type: "list", arch: ARCHS.list });
    await contains(".o_nurture_reason:first button:contains(stock)").click();
    expect.verifyErrors(["not yours"]);
    expect(".o_nurture_reason:first .btn-primary").toHaveCount(0);
    expect(".o_nurture_reason:first button:disabled").toHaveCount(0);
});
