import { onWillRender } from "@odoo/owl";
import { SIZES } from "@web/core/ui/ui_service";
import { useService } from "@web/core/utils/hooks";
import { patch } from "@web/core/utils/patch";
import { ButtonBox } from "@web/views/form/button_box/button_box";

/** The class of button boxes whose statistics belong together. */
export const RESULTS = "o_nurture_results";

/**
 * What came of a mailing or a sequence is read side by side: where there is room, none of its
 * statistics is under "More".
 */
patch(ButtonBox.prototype, {
    setup() {
        const ui = useService("ui");
        // what is registered first is called last: core has divided them by then
        onWillRender(() => {
            if (ui.size >= SIZES.LG && this.props.class.split(" ").includes(RESULTS)) {
                this.visibleButtons.push(...this.additionalButtons);
                this.additionalButtons = [];
                this.isFull = true;
            }
        });
        super.setup();
    },
});
