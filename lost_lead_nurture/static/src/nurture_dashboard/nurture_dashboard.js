import { Component, onWillStart, useState } from "@odoo/owl";
import { deserializeDateTime, formatDateTime } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { ControlPanel } from "@web/search/control_panel/control_panel";
import { formatInteger } from "@web/views/fields/formatters";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";
import { DashboardCharts } from "./dashboard_charts";
import { Sparkline } from "./sparkline";

/**
 * The first page of the app: this week beside the one before, what needs a person, what works, what
 * comes, and the running sequences. Each number opens what it counts.
 */
export class NurtureDashboard extends Component {
    static template = "lost_lead_nurture.NurtureDashboard";
    static components = { ControlPanel, DashboardCharts, Sparkline };
    static props = { ...standardActionServiceProps };

    setup() {
        this.action = useService("action");
        this.orm = useService("orm");
        this.state = useState({ data: null });
        this.formatInteger = formatInteger;
        onWillStart(() => this.load());
    }

    async load() {
        this.state.data = await this.orm.call("nurture.sequence", "get_dashboard", []);
    }

    get counted() {
        const { counted } = this.state.data;
        return counted && formatDateTime(deserializeDateTime(counted));
    }

    /** Height of the bar of a day, in percent of the highest. */
    height({ count }) {
        const most = Math.max(1, ...this.state.data.coming.days.map((day) => day.count));
        return Math.round((100 * count) / most);
    }

    percent(rate) {
        return rate === null ? "–" : _t("%s%", rate);
    }

    /**
     * @param {String} what
     * @param {String} week
     * @param {Number[]} ids of sequences; none: all of them
     */
    async open(what, week = "this", ids = []) {
        const action = await this.orm.call("nurture.sequence", "action_view_dashboard", [
            ids,
            what,
            week,
        ]);
        return this.action.doAction(action);
    }

    /** Open a list of one sequence, by a button's method of its form. */
    async openOf(id, method, context = {}) {
        const action = await this.orm.call("nurture.sequence", method, [[id]], { context });
        return this.action.doAction(action);
    }

    openRecord(model, id) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: model,
            res_id: id,
            views: [[false, "form"]],
        });
    }

    openLostReasons() {
        return this.action.doAction("crm.crm_lost_reason_action");
    }

    openAction(name) {
        return this.action.doAction(`lost_lead_nurture.${name}`);
    }
}

registry.category("actions").add("nurture_dashboard", NurtureDashboard);
