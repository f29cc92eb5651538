import { Component, onWillStart } from "@odoo/owl";
import { deserializeDateTime, formatDateTime } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";

/** Says of when the numbers of the analysis are, where they are not of now. */
export class NurtureCountDate extends Component {
    static template = "lost_lead_nurture.NurtureCountDate";
    static props = { date: { type: [String, Boolean], optional: true } };

    setup() {
        this.orm = useService("orm");
        this.date = this.props.date;
        onWillStart(async () => {
            this.date ??= await this.orm.call("nurture.report", "get_count_date", []);
        });
    }

    get text() {
        return _t(
            "Of %s. There is so much to count that it is done every quarter of an hour; lists, and " +
                "what is grouped by several things at once, are of now.",
            formatDateTime(deserializeDateTime(this.date))
        );
    }
}
