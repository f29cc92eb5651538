import { Component, reactive, useEffect, useRef, useState } from "@odoo/owl";
import { Dropdown } from "@web/core/dropdown/dropdown";
import { DropdownItem } from "@web/core/dropdown/dropdown_item";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardFieldProps } from "@web/views/fields/standard_field_props";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

// the buttons below the timeline and those in it wait for each other
const playing = reactive({ busy: false });

/**
 * Let the test go on, and show what became of it.
 *
 * @param {() => Object} getRecord the record of the test
 */
function useTest(getRecord) {
    const orm = useService("orm");
    const state = useState(playing);
    const call = async (method, args) => {
        const record = getRecord();
        if (playing.busy) {
            return;
        }
        playing.busy = true;
        try {
            if (await record.save()) {
                await orm.call("nurture.test", method, [[record.resId], ...args]);
                await record.load();
            }
        } finally {
            playing.busy = false;
        }
    };
    return {
        state,
        play: (what, stepId = false, link = false) => call("action_play", [what, stepId, link]),
        restart: () => call("action_restart", []),
    };
}

const DOTS = {
    action: "fa-cog",
    activity: "fa-clock-o",
    email: "fa-envelope",
    opt_in: "fa-check-square-o",
};
const COLORS = {
    processed: "text-bg-success",
    scheduled: "text-bg-info",
    error: "text-bg-danger",
    rejected: "text-bg-warning",
    cancelled: "text-bg-light text-muted",
    waiting: "text-bg-light text-muted",
};

export class NurtureTestTimeline extends Component {
    static template = "lost_lead_nurture.NurtureTestTimeline";
    static components = { Dropdown, DropdownItem };
    static props = { ...standardFieldProps };

    setup() {
        this.test = useTest(() => this.props.record);
        this.root = useRef("root");
        useEffect(
            (lines) => {
                if (lines && this.timeline.lines.some((line) => line.state === "processed")) {
                    this.root.el
                        ?.querySelector(".o_nurture_test_here")
                        ?.scrollIntoView({ behavior: "smooth", block: "nearest" });
                }
            },
            () => [this.timeline.lines]
        );
    }

    get timeline() {
        return this.props.record.data[this.props.name] || { lines: [] };
    }

    get isOver() {
        return !this.timeline.next && !this.timeline.wait;
    }

    dot(line) {
        return DOTS[line.type] || "fa-paper-plane";
    }

    color(line) {
        return COLORS[line.state];
    }

    isPast(line) {
        return !["scheduled", "waiting"].includes(line.state);
    }

    isOut(line) {
        return ["cancelled", "waiting"].includes(line.state);
    }

    reaction(what) {
        return {
            open: { icon: "fa-envelope-open-o", offer: _t("Opens it"), done: _t("Opened") },
            click: { icon: "fa-mouse-pointer", offer: _t("Clicks"), done: _t("Clicked") },
            reply: { icon: "fa-reply", offer: _t("Replies"), done: _t("Replied") },
            bounce: {
                icon: "fa-exclamation-triangle",
                offer: _t("It bounces"),
                done: _t("Bounced"),
            },
            done: { icon: "fa-check", offer: _t("Activity done"), done: _t("Done") },
            confirmed: { icon: "fa-check-square-o", offer: _t("Confirms"), done: _t("Confirmed") },
        }[what];
    }
}

export const nurtureTestTimeline = {
    component: NurtureTestTimeline,
    displayName: _t("Timeline of a nurture test"),
    supportedTypes: ["json"],
};
registry.category("fields").add("nurture_test_timeline", nurtureTestTimeline);

export class NurtureTestButtons extends Component {
    static template = "lost_lead_nurture.NurtureTestButtons";
    static props = { ...standardWidgetProps };

    setup() {
        this.test = useTest(() => this.props.record);
    }

    get timeline() {
        return this.props.record.data.timeline || {};
    }

    get isUnbegun() {
        return !(this.props.record.data.events || []).length;
    }
}

export const nurtureTestButtons = {
    component: NurtureTestButtons,
    fieldDependencies: [
        { name: "timeline", type: "json" },
        { name: "events", type: "json" },
    ],
};
registry.category("view_widgets").add("nurture_test_buttons", nurtureTestButtons);
