import { onWillStart } from "@odoo/owl";
import { SmsWidget } from "@sms/components/sms_widget/fields_sms_widget";
import { patch } from "@web/core/utils/patch";

/**
 * The text of a step is counted as core counts that of a mailing: links are shortened, and the
 * opt-out link comes on top.
 */
patch(SmsWidget.prototype, {
    setup() {
        super.setup(...arguments);
        onWillStart(async () => {
            if (this.props.record.resModel === "nurture.step") {
                this.linkReplacementsPlaceholders = await this.orm.call(
                    "mailing.mailing",
                    "get_sms_link_replacements_placeholders",
                    [[]]
                );
            }
        });
    },
});
