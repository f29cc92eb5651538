import { Component } from "@odoo/owl";
import { SelectMenu } from "@web/core/select_menu/select_menu";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { getFieldDomain } from "@web/model/relational_model/utils";
import { extractM2OFieldProps } from "@web/views/fields/many2one/many2one_field";
import { useOpenMany2XRecord, useSpecialData } from "@web/views/fields/relational_utils";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/** How many presets are chips, also on a phone; the others are in a menu. */
const CHIPS = 8;
const CHIPS_SMALL = 4;
/** How many presets there may be. */
const LIMIT = 500;

/** A preset, chosen by a click. A second click leaves it: the filter stays. */
export class PresetChips extends Component {
    static template = "lost_lead_nurture.PresetChips";
    static components = { SelectMenu };
    static props = {
        ...standardFieldProps,
        canCreate: { type: Boolean, optional: true },
        canWrite: { type: Boolean, optional: true },
        domain: { type: [Array, Function], optional: true },
        placeholder: { type: String, optional: true },
    };

    setup() {
        const { name, record, canCreate, canWrite } = this.props;
        const { relation, string } = record.fields[name];
        this.specialData = useSpecialData((orm, props) => {
            if (props.readonly) {
                return Promise.resolve([]);
            }
            const domain = getFieldDomain(props.record, props.name, props.domain);
            return orm.call(relation, "name_search", ["", domain], { limit: LIMIT });
        });
        this.openPreset = useOpenMany2XRecord({
            resModel: relation,
            fieldString: string,
            activeActions: { create: canCreate, write: canWrite },
            isToMany: false,
            onRecordSaved: (saved) =>
                this.update({ id: saved.resId, display_name: saved.data.name }),
            onRecordDiscarded: () => {},
        });
    }

    get chosen() {
        return this.props.record.data[this.props.name];
    }

    /** All presets; the chosen one is among them, be it new or archived. */
    get presets() {
        const { chosen } = this;
        const presets = this.specialData.data.map(([id, label]) => ({ value: id, label }));
        if (!chosen) {
            return presets;
        }
        const known = presets.find((preset) => preset.value === chosen.id);
        if (known) {
            known.label = chosen.display_name;
            return presets;
        }
        return [...presets, { value: chosen.id, label: chosen.display_name }];
    }

    get chips() {
        const number = this.env.isSmall ? CHIPS_SMALL : CHIPS;
        return this.presets.filter(
            ({ value }, index) => index < number || value === this.chosen?.id
        );
    }

    /** Those that are no chips. */
    get others() {
        const { chips } = this;
        return this.presets.filter(({ value }) => !chips.some((chip) => chip.value === value));
    }

    get moreLabel() {
        return _t("%s more", this.others.length);
    }

    isChosen(preset) {
        return preset.value === this.chosen?.id;
    }

    choose(preset) {
        return this.update(
            !this.isChosen(preset) && { id: preset.value, display_name: preset.label }
        );
    }

    chooseOther(id) {
        return this.choose(this.others.find(({ value }) => value === id));
    }

    update(value) {
        return this.props.record.update({ [this.props.name]: value });
    }
}

export const presetChips = {
    component: PresetChips,
    displayName: _t("Presets as chips"),
    supportedTypes: ["many2one"],
    isEmpty: () => false,
    extractProps(staticInfo, dynamicInfo) {
        const props = extractM2OFieldProps(staticInfo, dynamicInfo);
        const { canCreate, canWrite, domain, placeholder } = props;
        return { canCreate, canWrite, domain, placeholder };
    },
};
registry.category("fields").add("nurture_preset_chips", presetChips);
