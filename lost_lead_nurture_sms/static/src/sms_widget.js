import { onWillStart } from "@odoo/owl";
import { SmsWidget } from "@sms/components/sms_widget/fields_sms_widget";
import { patch } from "@web/core/utils/patch";

const SIGNATURE = "?n=xxxxxx";

/**
 * The text of a step is counted as core counts that of a mailing: links are shortened, and the
 * opt-out link comes on top. Those of a sequence are signed, too.
 */
patch(SmsWidget.prototype, {
    setup() {
        super.setup(...arguments);
        onWillStart(async () => {
            if (this.props.record.resModel === "nurture.step") {
                const { link, unsubscribe } = await this.orm.call(
                    "mailing.mailing",
                    "get_sms_link_replacements_placeholders",
                    [[]]
                );
                this.linkReplacementsPlaceholders = { link: link + SIGNATURE, unsubscribe };
            }
        });
    },
});
