import { Component } from "@odoo/owl";
import { Dropdown } from "@web/core/dropdown/dropdown";
import { useDropdownState } from "@web/core/dropdown/dropdown_hooks";
import { DropdownItem } from "@web/core/dropdown/dropdown_item";
import { localization } from "@web/core/l10n/localization";
import { _t } from "@web/core/l10n/translation";
import { formatInteger } from "@web/views/fields/formatters";
import { StepChart } from "./step_chart";

/** What `+` offers, by what a trigger is about. */
const KINDS = {
    time: _t("Whatever happens"),
    event: _t("When it happens"),
    absence: _t("When it does not happen"),
};

/** How a statistic is called. */
const STATISTICS = {
    waiting: _t("Waiting"),
    scheduled: _t("Scheduled"),
    processed: _t("Processed"),
    rejected: _t("Rejected"),
    error: _t("Errors"),
    sent: _t("Sent"),
    opened: _t("Opened"),
    clicked: _t("Clicked"),
    replied: _t("Replied"),
    won_back: _t("Won Back"),
    ignored: _t("Ignored"),
    no_reaction: _t("No reaction yet"),
    bounced: _t("Bounced"),
    unsubscribed: _t("Unsubscribed"),
    complained: _t("Complained"),
};

/** One step of the workflow. */
export class StepCard extends Component {
    static template = "lost_lead_nurture.StepCard";
    static components = { Dropdown, DropdownItem, StepChart };
    static props = {
        card: Object,
        workflow: Object,
        editable: Boolean,
        // whether Tab leads to it
        current: Boolean,
        actions: Object,
    };

    setup() {
        this.adding = useDropdownState();
    }

    get step() {
        return this.props.card.step;
    }

    get type() {
        return this.props.workflow.types[this.step.type];
    }

    get tabindex() {
        return this.props.current ? "0" : "-1";
    }

    get canFollow() {
        return this.props.editable && this.step.active && this.offers.length > 0;
    }

    get offers() {
        return this.props.workflow.offers[this.step.type] || [];
    }

    get offersByKind() {
        return Object.entries(KINDS)
            .map(([kind, label]) => ({
                kind,
                label,
                offers: this.offers.filter((offer) => offer.kind === kind),
            }))
            .filter(({ offers }) => offers.length);
    }

    get hasPreview() {
        return this.type.message && this.step.mailing && this.props.workflow.mails_readable;
    }

    /** Whether somebody got its mail, so that there is something to see of its links. */
    get hasClicks() {
        const { mails, type } = this.step;
        return type === "email" && mails.sent && this.props.workflow.mails_readable;
    }

    /** Whether its mail is still to be written. */
    get canWrite() {
        const { active, mailing, type } = this.step;
        return this.props.editable && active && type === "email" && !mailing;
    }

    /** What it waits for, as short as can be. */
    get chip() {
        const { trigger, label, minutes, wait } = this.step;
        // time that passes needs no other word, a beginning needs none for when
        const isPlainBeginning = trigger === "begin" && !minutes;
        return [trigger !== "after" && label, !isPlainBeginning && wait].filter(Boolean).join(", ");
    }

    get day() {
        return this.props.actions.dayLabel(this.props.card.day);
    }

    get whenInFull() {
        return `${this.day}: ${this.step.when}`;
    }

    get hasStatistics() {
        return Object.values(this.step.counts).some((number) => number);
    }

    get traceStatistics() {
        const { counts } = this.step;
        const states = ["waiting", "scheduled", "processed", "rejected"];
        if (counts.error) {
            states.push("error");
        }
        return states.map((state) => this.makeStatistic(state, counts[state] || 0));
    }

    get mailStatistics() {
        const { mails } = this.step;
        if (!mails) {
            return [];
        }
        const isEarly = mails.no_reaction && !mails.ignored;
        const silence = isEarly ? "no_reaction" : "ignored";
        // what should not happen is shown where it does
        const harm = ["unsubscribed", "complained"].filter((name) => mails[name]);
        const rates = ["opened", "clicked", "replied", silence, "bounced", ...harm];
        const ratios = rates.map((name) => {
            // the one definition of rates, and what they are of, is the server's
            const whole = mails[this.props.workflow.rate_of[name]];
            return {
                ...this.makeStatistic(name, mails[name]),
                value: this.rate(mails[name], whole),
            };
        });
        return [this.makeStatistic("sent", mails.sent), ...ratios].map((statistic) => ({
            ...statistic,
            opens: statistic.opens && this.props.workflow.mails_readable,
        }));
    }

