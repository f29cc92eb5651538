import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { formatInteger } from "@web/views/fields/formatters";
import { SelectCreateDialog } from "@web/views/view_dialogs/select_create_dialog";
import { LeadFilter, leadFilter } from "./lead_filter";

/**
 * The filter of a step. It says how many match of those whom the step is there for: who is in the
 * sequence now, or while nobody is whom the sequence chooses. They are counted by the server before
 * anything is saved, as they would be when the step is due.
 */
export class StepFilter extends LeadFilter {
    ask(props, withLeads = false) {
        const { record, name, readonly } = props;
        const { sequence_id: sequence, [name]: domain } = record.data;
        const values = readonly
            ? {}
            : { sequence_id: sequence && sequence.id, filter_domain: domain };
        return this.orm.silent.call("nurture.step", "get_filter_audience", [
            record.resId ? [record.resId] : [],
            values,
            withLeads,
        ]);
    }

    async checkProps(props = this.props) {
        const audience = await this.keepLast.add(this.ask(props));
        this.state.audience = audience;
        if (audience.error) {
            this.updateState({ isValid: false, recordCount: 0 });
        } else {
            this.updateState({ isValid: true, recordCount: audience.matching });
        }
    }

    get problem() {
        return this.state.isValid === false && (this.state.audience?.error || super.problem);
    }

    get countLabel() {
        if (this.state.isValid === false || !this.state.audience) {
            return false;
        }
        const { matching, matching_capped, total, total_capped, inside } = this.state.audience;
        const numbers = {
            matching: formatInteger(matching) + (matching_capped ? "+" : ""),
            total: formatInteger(total) + (total_capped ? "+" : ""),
        };
        return inside
            ? _t("Matching now: %(matching)s of %(total)s in the sequence", numbers)
            : _t(
                  "Matching now: %(matching)s of %(total)s that the sequence chooses; nobody is in it",
                  numbers
              );
    }

    async onButtonClick() {
        const { lead_ids: leadIds } = await this.ask(this.props, true);
        this.addDialog(
            SelectCreateDialog,
            {
                title: _t("Leads that match the filter"),
                noCreate: true,
                multiSelect: false,
                resModel: this.getResModel(),
                domain: [["id", "in", leadIds || []]],
                context: { active_test: false },
            },
            { onClose: () => this.checkProps() }
        );
    }
}

export const stepFilter = {
    ...leadFilter,
    component: StepFilter,
    displayName: _t("Filter of a step"),
    fieldDependencies: [{ name: "sequence_id", type: "many2one", relation: "nurture.sequence" }],
};
registry.category("fields").add("nurture_step_filter", stepFilter);
