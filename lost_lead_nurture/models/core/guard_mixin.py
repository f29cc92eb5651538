from odoo import api, models
from odoo.exceptions import AccessError, ValidationError

from .choice_mixin import SETTLED_ELSEWHERE


class NurtureGuardMixin(models.AbstractModel):
    """Whose rights count for what people write into sequences: who wrote which filter, who may
    steer a sequence, and which records may be chosen."""

    _name = "nurture.guard.mixin"
    _inherit = ["nurture.choice.mixin"]
    _description = "Nurture: Whose Rights Count"

    #: ``{field that has an author: field with the user who wrote it last}``
    _authors = {}

    def _compute_authors(self):
        """What was there before authors were known is its creator's; from then on they are
        written. A draft has those of what is saved."""
        for record in self:
            creator = record.create_uid if record.id else False
            for author in set(self._authors.values()):
                record[author] = record._origin[author] or creator

    # ------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        filled_in = self._get_filled_in()
        records = super().create([self._with_authors(vals, new=True) for vals in vals_list])
        for record, vals in zip(records, vals_list, strict=True):
            record._check_chosen(record._get_chosen_records({**filled_in, **vals}), {})
        return records

    def write(self, vals):
        before = {record: record._get_chosen_records(vals) for record in self}
        result = super().write(self._with_authors(vals))
        for record, chosen in before.items():
            record._check_chosen(record._get_chosen_records(vals), chosen)
        return result

    @api.model
    def _with_authors(self, vals, new=False):
        """The values with their author. Nobody says who it is: it is who writes them.

        :param new: whether they are those of a new record, with what they do not name
        """
        authors = set(self._authors.values())
        given = {name: vals[name] for name in authors & vals.keys() if self.env.su}
        wrote = {author for name, author in self._authors.items() if new or name in vals}
        vals = {name: value for name, value in vals.items() if name not in authors}
        return {**vals, **dict.fromkeys(wrote, self.env.uid), **given}

    def _is_changed_by(self, vals, names):
        """Whether writing ``vals`` would change one of the fields ``names``."""
        return any(
            name in vals
            and (vals[name] or False) != self._fields[name].convert_to_write(record[name], record)
            for record in self
            for name in names
        )

    def _take_over(self):
        """Have the user answer for what others wrote, as if the user had written it.

        :raise UserError: when it looks at what the user may not see
        """
        self.check_access("write")
        self._check_written()
        authors = set(self._authors.values())
        # nobody but who writes sets these
        self.sudo().write(dict.fromkeys(authors, self.env.uid))

    def _check_written(self):
        """Check with the rights of the user what has an author."""

    # ------------------------------------------------------------
    # WHAT MAY BE CHOSEN
    # ------------------------------------------------------------

    def _get_chosen_records(self, vals):
        """``{field: records}`` of the fields in ``vals`` that name other records."""
        if self.env.su:
            return {}
        record = self.sudo().with_context(active_test=False)
        return {
            name: record[name]
            for name in vals
            if name not in SETTLED_ELSEWHERE
            and (field := self._fields.get(name))
            and field.type in ("many2one", "many2many")
            and field.store
        }

    def _check_chosen(self, chosen, before):
        """Check that the user may see what was chosen, and that it is of the companies of the
        sequence: what was there before stays.

        :raise AccessError: in words
        """
        for name, records in chosen.items():
            added = (records - before.get(name, records.browse())).with_env(self.env)
            if added and not added.has_access("read"):
                raise self._make_choice_error(name)
            self._check_companies_of(name, added.sudo())

    def _check_companies_of(self, name, records):
        """Check that ``records`` are of the companies whose leads it is about, or of none.

        :raise ValidationError: in words
        """
        companies = self._get_own_companies()
        if not companies:
            return
        if records._name in ("product.product", "product.template"):
            # a branch sells the products of its parents, too
            companies = companies.sudo().parent_ids
        for record in records:
            if record._name == "res.users":
                fits = bool(record.company_ids & companies)
            else:
                company = record["company_id"] if "company_id" in record._fields else None
                fits = not company or company in companies
            if not fits:
                raise ValidationError(
                    self.env._(
                        "%(field)s: “%(record)s” belongs to another company.",
                        field=self._fields[name]._description_string(self.env),
                        record=record.display_name,
                    )
                )

    def _get_own_companies(self):
        """The companies whose leads it is about; empty: it does not say."""
        return self.env["res.company"]

    # ------------------------------------------------------------
    # WHO MAY STEER
    # ------------------------------------------------------------

    def _check_access(self, operation):
        """Who steers a sequence works for all companies whose leads it takes; others who see it do
        not change it, nor its steps, nor what else decides about it."""
        result = super()._check_access(operation)
        if result or operation == "read" or not any(self._ids):
            return result
        out_of_reach = self.filtered(lambda record: record._get_unreached_companies())
        if not out_of_reach:
            return None
        return out_of_reach, out_of_reach._make_steering_error

    def _get_unreached_companies(self):
        """The companies whose leads it steers and for which the user does not work. Whether the
        user has chosen to see them just now does not matter."""
        companies = self.env["res.company"].sudo()
        for sequence in self.sudo()._get_steered():
            companies |= sequence._get_companies()
        return companies - self.env.user.sudo().company_ids

    def _get_steered(self):
        """The sequences that it decides about."""
        raise NotImplementedError

    def _make_steering_error(self):
        companies = self.env["res.company"].sudo()
        for record in self:
            companies |= record._get_unreached_companies()
        return AccessError(
            self.env._(
                "It is also about leads of %s, for which you do not work. You may look at it, not "
                "change or run it.",
                ", ".join(companies.mapped("name")),
            )
        )
