import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { DomainField, domainField } from "@web/views/fields/domain/domain_field";
import { splitArchived } from "./archived_clause";

/**
 * Core's domain field, for domains that lost leads are found by: they are archived, so that the
 * domain has to say that archived ones are meant, too. People read that as such, not as a rule that
 * something is set or is not set.
 */
export class NurtureDomainField extends DomainField {
    getDomain(props = this.props) {
        const { asked, asSwitch } = splitArchived(super.getDomain(props));
        return props.isForFacets ? asked : asSwitch;
    }

    async loadFacets(props = this.props) {
        await super.loadFacets({ ...props, isForFacets: true });
        const words = this.getArchivedWords(props);
        if (words) {
            this.state.facets = [...this.state.facets, words];
        }
    }

    /** What is said beside the rules about archived records, if something is. */
    getArchivedWords(props) {
        return splitArchived(super.getDomain(props)).findsArchived && _t("Archived ones, too");
    }
}

export const nurtureDomain = {
    ...domainField,
    component: NurtureDomainField,
    displayName: _t("Domain that may find archived records"),
};
registry.category("fields").add("nurture_domain", nurtureDomain);
