import { Component, onWillStart, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { useSetupAction } from "@web/search/action_hook";
import { Layout } from "@web/search/layout";
import { formatInteger } from "@web/views/fields/formatters";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";
import { NurtureCountDate } from "./nurture_count_date";
import { percent } from "./percent";

/** How far participants got, a bar for each stage. Props as nurture.report's get_funnel has them. */
export class NurtureFunnel extends Component {
    static template = "lost_lead_nurture.NurtureFunnel";
    static props = { stages: Array, open: Function };

    number(stage) {
        return formatInteger(stage.count);
    }

    percent(stage) {
        return percent(stage.rate);
    }

    get isEmpty() {
        return !this.props.stages[0].count;
    }
}

/** When people read, a shade for each hour of the week. Props as nurture.report's get_hours. */
export class NurtureHours extends Component {
    static template = "lost_lead_nurture.NurtureHours";
    static props = { columns: Array, rows: Array, open: Function };

    setup() {
        this.state = useState({ measure: "opened" });
        this.measures = [
            { name: "opened", label: _t("Opened") },
            { name: "clicked", label: _t("Clicked") },
        ];
    }

    get most() {
        const { measure } = this.state;
        return Math.max(...this.props.rows.flatMap(({ cells }) => cells.map((c) => c[measure])));
    }

    get isEmpty() {
        return !this.props.rows.some(({ cells }) => cells.some(({ opened }) => opened));
    }

    number(cell) {
        return cell[this.state.measure] || "";
    }

    shade(cell) {
        return this.most ? cell[this.state.measure] / this.most : 0;
    }

    label(row, column, cell) {
        return _t("%(weekday)s, %(hour)s: %(opened)s opened, %(clicked)s clicked", {
            weekday: row.label,
            hour: this.props.columns[column],
            opened: formatInteger(cell.opened),
            clicked: formatInteger(cell.clicked),
        });
    }
}

/** How many of the leads lost in a month were won back. Props as nurture.report's get_cohorts. */
export class NurtureCohorts extends Component {
    static template = "lost_lead_nurture.NurtureCohorts";
    static props = { rows: Array, open: Function };

    get columns() {
        const most = Math.max(...this.props.rows.map(({ cells }) => cells.length));
        return [...Array(most).keys()];
    }

    get most() {
        const rates = this.props.rows.flatMap(({ cells }) => cells.map(({ rate }) => rate));
        return Math.max(...rates, 0);
    }

    number(row) {
        return formatInteger(row.count);
    }

    percent(cell) {
        return cell.count ? percent(cell.rate) : "0";
    }

    shade(cell) {
        return this.most ? cell.rate / this.most : 0;
    }

    label(row, column, cell) {
        return _t("Lost in %(month)s: %(won)s of %(all)s won back by the end of month %(later)s", {
            month: row.label,
            won: formatInteger(cell.count),
            all: this.number(row),
            later: column,
        });
    }
}

const PAGES = {
    funnel: { Component: NurtureFunnel, method: "get_funnel" },
    hours: { Component: NurtureHours, method: "get_hours" },
    cohorts: { Component: NurtureCohorts, method: "get_cohorts" },
};

/** A page made of the analysis, of all sequences or of one. Each number opens its records. */
export class NurturePage extends Component {
    static template = "lost_lead_nurture.NurturePage";
    static components = { Layout, NurtureCountDate };
    static props = { ...standardActionServiceProps };

    setup() {
        this.action = useService("action");
        this.orm = useService("orm");
        const { params = {}, context = {} } = this.props.action;
        this.page = PAGES[params.page];
        this.state = useState({
            sequenceId: this.props.state?.sequenceId ?? context.default_sequence_id ?? false,
            values: null,
        });
        useSetupAction({ getLocalState: () => ({ sequenceId: this.state.sequenceId }) });
        onWillStart(() => Promise.all([this.loadSequences(), this.load()]));
    }

    async loadSequences() {
        this.sequences = await this.orm.searchRead(
            "nurture.sequence",
            [
                ["is_template", "=", false],
                ["state", "!=", "draft"],
            ],
            ["display_name"],
            { context: { active_test: false } }
        );
    }

    async load() {
        const { count_date, view_id, ...values } = await this.orm.call(
            "nurture.report",
            this.page.method,
            [this.state.sequenceId]
        );
        Object.assign(this, { countDate: count_date, viewId: view_id });
        this.state.values = values;
    }

    async choose(ev) {
        this.state.sequenceId = Number(ev.target.value) || false;
        await this.load();
    }

    /** Open the records behind a number. */
    open(name, domain) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            name,
            res_model: "nurture.report",
            domain,
            views: [[this.viewId, "list"]],
        });
    }
}

registry.category("actions").add("lost_lead_nurture.page", NurturePage);
