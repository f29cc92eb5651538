import { Component, useEffect, useRef, useState } from "@odoo/owl";
import { ConfirmationDialog } from "@web/core/confirmation_dialog/confirmation_dialog";
import { Dropdown } from "@web/core/dropdown/dropdown";
import { DropdownItem } from "@web/core/dropdown/dropdown_item";
import { _t } from "@web/core/l10n/translation";
import { usePopover } from "@web/core/popover/popover_hook";
import { registry } from "@web/core/registry";
import { Deferred } from "@web/core/utils/concurrency";
import { useOwnedDialogs, useService } from "@web/core/utils/hooks";
import { standardFieldProps } from "@web/views/fields/standard_field_props";
import { MailPreview } from "./mail_preview";
import { MoveDialog } from "./move_dialog";
import { StepCard } from "./step_card";
import { StepDialog } from "./step_dialog";
import { useStepDrag } from "./use_step_drag";
import { branchOf, layOut, possibleParents } from "./workflow_layout";

const NOTHING = { steps: [], offers: { root: [] }, types: {}, exits: [], profiles: [] };
/** How many days a mail, and what did not happen, is waited for unless somebody says otherwise. */
const USUAL_DELAY = 7;
/** How long the pointer rests on the eye before the mail is shown, and away before it is gone. */
const HOVER = { open: 400, close: 250 };

/**
 * The workflow of a sequence: its steps as cards on an axis of time.
 *
 * Steps are written one by one as they are edited. They need a sequence that is saved: like a
 * button of the form, everything that changes a step saves the form first.
 */
export class NurtureWorkflow extends Component {
    static template = "lost_lead_nurture.NurtureWorkflow";
    static components = { Dropdown, DropdownItem, StepCard };
    static props = { ...standardFieldProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.addDialog = useOwnedDialogs();
        this.root = useRef("root");
        this.state = useState({ showArchived: false, current: null });
        this.setUpPreview();
        this.setUpDrag();
        // what is on a card is called by its component
        this.actions = Object.fromEntries(
            [
                ...["add", "dayLabel", "duplicate", "edit", "enter", "focus", "go", "move"],
                ...["leavePreview", "openClicks", "openStatistic", "openVersion", "openMailing"],
                ...["possiblePlaces", "preview"],
                ...["remove", "reorder", "restore", "writeMail"],
            ].map((name) => [name, this[name].bind(this)])
        );
        useEffect(
            () => {
                if (this.isReloaded) {
                    this.isReloaded = false;
                    // what was to have the focus may be gone
                    if (!this.focus(this.toFocus) && !this.focus(this.current)) {
                        this.root.el.querySelector(".o_nurture_empty button")?.focus();
                    }
                }
            },
            () => [this.workflow]
        );
    }

    get workflow() {
        return this.props.record.data.workflow || NOTHING;
    }

    get editable() {
        return !this.props.readonly && Boolean(this.workflow.editable);
    }

    /** The grid; made anew only when the steps, or what is shown of them, have changed. */
    get layout() {
        const { workflow } = this;
        const { showArchived } = this.state;
        if (this.laidOut?.workflow !== workflow || this.laidOut.showArchived !== showArchived) {
            const { profiles } = workflow;
            const layout = layOut(workflow.steps, { showArchived, profiles });
            this.laidOut = { workflow, showArchived, layout };
        }
        return this.laidOut.layout;
    }

    get archivedCount() {
        return this.workflow.steps.filter((step) => !step.active).length;
    }

    get current() {
        const { cards } = this.layout;
        const isThere = cards.some((card) => card.step.id === this.state.current);
        return isThere ? this.state.current : cards[0]?.step.id;
    }

    get types() {
        return Object.entries(this.workflow.types).map(([value, type]) => ({ value, ...type }));
    }

    dayLabel(day) {
        return day === null ? _t("Any time") : _t("Day %s", day);
    }

    /** Whose turn it is on a day. The day is said, too, on a phone, where there are no columns. */
    markLabel({ name }) {
        return _t("%s enter", name);
    }

    // ------------------------------------------------------------
    // GRID: CSS counts rows and columns from 1
    // ------------------------------------------------------------

