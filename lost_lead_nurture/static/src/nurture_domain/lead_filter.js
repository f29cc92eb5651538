import { DomainSelector } from "@web/core/domain_selector/domain_selector";
import { DomainSelectorDialog } from "@web/core/domain_selector_dialog/domain_selector_dialog";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { KeepLast } from "@web/core/utils/concurrency";
import { NurtureDomainField, nurtureDomain } from "./domain_field";

/** Rules on lost leads. Archived ones are always among these: there is no switch for it. */
class LeadFilterSelector extends DomainSelector {
    async onPropsUpdated() {
        // core takes the part of the domain out of the rules whose switch it shows
        await super.onPropsUpdated(...arguments);
        this.showArchivedCheckbox = false;
    }
}

class LeadFilterDialog extends DomainSelectorDialog {
    static components = { ...DomainSelectorDialog.components, DomainSelector: LeadFilterSelector };

    get dialogTitle() {
        return _t("Which leads?");
    }
}

/**
 * A filter that chooses among the lost leads of a sequence or preset. How many these are is not
 * what the domain finds in the whole CRM: the form says it elsewhere, see NurtureAudience.
 */
export class LeadFilter extends NurtureDomainField {
    static template = "lost_lead_nurture.LeadFilter";
    static components = { ...NurtureDomainField.components, DomainSelector: LeadFilterSelector };

    setup() {
        this.keepLast = new KeepLast();
        super.setup();
        const addDialog = this.addDialog;
        this.addDialog = (dialog, ...params) =>
            addDialog(dialog === DomainSelectorDialog ? LeadFilterDialog : dialog, ...params);
    }

    getArchivedWords() {
        return false;
    }

    async checkProps(props = this.props) {
        const isValid = await this.keepLast.add(this.quickValidityCheck(props));
        this.updateState({ isValid });
    }

    /** Why the filter cannot be used, in words. */
    get problem() {
        return this.state.isValid === false && _t("This filter cannot be used.");
    }

    /** How many leads match, in words. */
    get countLabel() {
        return false;
    }
}

export const leadFilter = {
    ...nurtureDomain,
    component: LeadFilter,
    displayName: _t("Filter on lost leads"),
};
registry.category("fields").add("nurture_lead_filter", leadFilter);
