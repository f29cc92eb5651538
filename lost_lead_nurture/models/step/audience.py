from odoo import api, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain

from ...tools.arguments import check_records, read_id
from ...tools.domains import check_domain
from ..sequence.sequence import MANY_LEADS


class NurtureStep(models.Model):
    """Whom the filter of a step lets through, of those whom the step is there for."""

    _inherit = "nurture.step"

    @api.readonly
    def get_filter_audience(self, values=None, with_leads=False):
        """Count the leads that match the step's filter, as far as the user may see them: of those
        that are in the sequence now, or while nobody is of those that the sequence chooses.

        :param values: ``{"sequence_id", "filter_domain"}`` as they are edited and not saved yet,
            for who may edit steps; without a step it counts for a new one
        :param with_leads: whether the leads are wanted, too
        :return: ``{"matching", "total": of how many, "inside": whether these are in the sequence,
            "matching_capped", "total_capped": whether there are more}``, with ``lead_ids`` if
            wanted, those that were lost last coming first; or ``{"error": what is wrong with the
            filter, in words}``
        :raise AccessError: for who may not read the step, its sequence and leads, or gives values
            and may not edit steps
        """
        if self:
            check_records(self, one=True)
        try:
            return self._count_filter_audience(*self._read_filter(values or {}), with_leads)
        except AccessError:
            raise
        except UserError as error:
            return {"error": str(error)}

    def _read_filter(self, values):
        """The sequence, the filter and its author, as they would be with these values."""
        self.browse().check_access("write" if values or not self else "read")
        self.check_access("read")
        step = self.sudo()
        sequence, text, author = self.sequence_id, step.filter_domain, step.filter_author_id
        # who may not change it does not change the question either
        if values and (not self or self.has_access("write")):
            sequence, new_text = self._read_filter_values(values)
            if not self or new_text != (text or "[]"):
                text, author = new_text, self.env.user
                self._check_draft_filter(text)
        sequence.check_access("read")
        return sequence, text, author

    def _read_filter_values(self, values):
        wrong = UserError(self.env._("These are no values of a step."))
        if not isinstance(values, dict):
            raise wrong
        text = values.get("filter_domain", self.filter_domain) or "[]"
        if not isinstance(text, str):
            raise wrong
        sequence = self.sequence_id
        if values.get("sequence_id"):
            sequence = sequence.browse(read_id(self.env, values["sequence_id"])).exists()
        if not sequence:
            raise UserError(self.env._("The step is in no sequence yet."))
        return sequence, text

    def _check_draft_filter(self, text):
        """:raise UserError: in short: it is shown while somebody types"""
        try:
            check_domain(self.env["crm.lead"], text)
        except ValidationError as error:
            raise UserError(self.env._("This filter cannot be used.")) from error

    def _count_filter_audience(self, sequence, text, author, with_leads):
        leads = self.env["crm.lead"].with_context(active_test=False)
        running = Domain([("sequence_id", "=", sequence.id), ("state", "=", "running")])
        participants = self.env["nurture.participant"]
        # that somebody is inside stands on the sequence
        is_inside = bool(participants.sudo().search_count(running, limit=1))
        viewer = sequence._get_viewer()
        try:
            chosen = leads._nurture_choose(text, [author], sequence._get_companies(), viewer)
            if is_inside:
                inside = participants._search(running).subselect("lead_id")
                audience = Domain("id", "in", inside)
            else:
                audience = sequence._get_lead_domain()
        except AccessError as error:
            # the step may be read, what a filter looks at may not
            raise UserError(str(error)) from error
        except ValidationError as error:
            raise UserError(self.env._("This filter cannot be used.")) from error
        matching = leads.search_count(audience & chosen, limit=MANY_LEADS + 1)
        total = leads.search_count(audience, limit=MANY_LEADS + 1)
        result = {
            "matching": min(matching, MANY_LEADS),
            "matching_capped": matching > MANY_LEADS,
            "total": min(total, MANY_LEADS),
            "total_capped": total > MANY_LEADS,
            "inside": is_inside,
        }
        if with_leads:
            found = leads.search(
                audience & chosen, order="date_closed desc, id desc", limit=MANY_LEADS
            )
            result["lead_ids"] = found.ids
        return result
