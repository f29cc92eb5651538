import { Component, onWillStart, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/** Asks for numbers, those that are wanted at the same time in one request. */
export const nurtureLaterService = {
    dependencies: ["orm"],
    start(env, { orm }) {
        const batches = new Map();

        function open(resModel) {
            const batch = { ids: new Set(), names: new Set() };
            batches.set(resModel, batch);
            batch.rows = new Promise((resolve) => setTimeout(resolve)).then(async () => {
                batches.delete(resModel);
                const rows = await orm.silent.read(resModel, [...batch.ids], [...batch.names]);
                return new Map(rows.map((row) => [row.id, row]));
            });
            return batch;
        }

        return {
            async ask(resModel, resId, names) {
                const batch = batches.get(resModel) || open(resModel);
                batch.ids.add(resId);
                names.forEach((name) => batch.names.add(name));
                return (await batch.rows).get(resId) || {};
            },
        };
    },
};

/**
 * A number that takes a while to count: the list is shown without it, the number follows. The
 * server leaves it out of what lists read (`web_search_read` of the model).
 */
export class NurtureLaterField extends Component {
    static template = "lost_lead_nurture.NurtureLaterField";
    static props = { ...standardFieldProps };

    setup() {
        this.later = useService("nurture_later");
        this.state = useState({ text: null });
        onWillStart(() => {
            // nobody waits for it
            this.load();
        });
    }

    async load() {
        const { name, record } = this.props;
        if (record.isNew || record.model.useSampleModel) {
            return;
        }
        const field = record.fields[name];
        const currency = field.type === "monetary" && field.currency_field;
        try {
            const row = await this.later.ask(
                record.resModel,
                record.resId,
                currency ? [name, currency] : [name]
            );
            // for the sum below the list
            record.data[name] = row[name];
            if (currency && row[currency]) {
                const [id, display_name] = row[currency];
                record.data[currency] = { id, display_name };
            }
            const format = registry.category("formatters").get(field.type);
            this.state.text = format(row[name], { data: record.data, field });
        } catch {
            this.state.text = "?";
        }
    }

    get waiting() {
        return _t("Being counted");
    }
}

registry.category("services").add("nurture_later", nurtureLaterService);
registry.category("fields").add("nurture_later", {
    component: NurtureLaterField,
    supportedTypes: ["float", "integer", "monetary"],
});
