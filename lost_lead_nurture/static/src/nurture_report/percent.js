import { _t } from "@web/core/l10n/translation";
import { formatFloat } from "@web/views/fields/formatters";

/** A rate, in percent, as it is shown. */
export function percent(rate) {
    return _t("%s%", formatFloat(rate, { digits: [16, 1], trailingZeros: false }));
}
