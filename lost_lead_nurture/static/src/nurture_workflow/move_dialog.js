import { Component, useState } from "@odoo/owl";
import { Dialog } from "@web/core/dialog/dialog";
import { _t } from "@web/core/l10n/translation";

/**
 * Asks where a step goes, and for its trigger where the one it has is not possible.
 *
 * @property {Object} step
 * @property {{ id: number|false, label: string, offers: Object[] }[]} places
 * @property {number|false} [parent] the place already chosen
 */
export class MoveDialog extends Component {
    static template = "lost_lead_nurture.MoveDialog";
    static components = { Dialog };
    static props = {
        step: Object,
        places: Array,
        parent: { optional: true },
        move: Function,
        close: Function,
    };

    setup() {
        const chosen = this.props.places.find((place) => place.id === this.props.parent);
        this.state = useState({ index: 0, trigger: "", busy: false });
        this.choosePlace(chosen ? this.props.places.indexOf(chosen) : 0);
    }

    get title() {
        return _t("Move “%s”", this.props.step.name);
    }

    get place() {
        return this.props.places[this.state.index];
    }

    get keepsTrigger() {
        return this.state.trigger === this.props.step.trigger;
    }

    choosePlace(index) {
        this.state.index = Number(index);
        const { trigger } = this.props.step;
        const isOffered = this.place.offers.some((offer) => offer.value === trigger);
        this.state.trigger = isOffered ? trigger : this.place.offers[0].value;
    }

    async confirm() {
        this.state.busy = true;
        // the server may refuse, and says why in a dialog of its own
        this.props.close();
        await this.props.move(this.place.id, this.state.trigger);
    }
}
