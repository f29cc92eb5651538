import { condition, connector } from "@web/core/tree_editor/condition_tree";
import { constructDomainFromTree } from "@web/core/tree_editor/construct_domain_from_tree";
import { constructTreeFromDomain } from "@web/core/tree_editor/construct_tree_from_domain";

/** How core's domain editor writes that archived records are found, too: as a switch. */
const AS_SWITCH = condition("active", "in", [true, false]);

/** The values of `active` that a part of a domain lets through; null when it is about something
 * else. */
function valuesOf(tree) {
    if (tree.negate) {
        return null;
    }
    if (tree.type === "connector") {
        const values = tree.value === "|" ? tree.children.map(valuesOf) : [null];
        return values.includes(null) ? null : values.flat();
    }
    if (tree.path !== "active" || !["=", "in"].includes(tree.operator)) {
        return null;
    }
    return [tree.value].flat();
}

/** Whether a part of a domain says nothing but that archived records are found, too. */
function findsArchived(tree) {
    const values = valuesOf(tree);
    return Boolean(values && values.includes(true) && values.includes(false));
}

/**
 * Tell what a domain asks for from the technical part that lets archived records be found.
 *
 * @param {string} domain
 * @returns {{ findsArchived: boolean, asked: string, asSwitch: string }} the domain without that
 *  part, and with it as the domain editor shows it by its switch; a domain without it, and one that
 *  cannot be read, is left as it is
 */
export function splitArchived(domain) {
    const asIs = { findsArchived: false, asked: domain, asSwitch: domain };
    let tree;
    try {
        tree = constructTreeFromDomain(domain);
    } catch {
        return asIs;
    }
    const isAll = tree.type === "connector" && tree.value === "&" && !tree.negate;
    const parts = isAll ? tree.children : [tree];
    const asked = parts.filter((part) => !findsArchived(part));
    if (asked.length === parts.length) {
        return asIs;
    }
    return {
        findsArchived: true,
        asked: constructDomainFromTree(connector("&", asked)),
        asSwitch: constructDomainFromTree(connector("&", [...asked, AS_SWITCH])),
    };
}
