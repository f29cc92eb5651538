import { Component, onWillStart, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";

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
        this.ui = useService("ui");
        onWillStart(() => {
            // the frame is there while the mail is on its way
            this.load();
        });
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
