import { Component, onWillStart, useState } from "@odoo/owl";
import { Dialog } from "@web/core/dialog/dialog";
import { useService } from "@web/core/utils/hooks";

/** A template to look at: what happens when, and the mails as they are read. */
export class NurtureTemplateDialog extends Component {
    static template = "lost_lead_nurture.NurtureTemplateDialog";
    static components = { Dialog };
    static props = {
        close: Function,
        template: Object,
        use: Function,
    };

    setup() {
        this.orm = useService("orm");
        this.ui = useState(useService("ui"));
        this.mails = [];
        this.state = useState({ step: null, phone: false });
        onWillStart(async () => {
            this.mails = await this.orm.call("nurture.sequence", "get_template_mails", [
                [this.props.template.id],
            ]);
            this.state.step = this.mails[0]?.id;
        });
    }

    get mail() {
        return this.mails.find((mail) => mail.id === this.state.step);
    }

    /** The mail as a document of its own: nothing of ours styles it, and no script runs in it. */
    get page() {
        return (
            `<!DOCTYPE html><html><head><meta name="viewport" content="width=device-width"/>` +
            `<base href="${window.location.origin}" target="_blank"/>` +
            `<style>body { margin: 0; } a { pointer-events: none; }</style></head>` +
            `<body>${this.mail.body}</body></html>`
        );
    }

    hasMail(step) {
        return this.mails.some((mail) => mail.id === step.id);
    }

    use() {
        this.props.close();
        this.props.use();
    }
}
