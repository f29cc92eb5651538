import { cookie } from "@web/core/browser/cookie";
import { getColor, hexToRGBA } from "@web/core/colors/colors";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import {
    JournalDashboardGraphField,
    journalDashboardGraphField,
} from "@web/views/fields/journal_dashboard_graph/journal_dashboard_graph_field";

/**
 * Core's little graph with further lines, which tells its numbers to who cannot see it, too. As in
 * core, a record without numbers has no graph: leave the field away.
 */
export class NurtureChartField extends JournalDashboardGraphField {
    static template = "lost_lead_nurture.NurtureChartField";

    get lines() {
        return JSON.parse(this.props.record.data[this.props.name]);
    }

    get label() {
        const sums = this.lines.map(({ key, values }) =>
            _t("%(statistic)s: %(number)s", {
                statistic: key,
                number: values.reduce((total, { y }) => total + y, 0),
            })
        );
        return _t("The last %(days)s days. %(statistics)s", {
            days: this.lines[0].values.length,
            statistics: sums.join(", "),
        });
    }

    get period() {
        return _t("The last %s days", this.lines[0].values.length);
    }

    color(index) {
        return getColor(index, cookie.get("color_scheme"), "odoo");
    }

    renderChart() {
        this.data = this.lines;
        super.renderChart();
    }

    getLineChartConfig() {
        const config = super.getLineChartConfig();
        const [first] = config.data.datasets;
        config.data.datasets = this.data.map((line, index) => ({
            ...first,
            backgroundColor: hexToRGBA(this.color(index), 0.2),
            borderColor: this.color(index),
            data: line.values,
            label: line.key,
            pointRadius: 0,
        }));
        config.options.plugins.tooltip.mode = "index";
        config.options.scales.y.beginAtZero = true;
        return config;
    }
}

registry.category("fields").add("nurture_chart", {
    ...journalDashboardGraphField,
    component: NurtureChartField,
});
