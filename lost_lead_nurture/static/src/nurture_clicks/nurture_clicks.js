import { Component, onWillStart, onWillUnmount, useRef, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { useSetupAction } from "@web/search/action_hook";
import { Layout } from "@web/search/layout";
import { formatInteger } from "@web/views/fields/formatters";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";
import { NurtureCountDate } from "../nurture_report/nurture_count_date";
import { percent } from "../nurture_report/percent";

/** The corner of a link, with the pictures in it, in the page that it is in. */
function getCorner(node) {
    const parts = [node, ...node.querySelectorAll("img")].map((el) => el.getBoundingClientRect());
    return {
        left: Math.max(...parts.map(({ right }) => right)),
        top: Math.min(...parts.filter(({ height }) => height).map(({ top }) => top)),
    };
}

/**
 * Where people click: a mail as it was sent, each link with how many clicked it.
 *
 * The mail is in a frame that runs no script and leads nowhere; what is drawn on it lies above the
 * frame. Props of each link as mailing.mailing's get_nurture_clicks has them.
 */
export class NurtureClicks extends Component {
    static template = "lost_lead_nurture.NurtureClicks";
    static components = { Layout, NurtureCountDate };
    static props = { ...standardActionServiceProps };

    setup() {
        this.action = useService("action");
        this.orm = useService("orm");
        this.frame = useRef("frame");
        this.formatInteger = formatInteger;
        this.percent = percent;
        this.state = useState({
            mailingId: this.props.state?.mailingId ?? this.props.action.context.active_id,
            mail: null,
            badges: [],
            current: null,
        });
        // pictures that arrive late move what is below them
        this.observer = new ResizeObserver(() => this.draw());
        useSetupAction({ getLocalState: () => ({ mailingId: this.state.mailingId }) });
        onWillStart(() => this.load());
        onWillUnmount(() => this.observer.disconnect());
    }

    async load() {
        const mail = await this.orm.call("mailing.mailing", "get_nurture_clicks", [
            [this.state.mailingId],
        ]);
        Object.assign(this.state, { mail, badges: [], current: null });
    }

    async choose(ev) {
        this.state.mailingId = Number(ev.target.value);
        await this.load();
    }

    get summary() {
        const { clicked, delivered } = this.state.mail;
        if (!delivered) {
            return _t("Nobody has got this mail yet.");
        }
        return _t("%(clicked)s of %(delivered)s who got it clicked (%(rate)s).", {
            clicked: formatInteger(clicked),
            delivered: formatInteger(delivered),
            rate: percent((100 * clicked) / delivered),
        });
    }

    get note() {
        const { recipient } = this.state.mail;
        return recipient
            ? _t("Shown as %s got it; links do nothing here.", recipient)
            : _t("Shown without anybody's values; links do nothing here.");
    }

    /** Those clicked by most come first. */
    get links() {
        return this.state.mail.links
            .map((link, number) => ({ ...link, number }))
            .sort((a, b) => b.clicked - a.clicked);
    }

    get most() {
        return Math.max(1, ...this.state.mail.links.map(({ clicked }) => clicked));
    }

    shade(link) {
        return link.clicked / this.most;
    }

    name(link) {
        return link.label || link.url;
    }

    describe(link) {
        const values = {
            link: this.name(link),
            people: formatInteger(link.clicked),
            rate: percent(link.rate),
        };
        return link.places > 1
            ? _t("%(link)s: clicked by %(people)s (%(rate)s), in all places together", values)
            : _t("%(link)s: clicked by %(people)s (%(rate)s)", values);
    }

    onFrameLoad() {
        this.observer.disconnect();
        this.observer.observe(this.frame.el);
        this.observer.observe(this.frame.el.contentDocument.body);
        this.draw();
    }

    /** Give the frame the size of its page, and put a badge on the corner of each link. */
    draw() {
        const { contentDocument, style } = this.frame.el;
        const page = contentDocument.documentElement;
        style.height = "0";
        style.height = `${page.scrollHeight}px`;
        const { links } = this.state.mail;
        this.state.badges = [...contentDocument.querySelectorAll("[data-nurture-link]")]
            .map((node) => ({ node, number: Number(node.dataset.nurtureLink) }))
            .filter(({ number }) => number < links.length)
            .map(({ node, number }, index) => ({
                key: index,
                link: { ...links[number], number },
                ...getCorner(node),
            }));
    }

    async open(link) {
        const action = await this.orm.call("mailing.mailing", "action_view_nurture_link", [
            [this.state.mailingId],
            link.ids,
        ]);
        return this.action.doAction(action);
    }
}

registry.category("actions").add("lost_lead_nurture.clicks", NurtureClicks);