    get columnStyle() {
        // CSS repeats once at least
        return `--o-nurture-columns: ${Math.max(1, this.layout.columns - 1)}`;
    }

    headStyle({ row, column, span }) {
        return `grid-row: ${row + 1}; grid-column: ${column + 1} / span ${span}`;
    }

    cellStyle(card) {
        return `grid-row: ${card.row + 1}; grid-column: ${card.column + 1}; --o-nurture-level: ${card.level}`;
    }

    /** The lines from a step to the one that follows it. */
    linesTo(card) {
        const { parent } = card;
        if (!parent) {
            return [];
        }
        const gutter = parent.column + 2;
        const row = card.row + 1;
        const lines = [];
        const isLevel = parent.row === card.row;
        if (!isLevel) {
            lines.push({
                class: "o_nurture_line_down",
                style: `grid-column: ${gutter}; grid-row: ${parent.row + 1} / ${row}`,
            });
        }
        lines.push({
            class: isLevel ? "o_nurture_line_straight" : "o_nurture_line_elbow",
            style: `grid-column: ${gutter}; grid-row: ${row}`,
        });
        if (card.column > parent.column + 1) {
            lines.push({
                class: "o_nurture_line_along",
                style: `grid-column: ${gutter} / ${card.column + 1}; grid-row: ${row}`,
            });
        }
        return lines;
    }

    // ------------------------------------------------------------
    // KEYBOARD: Tab leads to one card and what is on it, arrows to the others
    // ------------------------------------------------------------

    enter(id) {
        this.state.current = id;
    }

    focus(id) {
        const card = id && this.root.el?.querySelector(`[data-step="${id}"]`);
        if (card) {
            this.state.current = id;
            card.focus();
            card.scrollIntoView({ block: "nearest", inline: "nearest" });
        }
        return Boolean(card);
    }

    go(card, by) {
        const ids = this.layout.cards.map(({ step }) => step.id);
        const index = Math.min(Math.max(ids.indexOf(card.step.id) + by, 0), ids.length - 1);
        this.focus(ids[index]);
    }

    // ------------------------------------------------------------
    // EDIT
    // ------------------------------------------------------------

    /** Who clicks twice has it done once. */
    async once(act) {
        if (this.isBusy) {
            return;
        }
        this.isBusy = true;
        try {
            await act();
        } finally {
            this.isBusy = false;
        }
    }

    /**
     * Save the form, which says what it lacks, do something with the steps of the sequence and show
     * what came of it; also when it failed, as somebody else may have changed them meanwhile.
     *
     * @param {(sequenceId: number) => Promise<number>} act gives the step that gets the focus
     */
    change(act) {
        const { record } = this.props;
        return this.once(async () => {
            if (!(await record.save())) {
                return;
            }
            let focus = this.current;
            try {
                focus = await act(record.resId);
            } finally {
                await this.reload(focus);
            }
        });
    }

    async reload(focus) {
        this.previews.clear();
        this.toFocus = focus;
        this.isReloaded = true;
        await this.props.record.load();
    }

    add(parent, offer, type) {
        const isUsual =
            offer.kind === "absence" ||
            (parent && offer.kind === "time" && this.workflow.types[parent.type].message);
        return this.change((sequenceId) =>
            this.openForm(_t("Add a Step"), parent?.id, {
                context: {
                    default_sequence_id: sequenceId,
                    default_parent_id: parent ? parent.id : false,
                    default_trigger: offer.value,
                    default_delay: isUsual ? USUAL_DELAY : 0,
                    ...(type && { default_step_type: type }),
                },
            })
        );
    }

    addFirst(type) {
        return this.add(null, this.workflow.offers.root[0], type);
    }

    edit(step) {
        const params = { resId: step.id, preventCreate: true };
        if (this.editable) {
            return this.change(() => this.openForm(_t("Step"), step.id, params));
        }
        Object.assign(params, { readonly: true, preventEdit: true });
        return this.once(() => this.openForm(_t("Step"), step.id, params));
    }

