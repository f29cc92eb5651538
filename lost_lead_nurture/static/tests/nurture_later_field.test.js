import { expect, test } from "@odoo/hoot";
import { animationFrame, Deferred, runAllTimers } from "@odoo/hoot-mock";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { defineModels, fields, models, mountView, onRpc } from "@web/../tests/web_test_helpers";

class Preset extends models.Model {
    name = fields.Char();
    leads = fields.Integer();
    lost = fields.Integer();

    _records = [
        { id: 1, name: "First", leads: 1200, lost: 1 },
        { id: 2, name: "Second", leads: 30, lost: 2 },
    ];
}
defineMailModels();
defineModels([Preset]);

const arch = `
    <list>
        <field name="name"/>
        <field name="leads" widget="nurture_later" sum="Total"/>
        <field name="lost" widget="nurture_later"/>
    </list>`;

/** What the server does for lists: it does not count. */
function countNothing() {
    onRpc("web_search_read", ({ parent }) => {
        const result = parent();
        for (const record of result.records) {
            record.leads = record.lost = 0;
        }
        return result;
    });
}

test("a list is there before its numbers, which come all at once", async () => {
    countNothing();
    const counted = new Deferred();
    onRpc("read", ({ args: [ids, names] }) => {
        expect.step([ids, names]);
        return counted;
    });
    await mountView({ resModel: "preset", type: "list", arch });
    await runAllTimers();
    expect(".o_data_row:eq(0) [name=name]").toHaveText("First");
    expect(".o_data_row:eq(0) [name=leads]").toHaveText("…");
    counted.resolve();
    await animationFrame();
    expect.verifySteps([
        [
            [1, 2],
            ["leads", "lost"],
        ],
    ]);
    expect(".o_data_row:eq(0) [name=leads]").toHaveText("1,200");
    expect(".o_data_row:eq(1) [name=lost]").toHaveText("2");
    expect("tfoot .o_list_number").toHaveText("1,230");
});

test("numbers that cannot be counted do not keep the list away", async () => {
    countNothing();
    onRpc("read", () => {
        throw new Error("no");
    });
    await mountView({ resModel: "preset", type: "list", arch });
    await runAllTimers();
    await animationFrame();
    expect(".o_data_row:eq(0) [name=name]").toHaveText("First");
    expect(".o_data_row:eq(0) [name=leads]").toHaveText("?");
});
