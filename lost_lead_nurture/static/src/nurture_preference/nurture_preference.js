import { registry } from "@web/core/registry";
import { Interaction } from "@web/public/interaction";

/** On the page to unsubscribe, whoever sets a number, a day or a topic means the choice that it
 *  belongs to: without this it would stay at what was chosen before, to unsubscribe from all. */
export class NurturePreference extends Interaction {
    static selector = ".o_nurture_preference";
    dynamicContent = {
        "[name=number], [name=until], [name=topic]": { "t-on-input": this.choose },
    };

    choose(ev) {
        const choices = [...this.el.querySelectorAll("[name=choice]")];
        choices.find((choice) => choice.parentElement.contains(ev.currentTarget)).checked = true;
    }
}

registry.category("public.interactions").add("lost_lead_nurture.preference", NurturePreference);
