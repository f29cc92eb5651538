from odoo.addons.base.models.ir_model import MODULE_UNINSTALL_FLAG


def uninstall_hook(env):
    """Nobody is left to ask whether a mail in the queue is still wanted: take them all back. The
    mails of built-in templates go with the add-on, those that somebody wrote stay."""
    sequences = env["nurture.sequence"].with_context(
        active_test=False, **{MODULE_UNINSTALL_FLAG: True}
    )
    sequences.search([("state", "=", "running")]).action_stop()
    sequences.search([("is_template", "=", True)])._get_built_in().unlink()
