import { Component, markup, useState } from "@odoo/owl";
import { ConfirmationDialog } from "@web/core/confirmation_dialog/confirmation_dialog";
import { deserializeDateTime } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { usePopover } from "@web/core/popover/popover_hook";
import { registry } from "@web/core/registry";
import { user } from "@web/core/user";
import { useOwnedDialogs, useService } from "@web/core/utils/hooks";
import { standardFieldProps } from "@web/views/fields/standard_field_props";
import { MailPreview } from "../nurture_workflow/mail_preview";

const { DateTime } = luxon;

const NOTHING = { entries: [], notice: false };

/**
 * The dot of an entry by its kind: what those who cannot see it hear, icon and colour. Without an
 * icon it has that of the step.
 */
const KINDS = {
    entered: { label: _t("Entered"), icon: "fa-sign-in", color: "muted" },
    sent: { label: _t("Sent"), color: "info" },
    opened: { label: _t("Opened"), icon: "fa-envelope-open-o", color: "info" },
    clicked: { label: _t("Clicked"), icon: "fa-mouse-pointer", color: "info" },
    replied: { label: _t("Replied"), icon: "fa-reply", color: "success" },
    soft_bounced: { label: _t("Bounced for now"), icon: "fa-undo", color: "warning" },
    bounced: { label: _t("Bounced"), icon: "fa-exclamation-triangle", color: "danger" },
    unsubscribed: { label: _t("Unsubscribed"), icon: "fa-sign-out", color: "danger" },
    complained: { label: _t("Complained"), icon: "fa-thumbs-o-down", color: "danger" },
    done: { label: _t("Done"), icon: "fa-check", color: "success" },
    activity: { label: _t("Activity"), color: "info" },
    action: { label: _t("Action"), color: "info" },
    bot: { label: _t("Bot"), icon: "fa-cogs", color: "muted" },
    deferred: { label: _t("Deferred"), icon: "fa-pause", color: "warning" },
    changed: { label: _t("Changed"), icon: "fa-pencil", color: "muted" },
    rejected: { label: _t("Not done"), icon: "fa-ban", color: "warning" },
    cancelled: { label: _t("Cancelled"), icon: "fa-times", color: "muted" },
    error: { label: _t("Error"), icon: "fa-exclamation", color: "danger" },
    quotation: { label: _t("Quotation"), icon: "fa-file-text-o", color: "success" },
    order: { label: _t("Order"), icon: "fa-shopping-cart", color: "success" },
    goal: { label: _t("Goal reached"), icon: "fa-flag", color: "success" },
    ended: { label: _t("Ended"), icon: "fa-stop", color: "muted" },
    queued: { label: _t("In the queue"), color: "coming" },
    scheduled: { label: _t("Scheduled"), icon: "fa-clock-o", color: "coming" },
    waiting: { label: _t("Waiting"), icon: "fa-hourglass-o", color: "coming" },
};
const UNKNOWN = { label: "", icon: "fa-circle", color: "muted" };

/** What a marketer may do with a step: methods of nurture.trace. */
const ACTIONS = {
    action_retry: { label: _t("Retry") },
    action_mark_sent: {
        label: _t("It Has Arrived"),
        title: _t(
            "The mail is taken for sent, and what follows it goes on. Retry sends it again instead."
        ),
    },
    action_run_now: { label: _t("Run Now") },
    action_cancel: {
        label: _t("Cancel"),
        confirm: _t("This step and what follows it will not be done for this lead."),
    },
};

/**
 * The journey of a lead through its sequence: what happened and why, day by day, and what is to come.
 */
export class NurtureTimeline extends Component {
    static template = "lost_lead_nurture.NurtureTimeline";
    static props = { ...standardFieldProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.addDialog = useOwnedDialogs();
        this.state = useState({ busy: false });
        this.popover = usePopover(MailPreview, {
            position: "bottom-start",
            popoverClass: "o_nurture_preview_popover",
            setActiveElement: false,
            useBottomSheet: this.env.isSmall,
        });
    }

    get timeline() {
        return this.props.record.data[this.props.name] || NOTHING;
    }

    get now() {
        return DateTime.now().setZone(user.tz || "default");
    }

    /** What happened, then what is to come; each as days with their entries. */
    get parts() {
        const { entries } = this.timeline;
        return [
            { name: "past", days: this.byDay(entries.filter((entry) => !entry.coming)) },
            { name: "coming", days: this.byDay(entries.filter((entry) => entry.coming)) },
        ].filter((part) => part.days.length);
    }

    byDay(entries) {
        const days = [];
        for (const entry of entries) {
            // the server writes the dates in its words on the user's clock, too
            const date = entry.date && deserializeDateTime(entry.date, { tz: user.tz });
            const key = date ? date.toISODate() : "none";
            if (days.at(-1)?.key !== key) {
                days.push({ key, date, entries: [] });
            }
            days.at(-1).entries.push({
                ...entry,
                date,
                kind: this.kindOf(entry),
                name: entry.kind,
            });
        }
        return days;
    }

    kindOf(entry) {
        const kind = KINDS[entry.kind] || UNKNOWN;
        return { ...kind, icon: kind.icon || entry.icon || "fa-paper-plane" };
    }

    dayName(day) {
        if (!day.date) {
            return _t("When something happens");
        }
        const isThisYear = day.date.hasSame(this.now, "year");
        return day.date.toLocaleString({
            weekday: "short",
            day: "numeric",
            month: "short",
            ...(!isThisYear && { year: "numeric" }),
        });
    }

    /** How long ago, or until then, in words: today, 3 days ago. */
    fromToday(day) {
        return day.date.toRelativeCalendar({ base: this.now, unit: "days" });
    }

    timeOf(entry) {
        return entry.date.toLocaleString(DateTime.TIME_SIMPLE);
    }

    sentence(entry) {
        // the server escapes what is not its own
        return markup(entry.text);
    }

    actionsOf(entry) {
        return (entry.actions || []).map((name) => ({ name, ...ACTIONS[name] }));
    }

    // ------------------------------------------------------------
    // ACT
    // ------------------------------------------------------------

    showLabel(entry) {
        return entry.type === "email" ? _t("Show mail") : _t("Show message");
    }

    showMessage(entry, target) {
        this.popover.open(target, {
            name: _t("Message"),
            load: () => this.orm.call("nurture.trace", "get_preview", [[entry.trace]]),
        });
    }

    openRecord({ model, id }) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: model,
            res_id: id,
            views: [[false, "form"]],
        });
    }

    act(entry, action) {
        if (!action.confirm) {
            return this.run(entry, action);
        }
        this.addDialog(ConfirmationDialog, {
            title: _t("Cancel this step?"),
            body: action.confirm,
            confirmLabel: _t("Cancel Step"),
            confirm: () => this.run(entry, action),
            cancelLabel: _t("Keep It"),
            cancel: () => {},
        });
    }

    async run(entry, action) {
        this.state.busy = true;
        try {
            await this.orm.call("nurture.trace", action.name, [[entry.trace]]);
        } finally {
            this.state.busy = false;
            // also when it could not be done: somebody else was quicker
            await this.props.record.load();
        }
    }
}

export const nurtureTimeline = {
    component: NurtureTimeline,
    displayName: _t("Timeline of a nurture participant"),
    supportedTypes: ["json"],
};
registry.category("fields").add("nurture_timeline", nurtureTimeline);
