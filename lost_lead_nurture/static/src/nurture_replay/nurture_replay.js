import { toLocaleDateString } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { NurtureDryRunProgress } from "../nurture_dry_run/nurture_dry_run";

/** Goes on with a replay of many leads. */
export class NurtureReplayProgress extends NurtureDryRunProgress {
    get title() {
        return _t("Replay");
    }

    get percent() {
        return this.props.record.data.progress;
    }

    get label() {
        const { moment, since_date } = this.props.record.data;
        const date = moment || since_date;
        return _t("Playing %s…", toLocaleDateString(date));
    }
}

export const nurtureReplayProgress = {
    component: NurtureReplayProgress,
    fieldDependencies: [
        { name: "state", type: "selection" },
        { name: "progress", type: "integer" },
        { name: "moment", type: "datetime" },
        { name: "since_date", type: "datetime" },
    ],
};
registry.category("view_widgets").add("nurture_replay_progress", nurtureReplayProgress);
