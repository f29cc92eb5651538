"""What leads were lost for is marked as possible again: who waits for it enters, once."""

from datetime import timedelta

from psycopg2.errors import CheckViolation

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from ..common import ANN, BOB, NurtureCase, NurtureHttpCase


class CureMixin:
    """A running sequence whose leads wait, and two leads of which one has a tag."""

    def setUp(self):
        super().setUp()
        self.sequence = self.make_sequence(entry="cure", domain="[]")
        self.first = self.make_step(self.sequence, subject="First")
        self.skill = self.env["crm.tag"].create({"name": "Welding"})
        self.ann = self.make_lead(ANN, tag_ids=[Command.link(self.skill.id)])
        self.bob = self.make_lead(BOB, self.reason_price)
        self.sequence.action_start()
        self.advance(hours=1)

    def mark(self, record, user=None, **values):
        """Press Possible Again on a tag, product or lost reason, and save."""
        action = record.with_user(user or self.marketer).action_nurture_possible()
        cures = self.env["nurture.cure"].with_user(user or self.marketer)
        with Form(cures.with_context(**action["context"]), action["views"][0][0]) as form:
            for name, value in {"note": "Eva can do it", **values}.items():
                form[name] = value
        self.env.flush_all()
        return form.record

    def quote(self, lead, *products, **values):
        return self.env["sale.order"].create(
            {
                "partner_id": self.env["res.partner"].create({"name": "Ann"}).id,
                "opportunity_id": lead.id,
                "date_order": self.clock,
                "order_line": [
                    Command.create({"product_id": product.id, "price_unit": 10.0})
                    for product in products
                ],
                **values,
            }
        )


