import { Component, onMounted, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";
import { formatFloat, formatInteger } from "@web/views/fields/formatters";

/** The stages of the funnel that there is room for. */
const STAGES = [
    ...[
        "written_to",
        "journeys_delivered",
        "journeys_opened",
        "journeys_clicked",
        "won_back_entered",
    ],
    ...["journeys_order", "journeys_paid"],
];
/** Every so many hours the axis says which one it is. */
const HOURS_APART = 6;

/**
 * Two questions about all sequences, each with a small chart, the answer in words, and the page that
 * answers it in full. They come when the rest of the dashboard is there already.
 */
export class DashboardCharts extends Component {
    static template = "lost_lead_nurture.DashboardCharts";
    static props = { open: Function };

    setup() {
        this.orm = useService("orm").silent;
        this.state = useState({ hours: null, funnel: null });
        onMounted(() => Promise.all([this.load("hours"), this.load("funnel")]));
    }

    async load(page) {
        this.state[page] = await this.orm.call("nurture.report", `get_${page}`, []);
    }

    // ------------------------------------------------------------
    // WHEN DO THEY OPEN?
    // ------------------------------------------------------------

    get columns() {
        return this.state.hours.columns.map((label, hour) =>
            hour % HOURS_APART ? "" : label.slice(0, 2)
        );
    }

    /** The hour in which most messages were opened first: its row, column and number. */
    get best() {
        return this.state.hours.rows
            .flatMap(({ label, cells }) =>
                cells.map(({ opened }, hour) => ({ weekday: label, hour, opened }))
            )
            .reduce((best, cell) => (cell.opened > best.opened ? cell : best));
    }

    get whenTheyOpen() {
        const { weekday, hour, opened } = this.best;
        if (!opened) {
            return _t("Nobody has opened a message yet.");
        }
        return _t("Most often on %(weekday)s at %(hour)s, on their own clock.", {
            weekday,
            hour: this.state.hours.columns[hour],
        });
    }

    // ------------------------------------------------------------
    // WHERE DO WE LOSE THEM?
    // ------------------------------------------------------------

    get stages() {
        const { stages } = this.state.funnel;
        return STAGES.map((name) => stages.find((stage) => stage.name === name));
    }

    /** The stage before which most are lost, if any are. */
    get worst() {
        const { stages } = this;
        const losses = stages.slice(1).map((stage, index) => ({
            before: stages[index],
            stage,
            lost: stages[index].count - stage.count,
        }));
        return losses.reduce((worst, loss) => (loss.lost > worst.lost ? loss : worst));
    }

    get whereWeLoseThem() {
        const { before, stage, lost } = this.worst;
        if (!this.stages[0].count) {
            return _t("Nobody is in a sequence yet.");
        }
        if (lost <= 0) {
            return _t("Nobody was lost so far.");
        }
        return _t("Most between %(before)s and %(stage)s: %(lost)s of %(all)s.", {
            before: before.label,
            stage: stage.label,
            lost: formatInteger(lost),
            all: formatInteger(before.count),
        });
    }

    number(stage) {
        const rate = formatFloat(stage.rate, { digits: [16, 0] });
        return _t("%(number)s · %(rate)s%", { number: formatInteger(stage.count), rate });
    }
}
