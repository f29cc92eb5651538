import { Component, onWillStart, useRef, useState } from "@odoo/owl";
import { ConfirmationDialog } from "@web/core/confirmation_dialog/confirmation_dialog";
import { Dropdown } from "@web/core/dropdown/dropdown";
import { DropdownItem } from "@web/core/dropdown/dropdown_item";
import { _t } from "@web/core/l10n/translation";
import { normalize } from "@web/core/l10n/utils";
import { registry } from "@web/core/registry";
import { useAutofocus, useService } from "@web/core/utils/hooks";
import { ControlPanel } from "@web/search/control_panel/control_panel";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";
import { NurtureTemplateDialog } from "./nurture_template_dialog";

/**
 * The templates that a new sequence can be made from, as cards.
 *
 * What is known of the new sequence (`default_preset_id`, `default_lost_reason_ids`) is in the
 * context of the action.
 */
export class NurtureGallery extends Component {
    static template = "lost_lead_nurture.NurtureGallery";
    static components = { ControlPanel, Dropdown, DropdownItem };
    static props = { ...standardActionServiceProps };

    setup() {
        this.action = useService("action");
        this.dialog = useService("dialog");
        this.orm = useService("orm");
        this.state = useState({ groups: [], query: "" });
        this.root = useRef("root");
        useAutofocus({ refName: "search" });
        onWillStart(() => this.load());
    }

    async load() {
        const gallery = await this.orm.call("nurture.sequence", "get_gallery", []);
        Object.assign(this.state, gallery);
    }

    get context() {
        return this.props.action.context || {};
    }

    /** Templates that match what is searched for; those made for the reason, or for what would
     * cure it, come first. */
    get groups() {
        const query = normalize(this.state.query.trim());
        const groups = this.state.groups.map((group) => ({
            ...group,
            templates: group.templates.filter((template) => this.matches(template, query)),
        }));
        const reasons = this.context.default_lost_reason_ids || [];
        const cures = this.context.nurture_cures || [];
        const fits = (template) =>
            template.reasons.some(({ id }) => reasons.includes(id)) ||
            cures.includes(template.cure);
        const fitting = groups.flatMap((group) => group.templates.filter(fits));
        if (fitting.length) {
            for (const group of groups) {
                group.templates = group.templates.filter((template) => !fits(template));
            }
            groups.unshift({ key: "fitting", label: _t("Made for This"), templates: fitting });
        }
        return groups.filter((group) => group.templates.length);
    }

    matches(template, query) {
        const texts = [
            template.name,
            template.summary,
            ...template.reasons.map((reason) => reason.name),
            ...template.steps.map((step) => step.name),
        ];
        return texts.some((text) => normalize(text).includes(query));
    }

    previewLabel(template) {
        return _t("Preview “%s”", template.name);
    }

    /** How many mails, and in what time. */
    extent({ mails, days }) {
        const parts = [mails === 1 ? _t("1 mail") : _t("%s mails", mails)];
        if (days) {
            parts.push(days === 1 ? _t("in 1 day") : _t("in %s days", days));
        }
        return parts.join(" ");
    }

    /** What is known of the new sequence. */
    get defaults() {
        const { default_preset_id, default_lost_reason_ids } = this.context;
        const known = Object.entries({ default_preset_id, default_lost_reason_ids });
        return Object.fromEntries(known.filter(([, value]) => value));
    }

    /** Begin with an empty sequence. */
    async createEmpty() {
        const { default_preset_id, default_lost_reason_ids } = this.defaults;
        const context = { default_preset_id, default_name: this.context.default_name };
        if (!default_preset_id && default_lost_reason_ids) {
            context.default_preset_id = await this.orm.call(
                "crm.lost.reason",
                "get_nurture_preset",
                [default_lost_reason_ids]
            );
        }
        return this.open({ context });
    }

    /** Ask how the sequence is called and whom it is for, and make it. */
    use(template) {
        const onClose = (made) =>
            made?.sequence_id ? this.open({ res_id: made.sequence_id }) : this.focus(template);
        return this.action.doAction(
            {
                type: "ir.actions.act_window",
                name: _t("New Sequence"),
                res_model: "nurture.sequence.new",
                views: [[false, "form"]],
                target: "new",
                context: {
                    ...this.defaults,
                    default_template_id: template.id,
                    dialog_size: "medium",
                },
            },
            { onClose }
        );
    }

    focus(template) {
        this.root.el?.querySelector(`[data-template="${template.id}"]`)?.focus();
    }

    /** Once, however often it is clicked: it takes a moment to come. */
    preview(template) {
        if (this.isPreviewing) {
            return;
        }
        this.isPreviewing = true;
        this.dialog.add(
            NurtureTemplateDialog,
            { template, use: () => this.use(template) },
            { onClose: () => (this.isPreviewing = false) }
        );
    }

    edit(template) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: "nurture.sequence",
            res_id: template.id,
            views: [[false, "form"]],
        });
    }

    remove(template) {
        this.dialog.add(ConfirmationDialog, {
            title: _t("Delete this template?"),
            body: _t(
                "“%s” and its mails are deleted. Sequences that were made from it stay.",
                template.name
            ),
            confirmLabel: _t("Delete"),
            confirm: async () => {
                try {
                    await this.orm.unlink("nurture.sequence", [template.id]);
                } finally {
                    // somebody else may have been faster
                    await this.load();
                }
            },
            cancel: () => {},
        });
    }

    /** Open the new sequence in place of the gallery: one step back are the sequences. */
    open(options) {
        return this.action.doAction(
            {
                type: "ir.actions.act_window",
                res_model: "nurture.sequence",
                views: [[false, "form"]],
                ...options,
            },
            { stackPosition: "replaceCurrentAction" }
        );
    }
}

registry.category("actions").add("nurture_gallery", NurtureGallery);
