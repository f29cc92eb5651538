import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";

const WIDTH = 100;
const HEIGHT = 24;

/** What was sent on each of the last days, as a thin line. */
export class Sparkline extends Component {
    static template = "lost_lead_nurture.Sparkline";
    static props = { numbers: { type: Array, element: Number } };

    get size() {
        return `0 0 ${WIDTH} ${HEIGHT}`;
    }

    get label() {
        const sum = this.props.numbers.reduce((total, number) => total + number, 0);
        return _t("Sent in the last %(days)s days: %(number)s", {
            days: this.props.numbers.length,
            number: sum,
        });
    }

    get points() {
        const { numbers } = this.props;
        const top = Math.max(1, ...numbers);
        const width = WIDTH / (numbers.length - 1);
        return numbers
            .map((number, day) => {
                const height = HEIGHT - 2 - (number / top) * (HEIGHT - 4);
                return `${(day * width).toFixed(1)},${height.toFixed(1)}`;
            })
            .join(" ");
    }
}
