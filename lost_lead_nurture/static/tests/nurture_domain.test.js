import { expect, test } from "@odoo/hoot";
import { animationFrame, queryAllTexts } from "@odoo/hoot-dom";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import {
    contains,
    defineModels,
    fields,
    models,
    mountView,
    onRpc,
} from "@web/../tests/web_test_helpers";
import { splitArchived } from "@lost_lead_nurture/nurture_domain/archived_clause";

class Lead extends models.Model {
    _name = "crm.lead";
    name = fields.Char();
    active = fields.Boolean({ default: true });
    city = fields.Char();
    _records = [
        { id: 1, name: "Desk", active: true, city: "Ghent" },
        { id: 2, name: "Chair", active: false, city: "Ghent" },
    ];
    _views = {
        list: `<list><field name="name"/></list>`,
        kanban: `<kanban><t t-name="card"><field name="name"/></t></kanban>`,
        search: `<search/>`,
    };
}
class Sequence extends models.Model {
    _name = "nurture.sequence";
    name = fields.Char();
    _records = [{ id: 7, name: "Restock" }];
}
class Step extends models.Model {
    _name = "nurture.step";
    sequence_id = fields.Many2one({ relation: "nurture.sequence" });
    filter_domain = fields.Char();
    _records = [{ id: 1, sequence_id: 7, filter_domain: "[]" }];
}
defineMailModels();
defineModels([Lead, Sequence, Step]);
onRpc("/web/domain/validate", () => true);

const IN = `("active", "in", [True, False])`;
const EITHER = `"|", ("active", "=", True), ("active", "=", False)`;
const GHENT = `("city", "=", "Ghent")`;

function mountStep(widget, options, values = {}) {
    const name = "filter_domain";
    Step._records[0] = { ...Step._records[0], ...values };
    return mountView({
        resModel: "nurture.step",
        type: "form",
        resId: 1,
        arch: `
            <form>
                <field name="sequence_id" invisible="1"/>
                <field name="${name}" widget="${widget}" options="${options}"/>
            </form>`,
    });
}

test("what lets archived records be found is said from what is asked for", () => {
    for (const clause of [IN, EITHER, `("active", "in", [False, True])`]) {
        expect(splitArchived(`[${GHENT}, ${clause}]`)).toEqual({
            findsArchived: true,
            asked: `[${GHENT}]`,
            asSwitch: `["&", ${GHENT}, ${IN}]`,
        });
        expect(splitArchived(`[${clause}]`).asked).toBe("[]");
    }
    for (const domain of [
        `[("active", "=", True)]`,
        `[("active", "in", [True])]`,
        `["!", ${IN}]`,
        `["|", ${GHENT}, ${IN}]`,
        `[${GHENT}]`,
        `[`,
    ]) {
        const { findsArchived, asked, asSwitch } = splitArchived(domain);
        expect([findsArchived, asked, asSwitch]).toEqual([false, domain, domain]);
    }
});

test("a mailing says once that archived ones are meant, and has core's switch", async () => {
    const options = "{'model': 'crm.lead', 'foldable': True}";
    await mountStep("nurture_domain", options, { filter_domain: `[${GHENT}, ${EITHER}]` });
    await animationFrame();
    expect(queryAllTexts(".o_facet_value")).toEqual(["City = Ghent", "Archived ones, too"]);
    expect(".o_domain_show_selection_button").toHaveText("2 record(s)");
    await contains(".fa-caret-right").click();
    expect(".o_tree_editor_condition").toHaveCount(1);
    expect(".o_domain_selector .form-switch input").toBeChecked();
});

test("a filter on lost leads says nothing of archived ones, and does not count all", async () => {
    const options = "{'model': 'crm.lead', 'foldable': True}";
    onRpc("nurture.step", "web_save", ({ args }) => expect.step(args[1].filter_domain));
    await mountStep("nurture_lead_filter", options, { filter_domain: `[${GHENT}, ${EITHER}]` });
    await animationFrame();
    expect(queryAllTexts(".o_facet_value")).toEqual(["City = Ghent"]);
    expect(".o_domain_show_selection_button").toHaveCount(0);
    await contains(".fa-caret-right").click();
    expect(".o_tree_editor_condition").toHaveCount(1);
    expect(".o_domain_selector .form-switch").toHaveCount(0);
    expect(".o_field_domain_panel").toHaveCount(0);
    await contains(".o_tree_editor_condition input").edit("Bruges");
    await contains(".o_form_button_save").click();
    expect.verifySteps([`["&", ("city", "=", "Bruges"), ${IN}]`]);
});

test("a step counts those whom it is there for, and lists them", async () => {
    onRpc("nurture.step", "get_filter_audience", ({ args: [ids, values, withLeads] }) => {
        expect.step([ids, values, withLeads]);
        return { matching: 1, total: 1200, inside: true, lead_ids: [2] };
    });
    const asked = { sequence_id: 7, filter_domain: "[]" };
    await mountStep("nurture_step_filter", "{'model': 'crm.lead', 'in_dialog': True}");
    await animationFrame();
    expect.verifySteps([[[1], asked, false]]);
    expect(".o_domain_show_selection_button").toHaveText(
        "Matching now: 1 of 1,200 in the sequence"
    );
    await contains(".o_domain_show_selection_button").click();
    await animationFrame();
    expect.verifySteps([[[1], asked, true]]);
    expect(queryAllTexts(".modal .o_data_row")).toEqual(["Chair"]);
    await contains(".modal .btn-close").click();
    await animationFrame();
    // something may have been changed there
    expect.verifySteps([[[1], asked, false]]);
});

test("while nobody is inside a step counts whom the sequence chooses", async () => {
    onRpc("nurture.step", "get_filter_audience", () => ({
        ...{ matching: 10000, matching_capped: true },
        ...{ total: 10000, total_capped: true, inside: false },
    }));
    await mountStep("nurture_step_filter", "{'model': 'crm.lead', 'in_dialog': True}");
    await animationFrame();
    expect(".o_domain_show_selection_button").toHaveText(
        "Matching now: 10,000+ of 10,000+ that the sequence chooses; nobody is in it"
    );
});

test("what is wrong with the filter of a step is said", async () => {
    onRpc("nurture.step", "get_filter_audience", () => ({ error: "Its author has left." }));
    await mountStep("nurture_step_filter", "{'model': 'crm.lead', 'in_dialog': True}");
    await animationFrame();
    expect("[role=alert]").toHaveText("Its author has left.");
    expect(".o_domain_show_selection_button").toHaveCount(0);
});
