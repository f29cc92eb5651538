from odoo import api, fields, models
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL

#: How many processes may end at one trace before it is taken for the reason.
MAX_CRASHES = 2


class NurtureBatch(models.Model):
    """Traces that a process has begun to execute.

    It is committed before they are executed and deleted by the transaction that executes them. So
    one that is there and that nobody holds was left behind by a process that was ended in the
    middle of it: cut off by a time limit, out of memory, or for a reason that is not ours. Its
    traces may end the next process, too. They are quarantined until all else is done, and then done
    in smaller and smaller batches, until one that ends the process stands alone and is marked.
    """

    _name = "nurture.batch"
    _description = "Nurture Batch"
    _order = "id"
    _log_access = False

    step_id = fields.Many2one(
        "nurture.step", required=True, readonly=True, index=True, ondelete="cascade"
    )
    trace_ids = fields.Json(required=True, readonly=True, help="Ids of the traces.")
    crashes = fields.Integer(
        readonly=True, help="How many processes have ended while they did these."
    )
    quarantined = fields.Boolean(readonly=True, help="Not begun: waits until all else is done.")

    @api.model
    def _begin(self, traces, crashes):
        """Note that ``traces`` of one step are about to be executed. To be committed."""
        return self.sudo().create(
            {"step_id": traces.step_id.id, "trace_ids": traces.ids, "crashes": crashes}
        )

    def _end(self):
        """They are executed by this transaction, or not at all."""
        # by SQL: somebody may have taken it over already
        self.env.execute_query(
            SQL("DELETE FROM nurture_batch WHERE id IN %s RETURNING id", tuple(self.ids))
        )
        self.env["nurture.batch"].invalidate_model(flush=False)

    @api.model
    def _sql_not_quarantined(self, trace_id):
        """Condition on the id of a trace."""
        self.flush_model()
        return SQL(
            "%s NOT IN (SELECT jsonb_array_elements_text(trace_ids)::int FROM nurture_batch"
            " WHERE quarantined)",
            trace_id,
        )

    @api.model
    def _take_over(self):
        """Quarantine what ended processes have left behind, in halves. Commits."""
        for left in self.sudo().search([("quarantined", "=", False)]):
            if not (batch := self._lock([("id", "=", left.id)], limit=1)):
                continue
            crashes = batch.crashes + 1
            ids = batch.trace_ids
            if len(ids) == 1 and crashes >= MAX_CRASHES:
                batch._mark(crashes)
            else:
                half = len(ids) // 2
                self.sudo().create(
                    [
                        {
                            "step_id": batch.step_id.id,
                            "trace_ids": part,
                            "crashes": crashes,
                            "quarantined": True,
                        }
                        for part in (ids[:half], ids[half:])
                        if part
                    ]
                )
            batch._end()
            # work was done: core does not count this run as one that led to nothing
            self.env["ir.cron"]._commit_progress(1)

    @api.model
    def _lock(self, domain, limit):
        """Lock batches that nobody holds."""
        try:
            return self.sudo().search(domain, limit=limit).try_lock_for_update()
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            # somebody has just taken one: the next run finds what is left
            self.env.cr.rollback()
            return self.browse()

    def _mark(self, crashes):
        """The process ends whenever this trace is executed."""
        trace = self.env["nurture.trace"].browse(self.trace_ids)._claim_again()
        trace._set_state(
            "error",
            "interrupted",
            self.env._(
                "The server process was ended %(count)s times in a row while it did this step, the "
                "last time with this lead alone. Either it takes longer than a scheduled action "
                "may, or more memory than there is. The log of the server says which.",
                count=crashes,
            ),
        )

    @api.model
    def _run_quarantined(self, sequences):
        """Execute what was quarantined, now that all else is done. Commits.

        :return: whether there was time for it all
        """
        domain = [("quarantined", "=", True), ("step_id.sequence_id", "in", sequences.ids)]
        for batch in self.sudo().search(domain):
            if not (locked := self._lock([("id", "=", batch.id)], limit=1)):
                continue
            ids, crashes = locked.trace_ids, locked.crashes
            locked._end()
            if not self.env["nurture.trace"]._claim_due(ids)._run_batch(crashes=crashes):
                return False
        return True
