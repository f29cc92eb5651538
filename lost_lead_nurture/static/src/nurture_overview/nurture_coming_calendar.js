import { registry } from "@web/core/registry";
import { CalendarController } from "@web/views/calendar/calendar_controller";
import { calendarView } from "@web/views/calendar/calendar_view";

/** Calendar of what is to come: an event stands for many leads, and opens the list of them. */
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
});