    /**
     * @param {string} title
     * @param {number} [focus] the step it is about
     * @param {Object} params
     * @returns {Promise<number>} once it is closed: the step that was saved, or else `focus`
     */
    async openForm(title, focus, params) {
        const closed = new Deferred();
        this.addDialog(
            StepDialog,
            {
                resModel: "nurture.step",
                title,
                canExpand: false,
                onRecordSaved: (record) => (focus = record.resId),
                ...params,
            },
            { onClose: closed.resolve }
        );
        await closed;
        return focus;
    }

    duplicate(step, branch) {
        return this.change(() =>
            this.orm.call("nurture.step", "action_duplicate", [[step.id], branch])
        );
    }

    restore(step) {
        return this.change(async () => {
            await this.orm.write("nurture.step", [step.id], { active: true });
            return step.id;
        });
    }

    remove(step) {
        const parts = this.whatRemovingDoes(step);
        this.addDialog(ConfirmationDialog, {
            title: _t("Delete “%s”?", step.name),
            body: parts.join("\n\n"),
            confirmLabel: _t("Delete"),
            confirmClass: "btn-danger",
            confirm: () =>
                this.change(async () => {
                    await this.orm.unlink("nurture.step", [step.id]);
                    return step.parent;
                }),
            cancel: () => this.focus(step.id),
        });
    }

    whatRemovingDoes(step) {
        const branch = branchOf(this.workflow.steps, step.id).filter((one) => one.active);
        const count = (states) =>
            branch
                .flatMap(({ counts }) => states.map((state) => counts[state] || 0))
                .reduce((total, number) => total + number, 0);
        const states = ["waiting", "scheduled", "processed", "rejected", "cancelled", "error"];
        const archived = branch.filter((one) =>
            Object.values(one.counts).some((number) => number)
        ).length;
        const parts = [];
        if (branch.length > 1) {
            parts.push(_t("What follows it goes, too: %s steps in all.", branch.length));
        }
        if (archived) {
            parts.push(
                _t(
                    "Leads are or were at %(archived)s of the steps: these are archived with their history of %(traces)s entries, and what was to come (%(open)s) is cancelled.",
                    {
                        archived,
                        traces: count(states),
                        open: count(["waiting", "scheduled", "error"]),
                    }
                )
            );
        } else {
            parts.push(_t("No lead has been there yet."));
        }
        return parts;
    }

    // ------------------------------------------------------------
    // MOVE
    // ------------------------------------------------------------

    offersOf(parent) {
        const type = parent ? this.workflow.steps.find((step) => step.id === parent).type : "root";
        return this.workflow.offers[type] || [];
    }

    possiblePlaces(step) {
        return possibleParents(this.workflow.steps, step.id).filter(
            (parent) => this.offersOf(parent).length
        );
    }

    /** Ask where it goes. */
    move(step, parent) {
        const names = new Map(this.workflow.steps.map((one) => [one.id, one.name]));
        this.addDialog(
            MoveDialog,
            {
                step,
                parent,
                places: this.possiblePlaces(step).map((id) => ({
                    id,
                    label: id ? names.get(id) : _t("Beginning of the sequence"),
                    offers: this.offersOf(id),
                })),
                move: (place, trigger) => this.moveTo(step, place, trigger),
            },
            { onClose: () => this.focus(step.id) }
        );
    }

    moveTo(step, parent, trigger) {
        return this.change(async () => {
            const values = { parent_id: parent, trigger };
            await this.orm.write("nurture.step", [step.id], values);
            return step.id;
        });
    }

    reorder(step, by) {
        return this.change(async () => {
            await this.orm.call("nurture.step", "action_reorder", [[step.id], by]);
            return step.id;
        });
    }

    setUpDrag() {
        const stepOf = (element) =>
            this.workflow.steps.find((step) => step.id === Number(element.dataset.step));
        const parentOf = (target) => Number(target.dataset.step) || false;
        let places = [];
        useStepDrag({
            ref: this.root,
            enable: () => this.editable && !this.env.isSmall,
            elements: ".o_nurture_editable",
            targets: ".o_nurture_card, .o_nurture_begin",
            ignore: "button",
            cursor: "grabbing",
            onDragStart: ({ element, addClass }) => {
                this.popover.close();
                places = this.possiblePlaces(stepOf(element));
                addClass(this.root.el, "o_nurture_dragging");
                addClass(element, "shadow-lg");
                for (const target of this.root.el.querySelectorAll("[data-step]")) {
                    if (target !== element && !places.includes(parentOf(target))) {
                        addClass(target, "o_nurture_impossible");
                    }
                }
            },
            onEnter: ({ target, addClass }) => {
                if (places.includes(parentOf(target))) {
                    addClass(target, "o_nurture_target");
                }
            },
            onLeave: ({ target }) => target.classList.remove("o_nurture_target"),
            onDrop: ({ element, target }) => {
                const parent = parentOf(target);
                if (places.includes(parent)) {
                    this.drop(stepOf(element), parent);
                }
            },
        });
    }

