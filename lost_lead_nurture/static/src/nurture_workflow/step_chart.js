import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";

const WIDTH = 100;
const HEIGHT = 24;

/** What a step did and rejected on each of the last days, as two thin lines. */
export class StepChart extends Component {
    static template = "lost_lead_nurture.StepChart";
    static props = { chart: Object };

    get size() {
        return `0 0 ${WIDTH} ${HEIGHT}`;
    }

    get label() {
        const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
        const { processed, rejected } = this.props.chart;
        return _t("The last %(days)s days: %(processed)s processed, %(rejected)s rejected", {
            days: processed.length,
            processed: sum(processed),
            rejected: sum(rejected),
        });
    }

    points(numbers) {
        const { processed, rejected } = this.props.chart;
        const top = Math.max(1, ...processed, ...rejected);
        const width = WIDTH / (numbers.length - 1);
        return numbers
            .map((number, day) => {
                const height = HEIGHT - 2 - (number / top) * (HEIGHT - 4);
                return `${(day * width).toFixed(1)},${height.toFixed(1)}`;
            })
            .join(" ");
    }

    get hasRejected() {
        return this.props.chart.rejected.some((number) => number);
    }
}
