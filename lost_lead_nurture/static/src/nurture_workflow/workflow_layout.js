const DAY = 24 * 60;

/**
 * Whether a step is drawn: archived ones only when asked for, or when something that is not
 * archived follows them.
 */
function isDrawn(step, children, showArchived) {
    return (
        step.active ||
        showArchived ||
        (children.get(step.id) || []).some((child) => isDrawn(child, children, showArchived))
    );
}

function groupByParent(steps) {
    const ids = new Set(steps.map((step) => step.id));
    const children = new Map();
    for (const step of steps) {
        const parent = ids.has(step.parent) ? step.parent : false;
        children.set(parent, [...(children.get(parent) || []), step]);
    }
    return children;
}

/**
 * The step and all that follows it.
 *
 * @param {Object[]} steps all steps
 * @param {number} id
 * @returns {Object[]}
 */
export function branchOf(steps, id) {
    const children = groupByParent(steps);
    const walk = (step) => [step, ...(children.get(step.id) || []).flatMap(walk)];
    return steps.filter((step) => step.id === id).flatMap(walk);
}

/**
 * Put the steps on a grid: columns are days, from left to right, and each end of a branch has a row
 * of its own, so that no line crosses another.
 *
 * A step that is due on the same day as the one before stands in the next column of that day. When
 * an event comes nobody knows: what waits for one stands where it is due at the earliest. What
 * begins at no certain time (the last-chance mail) comes below everything else, without days.
 *
 * @param {Object[]} steps in their order, with `id`, `parent`, `minutes`, `active`, `untimed`
 * @param {{ showArchived?: boolean, profiles?: Object[] }} [options] profiles, each with the `day`
 *      on which its leads enter, stand below the days
 * @returns {{ cards: Object[], heads: Object[], marks: Object[], columns: number }} cards in the
 *      order of reading; heads of the columns with their `day` (null: at no certain time) and how
 *      many cards stand side by side below them; marks of the days on which `profiles` enter. Rows
 *      and columns count from 0; row 0 is that of the days.
 */
export function layOut(steps, { showArchived = false, profiles = [] } = {}) {
    const all = groupByParent(steps);
    const children = groupByParent(steps.filter((step) => isDrawn(step, all, showArchived)));
    const cards = [];
    // the days, and below them who enters
    let rows = profiles.length ? 2 : 1;

    const place = (step, parent, siblings, position) => {
        const minutes = parent ? parent.minutes + step.minutes : step.minutes;
        const timeless = parent ? parent.day === null : step.untimed;
        const day = timeless ? null : Math.floor(minutes / DAY);
        const card = {
            step,
            parent,
            minutes,
            day,
            // among those of the same day
            rank: parent && parent.day === day ? parent.rank + 1 : 0,
            level: parent ? parent.level + 1 : 1,
            position: position + 1,
            siblings: siblings.length,
            row: rows,
            children: [],
        };
        parent?.children.push(card);
        cards.push(card);
        const following = children.get(step.id) || [];
        following.forEach((child, index) => place(child, card, following, index));
        if (!following.length) {
            rows++;
        }
    };
    const first = children.get(false) || [];
    const timed = first.filter((step) => !step.untimed);
    const untimed = first.filter((step) => step.untimed);
    timed.forEach((step, index) => place(step, null, first, index));
    // the days, or else these alone
    const below = timed.length ? rows++ : 0;
    untimed.forEach((step, index) => place(step, null, first, timed.length + index));

    const spans = new Map();
    for (const { day, rank } of cards) {
        spans.set(day, Math.max(spans.get(day) || 0, rank + 1));
    }
    if (timed.length) {
        for (const { day } of profiles) {
            spans.set(day, spans.get(day) || 1);
        }
    }
    const days = [...spans.keys()].filter((day) => day !== null).sort((a, b) => a - b);
    const heads = [];
    let columns = 0;
    for (const day of days) {
        heads.push({ day, row: 0, column: columns, span: spans.get(day) });
        columns += spans.get(day);
    }
    if (untimed.length) {
        heads.push({ day: null, row: below, column: 0, span: spans.get(null) });
        columns = Math.max(columns, spans.get(null));
    }
    const starts = new Map(heads.map(({ day, column }) => [day, column]));
    for (const card of cards) {
        card.column = starts.get(card.day) + card.rank;
    }
    const marks = heads
        .filter(({ day }) => day !== null && profiles.some((profile) => profile.day === day))
        .map(({ day, column, span }) => ({
            ...{ day, row: 1, column, span },
            profiles: profiles.filter((profile) => profile.day === day),
        }));
    return { cards, heads, marks, columns };
}

/**
 * Where the next steps can be hung below: nowhere below itself, and not where it is already.
 *
 * @param {Object[]} steps
 * @param {number} id of the step that moves
 * @returns {(number|false)[]} ids of possible parents; false for the beginning
 */
export function possibleParents(steps, id) {
    const branch = new Set(branchOf(steps, id).map((step) => step.id));
    const moving = steps.find((step) => step.id === id);
    return [
        false,
        ...steps.filter((step) => step.active && !branch.has(step.id)).map((step) => step.id),
    ].filter((parent) => parent !== moving.parent);
}