    /** The versions of its A/B test, each with what came of it. */
    get versions() {
        const { versions } = this.step.ab_test || { versions: [] };
        return versions.map(({ letter, share, wait, winner, counts }) => ({
            letter,
            wait,
            winner,
            title: _t("Version %(version)s: %(share)s of the leads", { version: letter, share }),
            statistics: [
                this.makeStatistic("sent", counts.sent),
                ...["opened", "clicked", "replied", "won_back"].map((name) => ({
                    ...this.makeStatistic(name, counts[name]),
                    value: this.rate(counts[name], counts.delivered),
                })),
            ].map((statistic) => ({
                ...statistic,
                title: _t("Version %(version)s: %(statistic)s", {
                    version: letter,
                    statistic: statistic.title,
                }),
                opens: statistic.opens && this.props.workflow.mails_readable,
            })),
        }));
    }

    rate(number, whole) {
        return whole ? _t("%s%", Math.round((100 * number) / whole)) : "–";
    }

    makeStatistic(name, number) {
        const label = STATISTICS[name];
        // the number where a percentage is shown, or it was shortened
        const title = `${label}: ${formatInteger(number)}`;
        return {
            name,
            label,
            value: formatInteger(number, { humanReadable: number > 9999 }),
            title,
            hint: [title, this.props.workflow.definitions[name]].filter(Boolean).join("\n"),
            opens: number > 0,
            alarming: number > 0 && name === "error",
        };
    }

    /** All of it in one sentence, for those who hear it. */
    get description() {
        const parts = [`${this.type.label}: ${this.step.name}`, this.step.when, this.day];
        if (!this.step.active) {
            parts.push(_t("Archived"));
        }
        parts.push(...this.step.problems);
        if (this.hasStatistics) {
            const statistics = [...this.traceStatistics, ...this.mailStatistics];
            parts.push(...statistics.map((statistic) => statistic.title));
        }
        if (this.step.ab_test) {
            parts.push(_t("A/B test"), this.step.ab_test.verdict);
        }
        return parts.join(". ");
    }

    onClick(ev) {
        if (!ev.target.closest("button, a, .o-dropdown-item")) {
            this.props.actions.edit(this.step);
        }
    }

    onKeydown(ev) {
        if (ev.key === "Escape" && ev.target !== ev.currentTarget) {
            // whatever is open closes, too
            ev.currentTarget.focus();
            return;
        }
        if (ev.target !== ev.currentTarget || ev.ctrlKey || ev.metaKey) {
            return;
        }
        const act = ev.altKey ? this.altKeys[ev.key] : this.keys[ev.key];
        if (act) {
            ev.preventDefault();
            ev.stopPropagation();
            act();
        }
    }

    /** How many places it can move among those that follow the same step. */
    get room() {
        const { position, siblings } = this.props.card;
        const canMove = this.props.editable && this.step.active;
        return { up: canMove && position > 1, down: canMove && position < siblings };
    }

    /** Alt moves the step itself. */
    get altKeys() {
        const { up, down } = this.room;
        return {
            ...(up && { ArrowUp: () => this.props.actions.reorder(this.step, -1) }),
            ...(down && { ArrowDown: () => this.props.actions.reorder(this.step, 1) }),
        };
    }

    get keys() {
        const { actions, card, editable } = this.props;
        const isRtl = localization.direction === "rtl";
        const keys = {
            ArrowUp: () => actions.go(card, -1),
            ArrowDown: () => actions.go(card, 1),
            [isRtl ? "ArrowLeft" : "ArrowRight"]: () => actions.focus(card.children[0]?.step.id),
            [isRtl ? "ArrowRight" : "ArrowLeft"]: () => actions.focus(card.parent?.step.id),
            Home: () => actions.go(card, -Infinity),
            End: () => actions.go(card, Infinity),
            Enter: () => actions.edit(card.step),
        };
        if (editable && this.step.active) {
            keys.Delete = () => actions.remove(card.step);
            keys["+"] = () => this.canFollow && this.adding.open();
        }
        return keys;
    }
}
