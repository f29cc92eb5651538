import { deserializeDate, serializeDate } from "@web/core/l10n/dates";
import { registry } from "@web/core/registry";
import { CalendarController } from "@web/views/calendar/calendar_controller";
import { CalendarModel } from "@web/views/calendar/calendar_model";
import { calendarView } from "@web/views/calendar/calendar_view";

const { DateTime } = luxon;

/** What was done and what is to come: it opens where there is something. */
export class NurtureComingModel extends CalendarModel {
    async load(params = {}) {
        const context = params.context || this.meta.context;
        if (params.date || this.meta.date || context?.initial_date) {
            return super.load(params);
        }
        const date = await this.findDate(params.domain || this.meta.domain, context);
        return super.load({ ...params, date });
    }

    /**
     * Today, if this month has anything; else the nearest day that has, and today if none has.
     *
     * @param {Array} domain
     * @param {Object} context
     * @returns {Promise<DateTime>}
     */
    async findDate(domain, context) {
        const today = DateTime.local().startOf("day");
        const begin = serializeDate(today.startOf("month"));
        const end = serializeDate(today.endOf("month"));
        const find = async (order, ...conditions) => {
            const found = await this.orm.searchRead(
                this.meta.resModel,
                [...domain, ...conditions],
                ["date"],
                { context, limit: 1, order }
            );
            return found.map(({ date }) => deserializeDate(date));
        };
        // most of the time this is all that is asked
        const now = await find("date ASC", ["date", ">=", begin], ["date", "<=", end]);
        if (now.length) {
            return today;
        }
        const [before, after] = await Promise.all([
            find("date DESC", ["date", "<", begin]),
            find("date ASC", ["date", ">", end]),
        ]);
        const distance = (date) => Math.abs(date.diff(today).toMillis());
        const [nearest] = [...after, ...before].sort((a, b) => distance(a) - distance(b));
        return nearest || today;
    }
}

/** An event stands for many leads, and opens the list of them. */
export class NurtureComingController extends CalendarController {
    async editRecord(record) {
        return this.action.doActionButton({
            type: "object",
            name: "action_view_traces",
            resModel: "nurture.coming",
            resId: record.id,
        });
    }
}

registry.category("views").add("nurture_coming_calendar", {
    ...calendarView,
    Controller: NurtureComingController,
    Model: NurtureComingModel,
});
