"""What is done to the tables of core while people work."""

from odoo.models import Index
from odoo.tests import TransactionCase
from odoo.tools.sql import make_index_name

from ..tools import live_schema

#: Tables of core that somebody writes at any moment.
BUSY = (
    *("crm_lead", "mailing_trace", "mailing_mailing", "mail_mail", "mail_message"),
    *("mail_activity", "sale_order", "res_partner", "calendar_event", "account_move"),
    *("link_tracker", "link_tracker_click", "sms_sms", "sms_tracker"),
)


class InstallCase(TransactionCase):
    """What an add-on does to the tables of core is done before its installation, which locks what
    it touches until it is complete, and is undone when somebody else has written the same rows."""

    module = None
    changes = ()

    def of_kind(self, kind):
        return [change for change in self.changes if isinstance(change, kind)]

    def is_ours(self, model):
        return model._original_module == self.module

    def models_of_core(self):
        for model in self.env.values():
            if model._auto and not model._abstract and "nurture" not in model._original_module:
                yield model

    def new_fields(self, model):
        """The fields that the module adds to a model of core."""
        for field in model._fields.values():
            if set(field._modules) == {self.module} and field.store and field.column_type:
                yield field

    def check_columns(self):
        prepared = {
            (column.table, column.name): column for column in self.of_kind(live_schema.Column)
        }
        for model in self.models_of_core():
            for field in self.new_fields(model):
                with self.subTest(model=model._name, field=field.name):
                    key = (model._table, field.name)
                    self.assertIn(key, prepared, "add it to CHANGES in hooks.py")
                    column = prepared.pop(key)
                    self.assertEqual(column.type, field.column_type[1].lower())
                    if field.default:
                        self.assertEqual(column.default, field.default(model))
                    if field.type == "many2one":
                        self.assertEqual(column.target, self.env[field.comodel_name]._table)
        self.assertFalse(prepared, "there are no such fields")

    def check_indexes(self):
        prepared = {index.name: index for index in self.of_kind(live_schema.Index)}
        for model in self.models_of_core():
            names = {
                table_object.full_name(model): table_object.get_definition(model.pool)
                for table_object in model._table_objects.values()
                if table_object._module == self.module and isinstance(table_object, Index)
            }
            names |= {
                make_index_name(model._table, field.name): None
                for field in self.new_fields(model)
                if field.index
            }
            for name, comment in names.items():
                with self.subTest(index=name):
                    self.assertIn(name, prepared, "add it to CHANGES in hooks.py")
                    index = prepared.pop(name)
                    self.assertEqual((index.table, index.comment), (model._table, comment))
        self.assertFalse(prepared, "there are no such indexes")

    def check_references(self):
        prepared = {
            (change.table, change.target)
            for change in self.of_kind((live_schema.Reference, live_schema.Relation))
        }
        for model in self.env.values():
            if model._abstract or not model._auto or not self.is_ours(model):
                continue
            for field in model._fields.values():
                if field.type not in ("many2one", "many2many") or not field.store:
                    continue
                target = self.env[field.comodel_name]._table
                table = field.relation if field.type == "many2many" else model._table
                if target in BUSY:
                    with self.subTest(model=model._name, field=field.name):
                        self.assertIn((table, target), prepared, "add it to CHANGES in hooks.py")
