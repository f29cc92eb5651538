import { registry } from "@web/core/registry";
import {
    FieldSelectorField,
    fieldSelectorField,
} from "@web/views/fields/field_selector/field_selector_field";

/** Chooses a field of leads among those that the user may have set by a step. */
export class NurtureStepFieldSelector extends FieldSelectorField {
    filter(fieldDef) {
        const settable = this.props.record.data.settable_fields || [];
        return super.filter(fieldDef) && settable.includes(fieldDef.name);
    }

    get resModel() {
        return "crm.lead";
    }
}

registry.category("fields").add("nurture_step_field", {
    ...fieldSelectorField,
    component: NurtureStepFieldSelector,
    fieldDependencies: [{ name: "settable_fields", type: "json" }],
});
