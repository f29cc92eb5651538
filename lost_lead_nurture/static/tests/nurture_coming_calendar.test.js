import { beforeEach, expect, mockDate, test } from "@odoo/hoot";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { defineModels, fields, models, mountView, onRpc } from "@web/../tests/web_test_helpers";

class Coming extends models.Model {
    _name = "nurture.coming";
    name = fields.Char();
    date = fields.Date();
    state = fields.Selection({
        selection: [
            ["done", "Done"],
            ["to_come", "To Come"],
        ],
    });
    _views = {
        calendar: `
            <calendar js_class="nurture_coming_calendar" date_start="date" mode="month">
                <field name="state" filters="1"/>
            </calendar>`,
    };
}
defineMailModels();
defineModels([Coming]);

beforeEach(() => mockDate("2026-03-20 10:00:00"));

async function openWith(dates, options = {}) {
    Coming._records = dates.map((date, index) => ({
        id: index + 1,
        name: `Step of ${date}`,
        date,
        state: date < "2026-03-20" ? "done" : "to_come",
    }));
    let searches = 0;
    onRpc("nurture.coming", "search_read", () => {
        searches++;
    });
    await mountView({ resModel: "nurture.coming", type: "calendar", ...options });
    return searches;
}

const shown = ".o_calendar_view";

test("it opens on this month, if there is anything", async () => {
    const searches = await openWith(["2026-02-28", "2026-03-02", "2026-04-01"]);
    expect(shown).toHaveText(/March 2026/);
    expect(".fc-event:contains('Step of 2026-03-02')").toHaveCount(1);
    // where there is something, and what it is
    expect(searches).toBe(2);
});

test("it opens on the nearest month before", async () => {
    await openWith(["2025-12-01", "2026-01-10", "2026-08-01"]);
    expect(shown).toHaveText(/January 2026/);
    expect(".fc-event").toHaveCount(1);
});

test("it opens on the nearest month after", async () => {
    await openWith(["2025-12-01", "2026-05-10", "2026-08-01"]);
    expect(shown).toHaveText(/May 2026/);
    expect(".fc-event").toHaveCount(1);
});

test("it opens on today, if there is nothing anywhere", async () => {
    await openWith([]);
    expect(shown).toHaveText(/March 2026/);
    expect(".fc-event").toHaveCount(0);
});

test("it looks among what is chosen only", async () => {
    await openWith(["2026-01-10", "2026-05-10"], { domain: [["state", "=", "to_come"]] });
    expect(shown).toHaveText(/May 2026/);
});

test("an initial date in the context is obeyed", async () => {
    const searches = await openWith(["2026-03-02"], {
        context: { initial_date: "2026-06-15 08:00:00" },
    });
    expect(shown).toHaveText(/June 2026/);
    expect(searches).toBe(1);
});

test("it goes on where it was left", async () => {
    const searches = await openWith(["2026-03-02"], {
        state: { date: luxon.DateTime.local(2026, 7, 1) },
    });
    expect(shown).toHaveText(/July 2026/);
    expect(searches).toBe(1);
});
