import { Component, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useSpecialData } from "@web/views/fields/relational_utils";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/** So many reasons are offered; the form offers the others, too. */
const MOST = 30;

/**
 * All lost reasons, one click each: the lead is saved at once, by the user's own rights. In rows
 * that are not edited, too.
 */
export class NurtureReasonField extends Component {
    static template = "lost_lead_nurture.NurtureReasonField";
    static props = { ...standardFieldProps };

    setup() {
        this.state = useState({ isSaving: false });
        this.reasons = useSpecialData((orm, { record, name }) =>
            orm.call(record.fields[name].relation, "name_search", [], { limit: MOST })
        );
    }

    get chosenId() {
        return this.props.record.data[this.props.name]?.id;
    }

    get label() {
        return _t("Lost reasons");
    }

    async choose([id, display_name]) {
        if (this.state.isSaving || id === this.chosenId) {
            return;
        }
        this.state.isSaving = true;
        const { name, record } = this.props;
        try {
            await record.update({ [name]: { id, display_name } }, { save: true });
        } finally {
            this.state.isSaving = false;
        }
    }
}

registry.category("fields").add("nurture_reason", {
    component: NurtureReasonField,
    displayName: _t("Lost reasons, one click each"),
    supportedTypes: ["many2one"],
    isEmpty: () => false,
});
