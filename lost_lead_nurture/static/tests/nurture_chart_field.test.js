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

const chart = (...numbers) =>
    JSON.stringify(
        ["Sent", "Opened"].map((key, line) => ({
            key,
            values: numbers.map((y, day) => ({ x: `Mar ${day + 1}`, y: y - line })),
        }))
    );

class Sequence extends models.Model {
    name = fields.Char();
    chart = fields.Text();

    _records = [
        { id: 1, name: "First", chart: chart(1, 2, 4) },
        { id: 2, name: "Nobody was written to", chart: false },
    ];
}
defineMailModels();
defineModels([Sequence]);

const arch = `
    <kanban sample="1">
        <templates>
            <t t-name="card">
                <field name="name"/>
                <field t-if="record.chart.raw_value" name="chart" widget="nurture_chart" graph_type="line"/>
                <button type="object" name="count" class="o_count">Count</button>
            </t>
        </templates>
    </kanban>`;

test("a chart of several lines tells its numbers in words", async () => {
    await mountView({ resModel: "sequence", type: "kanban", arch });
    expect(".o_kanban_record:eq(0) [role=img]").toHaveAttribute(
        "aria-label",
        "The last 3 days. Sent: 7, Opened: 4"
    );
    const canvas = document.querySelector(".o_kanban_record canvas");
    const { datasets, labels } = window.Chart.getChart(canvas).data;
    expect(datasets.map(({ label, data }) => [label, data.map(({ y }) => y)])).toEqual([
        ["Sent", [1, 2, 4]],
        ["Opened", [0, 1, 3]],
    ]);
    expect(labels).toEqual(["Mar 1", "Mar 2", "Mar 3"]);
    expect(".o_kanban_record:eq(1) [role=img]").toHaveCount(0);
});

test("a chart is drawn anew when its numbers change", async () => {
    onRpc("count", function () {
        this.env.sequence.write([1], { chart: chart(5, 1) });
        return false;
    });
    await mountView({ resModel: "sequence", type: "kanban", arch });
    await contains(".o_kanban_record:eq(0) .o_count").click();
    expect(".o_kanban_record:eq(0) [role=img]").toHaveAttribute(
        "aria-label",
        "The last 2 days. Sent: 6, Opened: 4"
    );
});
