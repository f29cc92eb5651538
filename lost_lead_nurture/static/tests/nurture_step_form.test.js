import { expect, test } from "@odoo/hoot";
import { queryAllTexts } from "@odoo/hoot-dom";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { contains, defineModels, fields, models, mountView } from "@web/../tests/web_test_helpers";

const TRIGGERS = [
    ["begin", "Beginning of the sequence"],
    ["after", "After the previous step"],
    ["mail_open", "Opened"],
];

class Step extends models.Model {
    name = fields.Char();
    parent_id = fields.Many2one({
        relation: "step",
        onChange: (record) => {
            record.allowed_triggers = record.parent_id ? ["after", "mail_open"] : ["begin"];
            record.trigger = record.allowed_triggers[0];
        },
    });
    trigger = fields.Selection({ selection: TRIGGERS });
    allowed_triggers = fields.Json();
    field_name = fields.Char();
    settable_fields = fields.Json();

    _records = [
        { id: 1, name: "First mail", trigger: "begin", allowed_triggers: ["begin"] },
        {
            id: 2,
            name: "Second mail",
            trigger: "begin",
            allowed_triggers: ["begin"],
            settable_fields: ["referred"],
        },
    ];
}
class Lead extends models.Model {
    _name = "crm.lead";
    referred = fields.Char({ string: "Referred By" });
    email_from = fields.Char({ string: "Email" });
}
defineMailModels();
defineModels([Step, Lead]);

test("a step offers the triggers of the step it follows", async () => {
    await mountView({
        resModel: "step",
        resId: 2,
        type: "form",
        arch: `
            <form>
                <field name="parent_id"/>
                <field name="allowed_triggers" invisible="1"/>
                <field name="trigger" widget="filterable_selection"
                    options="{'whitelist_fname': 'allowed_triggers'}"/>
            </form>`,
    });
    await contains(".o_field_widget[name=trigger] input").click();
    expect(queryAllTexts(".o_select_menu_item")).toEqual(["Beginning of the sequence"]);
    await contains(".o_field_widget[name=parent_id] input").click();
    await contains(".o-autocomplete--dropdown-item:contains('First mail')").click();
    await contains(".o_field_widget[name=trigger] input").click();
    expect(queryAllTexts(".o_select_menu_item")).toEqual(["After the previous step", "Opened"]);
});

test("the fields that a step may set are offered, and no others", async () => {
    await mountView({
        resModel: "step",
        resId: 2,
        type: "form",
        arch: `<form><field name="field_name" widget="nurture_step_field"/></form>`,
    });
    await contains(".o_field_widget[name=field_name] .o_model_field_selector").click();
    expect(queryAllTexts(".o_model_field_selector_popover_item_name")).toEqual(["Referred By"]);
    await contains(".o_model_field_selector_popover_item_name").click();
    expect(".o_field_widget[name=field_name] .o_model_field_selector").toHaveText("Referred By");
});
