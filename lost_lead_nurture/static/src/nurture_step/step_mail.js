import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useOwnedDialogs, useService } from "@web/core/utils/hooks";
import { FormViewDialog } from "@web/views/view_dialogs/form_view_dialog";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

/**
 * What is done with the mail of an email step, from its form: write it in the editor, straight away,
 * and add the link to unsubscribe that it lacks. The step need not be saved for it, as it could not be
 * in a sequence that runs.
 */
export class StepMail extends Component {
    static template = "lost_lead_nurture.StepMail";
    static props = { ...standardWidgetProps, leadModelId: Number };

    setup() {
        this.orm = useService("orm");
        this.addDialog = useOwnedDialogs();
    }

    get data() {
        return this.props.record.data;
    }

    get label() {
        return this.data.mailing_id ? _t("Edit the Mail") : _t("Write the Mail");
    }

    /** What somebody has called the step; else the editor asks for a subject. */
    get subject() {
        const { name } = this.data;
        const types = this.props.record.fields.step_type.selection.map(([, label]) => label);
        return types.includes(name) ? false : name;
    }

    write() {
        this.addDialog(FormViewDialog, {
            resModel: "mailing.mailing",
            resId: this.data.mailing_id?.id || false,
            title: this.label,
            size: "fs",
            canExpand: false,
            context: {
                default_mailing_type: "mail",
                default_mailing_model_id: this.props.leadModelId,
                default_nurture_only: true,
                default_subject: this.subject,
            },
            onRecordSaved: (mailing) => this.choose(mailing.resId),
        });
    }

    async addOptOut() {
        const { mailing_id: mailing, translation_ids: translations } = this.data;
        const inOtherLanguages = translations.records.map((line) => line.data.mailing_id);
        const ids = [mailing, ...inOtherLanguages].filter(Boolean).map(({ id }) => id);
        await this.orm.call("mailing.mailing", "action_nurture_add_opt_out", [ids]);
        await this.choose(mailing.id);
    }

    /** Also when it is chosen already: what the step says of it is computed again. */
    choose(id) {
        return this.props.record.update({ mailing_id: { id } });
    }
}

registry.category("view_widgets").add("nurture_step_mail", {
    component: StepMail,
    extractProps: ({ options }) => ({ leadModelId: options.lead_model_id }),
    fieldDependencies: [
        { name: "lacks_opt_out", type: "boolean" },
        { name: "mailing_id", type: "many2one" },
    ],
});
