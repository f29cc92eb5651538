import { expect, test } from "@odoo/hoot";
import { animationFrame } from "@odoo/hoot-dom";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import {
    contains,
    defineModels,
    fields,
    makeServerError,
    models,
    mountView,
    onRpc,
} from "@web/../tests/web_test_helpers";

class DryRun extends models.Model {
    _name = "nurture.dry.run";
    state = fields.Char({ default: "counting" });
    coming_count = fields.Integer();
    reckoned_count = fields.Integer();
    _records = [{ id: 1, state: "counting" }];
}
defineMailModels();
defineModels([DryRun]);

test("a dry run that fails says so, and goes on when it is said to", async () => {
    expect.errors(1);
    let isOnline = false;
    onRpc("nurture.dry.run", "action_go_on", function () {
        if (!isOnline) {
            throw makeServerError({ message: "No connection" });
        }
        this.env["nurture.dry.run"].write([1], { state: "done" });
        return true;
    });
    await mountView({
        resModel: "nurture.dry.run",
        type: "form",
        resId: 1,
        arch: `
            <form>
                <field name="state"/>
                <widget name="nurture_dry_run_progress" invisible="state == 'done'"/>
            </form>`,
    });
    await animationFrame();
    expect.verifyErrors(["No connection"]);
    expect(".o_nurture_dry_run_progress").toHaveText(/It could not be finished/);
    isOnline = true;
    await contains(".o_nurture_dry_run_go_on").click();
    await animationFrame();
    expect(".o_nurture_dry_run_progress").toHaveCount(0);
});