@tagged("post_install", "-at_install")
class TestCure(CureMixin, NurtureCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.desk, cls.lamp = cls.env["product.product"].create(
            [{"name": "Desk (test)"}, {"name": "Lamp (test)"}]
        )

    def test_tag(self):
        """Nobody enters before; then who has the tag and was lost before, and it says why."""
        self.assertFalse(self.entered())
        self.assertIs(self.ann.nurture_woken_by, False)
        self.mark(self.skill)
        later = self.make_lead("later@recipient.example.com", tag_ids=[self.skill.id])
        later.date_closed = self.clock + timedelta(minutes=1)
        self.advance(minutes=5)
        self.assertEqual(self.entered(), self.ann)
        text = self.ann.with_user(self.salesman).nurture_woken_by
        self.assertEqual(text, "Possible again: Welding, since Mar 2, 2026: Eva can do it")
        journey = self.participant(self.ann).with_user(self.salesman)
        self.assertEqual(
            journey._get_decisions()[0][3],
            "possible again: Welding, since Mar 2, 2026: Eva can do it",
        )
        why = journey.get_timeline()["entries"][0]["why"]
        self.assertIn("possible again: Welding, since Mar 2, 2026: Eva can do it", why)

    def test_lost_reason(self):
        cure = self.mark(self.reason_price)
        self.assertEqual((cure.lead_count, cure.woken_count), (1, 0))
        self.advance(minutes=5)
        self.assertEqual(self.entered(), self.bob)
        self.env.invalidate_all()
        self.assertEqual(cure.woken_count, 1)
        action = cure.action_view_woken()
        self.assertEqual(
            self.env["nurture.participant"].search(action["domain"]), self.participant(self.bob)
        )

    def test_product(self):
        """That of the last quotation that was not ordered."""
        self.quote(self.ann, self.desk, date_order=self.clock - timedelta(days=9))
        self.quote(self.ann, self.lamp)
        self.quote(self.bob, self.desk, self.lamp)
        cure = self.mark(self.desk)
        self.assertEqual(cure.lead_count, 1)
        leads = self.env["crm.lead"].with_user(self.marketer)
        self.assertEqual(leads.search(cure.action_view_leads()["domain"]), self.bob)
        self.advance(minutes=5)
        self.assertEqual(self.entered(), self.bob)

    def test_product_ordered_after_all(self):
        self.quote(self.ann, self.desk, state="sale")
        self.mark(self.desk)
        self.advance(minutes=5)
        self.assertFalse(self.entered())

    def test_variants(self):
        """A product with several asks for which."""
        self.assertEqual(
            self.desk.product_tmpl_id.action_nurture_possible()["context"]["default_product_id"],
            self.desk.id,
        )
        colours = self.env["product.attribute"].create(
            {
                "name": "Colour (test)",
                "value_ids": [Command.create({"name": "Red"}), Command.create({"name": "Blue"})],
            }
        )
        line = {"attribute_id": colours.id, "value_ids": [Command.set(colours.value_ids.ids)]}
        chair = self.env["product.template"].create(
            {"name": "Chair (test)", "attribute_line_ids": [Command.create(line)]}
        )
        action = chair.action_nurture_possible()
        self.assertFalse(action["context"]["default_product_id"])

    def test_once_for_each_mark(self):
        """Who may enter again does so when something else is possible."""
        self.sequence.write({"reentry": "days", "reentry_days": 1})
        self.mark(self.skill)
        self.advance(minutes=5)
        self.participant(self.ann).action_remove()
        self.advance(days=3)
        self.advance(days=3)
        self.assertEqual(len(self.participant(self.ann)), 1)
        second = self.mark(self.reason_stock)
        self.advance(minutes=5)
        self.assertEqual(len(self.participant(self.ann)), 2)
        self.assertEqual(self.participant(self.ann).cure_id[0], second)

    def test_once_for_each_address(self):
        """Another lead of the same person is no other person."""
        self.make_lead(ANN, tag_ids=[Command.link(self.skill.id)])
        self.sequence.write({"reentry": "days", "reentry_days": 1})
        self.clock += timedelta(minutes=1)
        self.mark(self.skill)
        self.advance(minutes=5)
        self.sequence.participant_ids.action_remove()
        self.advance(days=3)
        self.advance(days=3)
        self.assertEqual(len(self.sequence.participant_ids), 1)

    def test_undone(self):
        """Archived or deleted in time it lets nobody enter."""
        self.mark(self.skill).active = False
        self.mark(self.reason_price).unlink()
        self.advance(minutes=5)
        self.assertFalse(self.entered())

    def test_what_has_let_somebody_enter(self):
        """It stays what it was, and can be archived: then nobody else enters."""
        cure = self.mark(self.skill)
        self.advance(minutes=5)
        with self.assertRaisesRegex(UserError, "Archive it"), self.env.cr.savepoint():
            cure.unlink()
        for values in (
            {"tag_id": False, "lost_reason_id": self.reason_price.id},
            {"date": self.clock + timedelta(days=1)},
        ):
            with self.assertRaisesRegex(UserError, "Archive it"), self.env.cr.savepoint():
                cure.write(values)
        cure.write({"note": "Eva has left", "tag_id": self.skill.id})
        cure.active = False
        self.bob.tag_ids = self.skill
        self.advance(hours=2)
        self.assertEqual(self.entered(), self.ann)

    def test_in_future(self):
        """It wakes the scheduled action when its day has come."""
        with self.capture_triggers(self.cron.id) as triggers:
            self.mark(self.skill, date=self.clock + timedelta(days=2))
        self.assertEqual(triggers.records.call_at, self.clock + timedelta(days=2))
        self.advance(days=1)
        self.assertFalse(self.entered())
        self.advance(days=1)
        self.assertEqual(self.entered(), self.ann)

    def test_why(self):
        """Why?, audience and dry run say that a lead waits."""
        self.assertEqual(self.reasons_against(self.ann), ["not_possible"])
        audience = self.sequence.with_user(self.marketer).get_audience()
        self.assertEqual(
            audience["excluded"],
            [{"reason": "not_possible", "label": "Waits for what was missing", "count": 2}],
        )
        dry_run = self.env["nurture.dry.run"].browse(
            self.sequence.with_user(self.marketer).action_dry_run()["res_id"]
        )
        self.assertIn("not_possible", dry_run.line_ids.mapped("reason"))
        self.mark(self.skill)
        self.assertEqual(self.reasons_against(self.ann), [])
        self.assertEqual(self.sequence.with_user(self.marketer).get_audience()["entering"], 1)

    def test_by_hand(self):
        """Who is added by hand need not wait."""
        self.assertEqual(self.sequence.enrol(self.bob.ids)["entered"], self.bob.ids)
        self.assertFalse(self.participant(self.bob).cure_id)

    def test_other_company(self):
        other = self.env["res.company"].create({"name": "Other Company"})
        self.env["nurture.cure"].create(
            {"tag_id": self.skill.id, "note": "There", "company_id": other.id}
        )
        self.advance(minutes=5)
        self.assertFalse(self.entered())

    def test_one_cause(self):
        none = {"note": "What?"}
        both = {**none, "tag_id": self.skill.id, "lost_reason_id": self.reason_price.id}
        for values in (none, both):
            with (
                self.assertRaises(CheckViolation),
                mute_logger("odoo.sql_db"),
                self.env.cr.savepoint(),
            ):
                self.env["nurture.cure"].create(values)

    @mute_logger("odoo.models", "odoo.addons.base.models.ir_rule")
    def test_who_marks(self):
        """Marketers and sales managers, for their companies; salespeople see it."""
        manager = new_test_user(self.env, "nurture_manager", "sales_team.group_sale_manager")
        cure = self.mark(self.skill, manager)
        self.assertEqual(cure.create_uid, manager)
        self.assertEqual(cure.with_user(self.salesman).display_name, "Welding, since Mar 2, 2026")
        other = self.env["res.company"].create({"name": "Other Company"})
        stranger = self.make_marketer(other)
        for user, values in (
            (self.salesman, {}),
            (self.employee, {}),
            (self.marketer, {"company_id": other.id}),
            (stranger, {"company_id": self.company.id}),
        ):
            cures = self.env["nurture.cure"].with_user(user)
            with self.assertRaises(UserError), self.env.cr.savepoint():
                cures.create({"tag_id": self.skill.id, "note": "Mine", **values})
        for user in (self.salesman, self.employee, stranger):
            for forbidden in (
                lambda user=user: cure.with_user(user).write({"active": False}),
                lambda user=user: cure.with_user(user).unlink(),
            ):
                with self.assertRaises(AccessError), self.env.cr.savepoint():
                    forbidden()
        with self.assertRaises(AccessError):
            self.skill.with_user(self.salesman).action_nurture_possible()

    def test_queries(self):
        """Twenty leads enter by as many queries as two."""

        def wake(number, reason):
            for n in range(number):
                self.make_lead(f"{reason.id}.{n}@recipient.example.com", reason)
            self.clock += timedelta(minutes=1)
            self.mark(reason)
            self.env.flush_all()
            before = self.cr.sql_log_count
            entered = self.sequence._enrol()
            self.assertEqual(len(entered), number)
            self.env.flush_all()
            return self.cr.sql_log_count - before

        reasons = self.env["crm.lost.reason"].create([{"name": f"Reason {n}"} for n in range(3)])
        wake(2, reasons[0])  # caches
        self.assertEqual(wake(2, reasons[1]), wake(20, reasons[2]))

    def test_lost_dialog(self):
        """Who loses a lead reads what would bring it back, and that a sequence waits for it."""
        self.reason_price.nurture_cure_note = "Ask what it would have been worth"
        self.sequence.domain = repr([("lost_reason_id", "=", self.reason_price.id)])
        lead = self.make_lead("open@recipient.example.com", lost=False)
        wizards = self.env["crm.lead.lost"].with_user(self.salesman)
        with Form(wizards.with_context(default_lead_ids=lead.ids)) as form:
            form.lost_reason_id = self.reason_price
            self.assertEqual(form.nurture_cure_note, "Ask what it would have been worth")
            self.assertIn("takes over once what is missing now", form.nurture_automatic)
        form.record.action_lost_reason_apply()
        self.assertEqual(
            lead.with_user(self.salesman).nurture_cure_note, "Ask what it would have been worth"
        )

    def test_gallery(self):
        """Templates made for what would cure a reason come first."""
        self.reason_price.nurture_cure = "price"
        context = self.reason_price.with_user(self.marketer).action_nurture()["context"]
        self.assertEqual(context["nurture_cures"], ["price"])
        groups = self.env["nurture.sequence"].with_user(self.marketer).get_gallery()["groups"]
        cures = {card["id"]: card["cure"] for group in groups for card in group["templates"]}
        template = self.env.ref("lost_lead_nurture.template_price")
        self.assertEqual(cures[template.id], "price")
        self.assertEqual(self.env.ref("crm.lost_reason_2").nurture_cure, "skill")


@tagged("post_install", "-at_install")
class TestCureMail(CureMixin, NurtureHttpCase):
    def test_mail(self):
        """From the button to the mail in the mailbox."""
        self.assertFalse(self.mails_to(ANN))
        self.mark(self.skill)
        self.advance(minutes=5)
        self.mail_to(ANN, "First")
        self.assertFalse(self.mails_to(BOB))
