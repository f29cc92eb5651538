import { Component, onWillStart, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";

/**
 * What a step sends, with the values of a lead that the sequence is for. It stands in a frame that
 * runs no script, opens nothing and sends nothing.
 */
export class MailPreview extends Component {
    static template = "lost_lead_nurture.MailPreview";
    static props = {
        load: Function,
        name: String,
        close: { type: Function, optional: true },
        onEnter: { type: Function, optional: true },
        onLeave: { type: Function, optional: true },
    };
    static defaultProps = { onEnter: () => {}, onLeave: () => {} };

    setup() {
        this.state = useState({ mail: null, error: null });
        onWillStart(() => {
            // the frame is there while the mail is on its way
            this.load();
        });
    }

    get recipient() {
        const { lead, address, language, note } = this.state.mail;
        if (note) {
            return [note, _t("Links do nothing here.")].join(" ");
        }
        return _t("For %s.", [lead, address, language].filter(Boolean).join(", "));
    }

    async load() {
        try {
            this.state.mail = await this.props.load();
        } catch (error) {
            this.state.error =
                error.data?.message || error.message || _t("The mail cannot be shown.");
        }
    }
}
