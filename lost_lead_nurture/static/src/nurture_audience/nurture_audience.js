import { Component, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { KeepLast } from "@web/core/utils/concurrency";
import { useService } from "@web/core/utils/hooks";
import { useDebounced } from "@web/core/utils/timing";
import { useRecordObserver } from "@web/model/relational_model/utils";
import { formatInteger } from "@web/views/fields/formatters";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

/** What decides who enters, as far as it is edited in the form; other add-ons add their own. */
export const FIELDS = [
    ...["domain", "company_id", "user_id", "holdout_percent"],
    ...["entry", "entry_field_id", "entry_offset", "entry_yearly", "entry_per"],
    ...["reentry", "reentry_days", "exclude_customers", "exclude_open_deals"],
    ...["exclude_other_sequences", "exclude_bounced", "excluded_preset_ids"],
    ...["exclude_left", "exclude_roles", "topic_id"],
    ...["price_below", "has_margin_floor", "margin_floor"],
    ...["entry_mailing_ids", "entry_url", "entry_past_days"],
    ...["profile_mode", "profile_days", "profile_ids"],
];
/** How long nothing more is changed, in milliseconds, before it is counted. */
const PAUSE = 300;

/** What the server takes as the value of a field. */
function valueOf(record, name) {
    const value = record.data[name];
    switch (record.fields[name].type) {
        case "many2one":
            return value && value.id;
        case "many2many":
            return value.currentIds;
        case "one2many":
            // profiles: which preset, and whether it excludes, in their order
            return value.records
                .filter(({ data }) => data.preset_id)
                .map(({ data }) => [data.preset_id.id, data.excludes]);
        default:
            return value;
    }
}

/**
 * How many leads a sequence chooses, how many of them would enter, and why the others would not:
 * counted while it is edited, before it is saved. A number opens its leads.
 */
export class NurtureAudience extends Component {
    static template = "lost_lead_nurture.NurtureAudience";
    static props = { ...standardWidgetProps };

    setup() {
        this.action = useService("action");
        this.orm = useService("orm");
        this.keepLast = new KeepLast();
        this.formatInteger = formatInteger;
        this.state = useState({ audience: null, isCounting: true, isUnknown: false });
        const count = useDebounced(() => this.count(), PAUSE);
        let counted;
        useRecordObserver((record) => {
            const asked = JSON.stringify(this.getQuestion(record));
            if (asked !== counted) {
                counted = asked;
                this.state.isCounting = true;
                count();
            }
        });
    }

    /** What the answer depends on; who has entered already, too. */
    getQuestion(record) {
        const { state, participant_count } = record.data;
        return [record.resId, this.getValues(record), state, participant_count];
    }

    getValues(record) {
        if (this.props.readonly) {
            return {};
        }
        const names = FIELDS.filter((name) => name in record.data);
        return Object.fromEntries(names.map((name) => [name, valueOf(record, name)]));
    }

    async count() {
        const { record } = this.props;
        const ids = record.resId ? [record.resId] : [];
        const counting = this.orm.silent.call("nurture.sequence", "get_audience", [
            ids,
            this.getValues(record),
        ]);
        try {
            this.state.audience = await this.keepLast.add(counting);
            this.state.isUnknown = false;
        } catch (error) {
            // the numbers of before are not those of what is chosen now
            this.state.isUnknown = true;
            throw error;
        } finally {
            this.state.isCounting = false;
        }
    }

    recount() {
        this.state.isCounting = true;
        return this.count();
    }

    get audience() {
        return this.state.audience;
    }

    get matchingLabel() {
        return this.audience.matching === 1 ? _t("lead matches") : _t("leads match");
    }

    /** Customers are leads only once the sequence runs. */
    get customersLabel() {
        return _t(
            "silent customers become leads first, %s of them would enter",
            formatInteger(this.audience.customers_entering)
        );
    }

    get enteringLabel() {
        const { entry, state } = this.props.record.data;
        if (state === "running" && entry !== "manual") {
            return this.audience.entering === 1
                ? _t("enters with the next run")
                : _t("enter with the next run");
        }
        return entry === "manual" ? _t("could be added by hand") : _t("would enter");
    }

    get nobodyLabel() {
        return ["order", "welcome"].includes(this.props.record.data.entry)
            ? _t("No such lead is there yet.")
            : _t("Choose another preset, or change the filter.");
    }

    /** Which profile lets in how many, and when. */
    get profiles() {
        return this.audience.profiles.map(({ preset_id, name, day, count }) => ({
            what: `profile_${preset_id}`,
            name,
            when: day ? _t("from %s on", day) : _t("now"),
            number: formatInteger(count),
        }));
    }

    /** Those who do not enter because they have: nothing is wrong with them. */
    get insideCount() {
        return this.audience.excluded.find(({ reason }) => reason === "inside")?.count || 0;
    }

    get insideLabel() {
        return this.insideCount === 1 ? _t("is already inside") : _t("are already inside");
    }

    get excluded() {
        return this.audience.excluded.filter(({ reason }) => reason !== "inside");
    }

    get excludedCount() {
        return this.excluded.reduce((sum, { count }) => sum + count, 0);
    }

    get excludedLabel() {
        return this.excludedCount === 1 ? _t("is excluded:") : _t("are excluded:");
    }

    /** Those who do not enter, by reason. */
    get rows() {
        const { held_out, is_drawn } = this.audience;
        const rows = this.excluded.map(({ reason, label, count }) => ({
            what: reason,
            label,
            number: formatInteger(count),
        }));
        if (held_out) {
            const number = formatInteger(held_out);
            rows.push({
                what: "held_out",
                label: _t("Held out for comparison"),
                number: is_drawn ? number : _t("about %s", number),
            });
        }
        return rows;
    }

    /** Open the leads behind a number. Like a button of the form it saves first. */
    async open(what) {
        const { record, readonly } = this.props;
        if (!readonly && !(await record.save())) {
            return;
        }
        const args = [[record.resId], what];
        const action = await this.orm.call("nurture.sequence", "action_view_audience", args);
        return this.action.doAction(action);
    }
}

export const nurtureAudience = {
    component: NurtureAudience,
    fieldDependencies: [
        { name: "company_id", type: "many2one", relation: "res.company" },
        { name: "participant_count", type: "integer" },
        { name: "state", type: "selection" },
    ],
};
registry.category("view_widgets").add("nurture_audience", nurtureAudience);
