import { Component, onMounted, status, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { formatInteger } from "@web/views/fields/formatters";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

/** Goes on with what takes its time, bit by bit, as long as somebody looks on: a dry run. */
export class NurtureDryRunProgress extends Component {
    static template = "lost_lead_nurture.NurtureDryRunProgress";
    static props = { ...standardWidgetProps };

    setup() {
        this.orm = useService("orm");
        this.state = useState({ hasFailed: false });
        onMounted(() => this.goOn());
    }

    async goOn() {
        const { record } = this.props;
        this.state.hasFailed = false;
        try {
            while (status(this) === "mounted" && record.data.state !== "done") {
                await this.orm.silent.call(record.resModel, "action_go_on", [[record.resId]]);
                await record.load();
            }
        } catch (error) {
            this.state.hasFailed = true;
            throw error;
        }
    }

    get title() {
        return _t("Dry run");
    }

    get percent() {
        const { coming_count, reckoned_count } = this.props.record.data;
        return coming_count ? Math.floor((100 * reckoned_count) / coming_count) : 0;
    }

    get label() {
        const { coming_count, reckoned_count, state } = this.props.record.data;
        if (state === "counting") {
            return _t("Counting who would enter…");
        }
        return _t("What they would be sent: %(done)s of %(all)s leads…", {
            done: formatInteger(reckoned_count),
            all: formatInteger(coming_count),
        });
    }
}

export const nurtureDryRunProgress = {
    component: NurtureDryRunProgress,
    fieldDependencies: [
        { name: "state", type: "selection" },
        { name: "coming_count", type: "integer" },
        { name: "reckoned_count", type: "integer" },
    ],
};
registry.category("view_widgets").add("nurture_dry_run_progress", nurtureDryRunProgress);
