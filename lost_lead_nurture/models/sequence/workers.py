from odoo import api, models

#: A further worker is called for every so many batches that are due.
BATCHES_PER_WORKER = 4


class NurtureSequence(models.Model):
    """Workers: several scheduled actions share what is due.

    Odoo runs a scheduled action by one worker at a time, and the engine's batches can be claimed by
    anybody (``nurture.trace._claim``). So there is one action that does everything, and others that
    only help with what is due. They sleep until the first one finds more than it can do alone.
    """

    _inherit = "nurture.sequence"

    def _share_due(self, steps):
        """Process what is due at ``steps``, with as many workers as there is work for. A bridge
        may hand it to workers of another kind.

        Called by the scheduled action.

        :return: whether there was time to process it all
        """
        self._wake_helpers(steps)
        return self.env["nurture.trace"]._process_due(steps)

    @api.model
    def _cron_help(self):
        """A further scheduled action: help with what is due, and come again if time runs out."""
        traces = self.env["nurture.trace"]
        running = self.search([("state", "=", "running")])
        if not traces._process_due(traces._due_steps(running)):
            cron = self.env["ir.cron"].sudo()
            cron.browse(self.env.context.get("cron_id"))._trigger()
            cron._commit_progress()

    @api.model
    def _get_helpers(self, active=True):
        """The further scheduled actions: those at work, or those that could be."""
        helpers = self.env["ir.cron"].sudo().with_context(active_test=active)
        return helpers.search(
            [("model_id.model", "=", self._name), ("code", "=", "model._cron_help()")], order="id"
        )

    @api.model
    def _wake_helpers(self, steps):
        """Call as many helpers as what is due at ``steps`` keeps busy. Commits."""
        helpers = self._get_helpers() if steps else ()
        if not helpers:
            return
        batches = self._count_due_batches(steps, len(helpers) * BATCHES_PER_WORKER)
        for helper in helpers[: batches // BATCHES_PER_WORKER]:
            helper._trigger()
        self.env["ir.cron"]._commit_progress()

    @api.model
    def _count_due_batches(self, steps, limit):
        """How many full batches are due at ``steps``, counted up to ``limit``."""
        batches = 0
        for step in steps:
            size = step._get_batch_size()
            batches += self.env["nurture.trace"]._count_due(step, size * (limit - batches)) // size
            if batches >= limit:
                break
        return batches
