from odoo.fields import Datetime
from odoo.models import Index
from odoo.tests import TransactionCase, tagged
from odoo.tools.sql import make_index_name

from ... import hooks
from ...tools import live_schema

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


@tagged("post_install", "-at_install")
class TestInstall(InstallCase):
    module = "lost_lead_nurture"
    changes = hooks.CHANGES

    def test_columns(self):
        """No row of core's tables is written, nor a table locked for long, by a new field."""
        self.check_columns()

    def test_indexes(self):
        """All indexes of core's tables are made while everybody can write."""
        self.check_indexes()

    def test_references(self):
        """What refers to a table that is written all day is made in a moment of its own."""
        self.check_references()

    def test_nobody_is_scored(self):
        """Leads of before the installation, and those made by SQL, have 0 points."""
        self.env.cr.execute(
            "INSERT INTO crm_lead (name, type, active, create_date) VALUES (%s, %s, true, %s)"
            " RETURNING id",
            ["Old", "lead", Datetime.now()],
        )
        leads = self.env["crm.lead"].browse(self.env.cr.fetchone())
        leads += leads.create({"name": "New"})
        self.assertEqual(leads.mapped("nurture_score"), [0, 0])
        self.assertEqual(
            leads.search([("nurture_score", "=", 0), ("id", "in", leads.ids)], order="id"), leads
        )