    /** It keeps its trigger where it can; where it cannot, somebody has to choose one. */
    drop(step, parent) {
        if (this.offersOf(parent).some((offer) => offer.value === step.trigger)) {
            return this.moveTo(step, parent, step.trigger);
        }
        this.move(step, parent);
    }

    // ------------------------------------------------------------
    // LOOK
    // ------------------------------------------------------------

    openStatistic(step, statistic) {
        return this.openList("nurture.step", step.id, "action_view_statistic", statistic);
    }

    openVersion(step, letter, statistic) {
        return this.openList("nurture.step", step.id, "action_view_variant", letter, statistic);
    }

    openExits(reason) {
        const { resId } = this.props.record;
        return this.openList("nurture.sequence", resId, "action_view_exits", reason);
    }

    /** As a button of the form does. */
    openList(resModel, resId, name, ...what) {
        const args = JSON.stringify(what);
        return this.action.doActionButton({ type: "object", resModel, resId, name, args });
    }

    openClicks(step) {
        return this.openList("mailing.mailing", step.mailing, "action_view_nurture_clicks");
    }

    openMailing(step) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: "mailing.mailing",
            res_id: step.mailing,
            views: [[false, "form"]],
        });
    }

    /** A step without a mail gets one, and it opens in the editor. */
    writeMail(step) {
        return this.once(async () => {
            if (await this.props.record.save()) {
                const args = [[step.id]];
                const action = await this.orm.call("nurture.step", "action_write_mail", args);
                await this.action.doAction(action);
            }
        });
    }

    setUpPreview() {
        this.previews = new Map();
        this.popover = usePopover(MailPreview, {
            position: "right-start",
            popoverClass: "o_nurture_preview_popover",
            setActiveElement: false,
            useBottomSheet: this.env.isSmall,
            onClose: () => (this.pinned = false),
        });
    }

    /**
     * Show what the step sends.
     *
     * @param {Object} step
     * @param {HTMLElement} target
     * @param {boolean} pinned whether it stays when the pointer goes
     */
    preview(step, target, pinned) {
        clearTimeout(this.hoverTimer);
        if (pinned) {
            this.openPreview(step, target);
            this.pinned = true;
        } else if (!this.pinned && !this.env.isSmall) {
            this.hoverTimer = setTimeout(() => this.openPreview(step, target), HOVER.open);
        }
    }

    openPreview(step, target) {
        if (this.popover.isOpen && this.previewed === step.id) {
            return;
        }
        this.previewed = step.id;
        this.popover.open(target, {
            name: step.name,
            load: () => this.loadPreview(step.id),
            onEnter: () => clearTimeout(this.hoverTimer),
            onLeave: () => this.leavePreview(),
        });
    }

    leavePreview() {
        clearTimeout(this.hoverTimer);
        if (!this.pinned) {
            this.hoverTimer = setTimeout(() => this.popover.close(), HOVER.close);
        }
    }

    /** What was composed is kept until something changes. */
    loadPreview(id) {
        if (!this.previews.has(id)) {
            const mail = this.orm.call("nurture.step", "get_preview", [[id]]);
            mail.catch(() => this.previews.delete(id));
            this.previews.set(id, mail);
        }
        return this.previews.get(id);
    }
}

export const nurtureWorkflow = {
    component: NurtureWorkflow,
    displayName: _t("Workflow of a nurture sequence"),
    supportedTypes: ["one2many"],
    fieldDependencies: [{ name: "workflow", type: "json" }],
    relatedFields: [{ name: "id", type: "integer" }],
};
registry.category("fields").add("nurture_workflow", nurtureWorkflow);
