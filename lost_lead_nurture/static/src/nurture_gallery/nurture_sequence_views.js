import { registry } from "@web/core/registry";
import { formView } from "@web/views/form/form_view";
import { FormController } from "@web/views/form/form_controller";
import { listView } from "@web/views/list/list_view";
import { ListController } from "@web/views/list/list_controller";

// New opens the gallery from every view; the kanban has `on_create` for it.

const GALLERY = "lost_lead_nurture.nurture_gallery_action";

export class NurtureSequenceListController extends ListController {
    async createRecord() {
        return this.actionService.doAction(GALLERY, { additionalContext: this.props.context });
    }
}

export class NurtureSequenceFormController extends FormController {
    async create() {
        if ((await this.model.root.isDirty()) && !(await this.model.root.save())) {
            return;
        }
        return this.actionService.doAction(GALLERY);
    }
}

registry.category("views").add("nurture_sequence_list", {
    ...listView,
    Controller: NurtureSequenceListController,
});
registry.category("views").add("nurture_sequence_form", {
    ...formView,
    Controller: NurtureSequenceFormController,
});
