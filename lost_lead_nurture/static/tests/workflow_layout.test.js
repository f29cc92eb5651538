import { describe, expect, test } from "@odoo/hoot";
import {
    branchOf,
    layOut,
    possibleParents,
} from "@lost_lead_nurture/nurture_workflow/workflow_layout";

describe.current.tags("headless");

const HOUR = 60;
const DAY = 24 * HOUR;

function step(id, parent = false, minutes = 0, values = {}) {
    return { id, parent, minutes, active: true, untimed: false, ...values };
}

/** Where each card stands: `{id: [row, column]}`. */
function placesOf(steps, options) {
    const { cards } = layOut(steps, options);
    return Object.fromEntries(cards.map((card) => [card.step.id, [card.row, card.column]]));
}

function daysOf(steps) {
    return layOut(steps).heads.map(({ day, span }) => [day, span]);
}

test("nothing to lay out", () => {
    expect(layOut([])).toEqual({ cards: [], heads: [], marks: [], columns: 0 });
});

test("delays add up to days, and each day is a column", () => {
    const steps = [step(1), step(2, 1, 7 * DAY), step(3, 2, 7 * DAY), step(4, 1, 14 * DAY)];
    expect(daysOf(steps)).toEqual([
        [0, 1],
        [7, 1],
        [14, 1],
    ]);
    expect(placesOf(steps)).toEqual({ 1: [1, 0], 2: [1, 1], 3: [1, 2], 4: [2, 2] });
});

test("profiles stand below the days on which they enter, and these have a column", () => {
    const steps = [step(1), step(2, 1, 3 * DAY)];
    const profiles = [
        { id: 1, day: 0 },
        { id: 2, day: 7 },
        { id: 3, day: 7 },
    ];
    const { heads, marks, columns } = layOut(steps, { profiles });
    expect(heads.map(({ day, column, span }) => [day, column, span])).toEqual([
        [0, 0, 1],
        [3, 1, 1],
        [7, 2, 1],
    ]);
    expect(marks.map((mark) => [mark.row, mark.column, mark.profiles.map(({ id }) => id)])).toEqual(
        [
            [1, 0, [1]],
            [1, 2, [2, 3]],
        ]
    );
    expect(columns).toBe(3);
    expect(placesOf(steps, { profiles })).toEqual({ 1: [2, 0], 2: [2, 1] });
    expect(layOut([], { profiles }).marks).toEqual([]);
});

test("what is due on the day of the step before stands beside it", () => {
    const steps = [step(1), step(2, 1, 2 * HOUR), step(3, 2, 0), step(4, 1, 23 * HOUR)];
    expect(daysOf(steps)).toEqual([[0, 3]]);
    expect(placesOf(steps)).toEqual({ 1: [1, 0], 2: [1, 1], 3: [1, 2], 4: [2, 1] });
});

test("a month is thirty days, minutes and hours make days", () => {
    const steps = [step(1, false, 30 * DAY), step(2, 1, 25 * HOUR), step(3, 2, 23 * HOUR)];
    expect(daysOf(steps)).toEqual([
        [30, 1],
        [31, 1],
        [32, 1],
    ]);
});

test("what begins at no certain time comes below, with all that follows it", () => {
    const steps = [
        step(1, false, 0, { untimed: true }),
        step(2, 1, 3 * DAY),
        step(3),
        step(4, 3, 40 * DAY),
    ];
    expect(daysOf(steps)).toEqual([
        [0, 1],
        [40, 1],
        [null, 2],
    ]);
    expect(layOut(steps).heads.map(({ row, column }) => [row, column])).toEqual([
        [0, 0],
        [0, 1],
        [2, 0],
    ]);
    expect(layOut([step(1, false, 0, { untimed: true })]).heads).toEqual([
        { day: null, row: 0, column: 0, span: 1 },
    ]);
    expect(placesOf(steps)).toEqual({ 3: [1, 0], 4: [1, 1], 1: [3, 0], 2: [3, 1] });
});

test("steps keep their order, and say where they stand in the tree", () => {
    const { cards } = layOut([step(1), step(2, 1), step(3, 1), step(4, 2)]);
    expect(
        cards.map(({ step: { id }, level, position, siblings }) => [id, level, position, siblings])
    ).toEqual([
        [1, 1, 1, 1],
        [2, 2, 1, 2],
        [4, 3, 1, 1],
        [3, 2, 2, 2],
    ]);
});

test("no card stands on another one, and lines lead to the right only", () => {
    // a bush of 60 steps: each has two that follow, with delays that differ
    const steps = [step(1)];
    for (let id = 2; id <= 60; id++) {
        steps.push(step(id, Math.floor(id / 2), ((id * 7) % 5) * DAY));
    }
    const { cards, columns } = layOut(steps);
    expect(cards).toHaveLength(60);
    expect(new Set(cards.map(({ row, column }) => `${row}:${column}`)).size).toBe(60);
    expect(cards.every(({ parent, column }) => !parent || parent.column < column)).toBe(true);
    expect(Math.max(...cards.map(({ column }) => column))).toBe(columns - 1);
    expect(Math.max(...cards.map(({ row }) => row))).toBe(30, { message: "one for each end" });
});

test("archived steps are left out, unless something that is not archived follows", () => {
    const archived = { active: false };
    const steps = [step(1), step(2, 1, 0, archived), step(3, 1, 0, archived), step(4, 3)];
    expect(Object.keys(placesOf(steps))).toEqual(["1", "3", "4"]);
    expect(Object.keys(placesOf(steps, { showArchived: true }))).toEqual(["1", "2", "3", "4"]);
});

test("a branch is a step and all that follows it", () => {
    const steps = [step(1), step(2, 1), step(3, 2), step(4, 1)];
    expect(branchOf(steps, 2).map(({ id }) => id)).toEqual([2, 3]);
});

test("a step moves neither below itself nor to where it is, nor below an archived one", () => {
    const steps = [step(1), step(2, 1), step(3, 2), step(4, 1), step(5, 1, 0, { active: false })];
    expect(possibleParents(steps, 2)).toEqual([false, 4]);
    expect(possibleParents(steps, 3)).toEqual([false, 1, 4]);
    expect(possibleParents(steps, 1)).toEqual([]);
});
