"""A filter finds what its author may see, whoever runs it; who looks on sees no more than that.

The attacks ask for something that they may not see by yes and no, as often as it takes.
"""

from ast import literal_eval

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command, Domain
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from ..common import ANN, NurtureCase, NurtureHttpCase
from ..filters import SECRET, FilterMixin

ENTRY_LOGGER = "odoo.addons.lost_lead_nurture.models.sequence.entry"


@tagged("post_install", "-at_install")
class TestFilterRights(FilterMixin, NurtureHttpCase):
    # ------------------------------------------------------------
    # WHAT IS NOT SAID
    # ------------------------------------------------------------

    def test_the_attack_would_work(self):
        """With all rights twelve questions are enough."""
        leads = self.env["crm.lead"].with_context(active_test=False)
        self.assertEqual(
            self.read_bits(lambda number: leads.search_count(literal_eval(self.nosy(number)))),
            SECRET,
        )

    def test_explain(self):
        def ask(number):
            self.mine.domain = self.nosy(number)
            return self.is_ok(self.mine.explain(self.ann.id), "unmatched")

        self.assertEqual(self.read_bits(ask), 1, "each answer is no")

    def test_explain_parts(self):
        """What it is that does not hold tells no more."""

        def ask(number):
            self.mine.domain = self.nosy(number)
            conditions = self.mine.explain(self.ann.id)["conditions"]
            (parts,) = [one["parts"] for one in conditions if one["reason"] == "unmatched"]
            return not parts

        self.assertEqual(self.read_bits(ask), 1, "each time it is the same rule")

    def test_parts_for_an_author_who_sees_less(self):
        """A lead that its author may not see is chosen by no rule: that is said, not which."""
        self.env["ir.rule"].create(
            {
                "name": "Not Ann",
                "model_id": self.env["ir.model"]._get_id("crm.lead"),
                "domain_force": repr([("id", "!=", self.ann.id)]),
            }
        )
        text = repr([("partner_id.country_id.code", "=", "BE")])
        bob = self.make_lead("bob@recipient.example.com")
        found = (self.ann | bob)._nurture_find_failing(text, [self.marketer], self.company)
        words = {leads: leads._nurture_describe_part(part) for part, leads in found}
        self.assertEqual(set(words), {self.ann, bob})
        self.assertEqual(words[self.ann], "Who wrote the filter may not see this lead")
        self.assertIn("= BE", words[bob])

    def test_rules_on_what_the_user_may_not_see(self):
        """Are not described."""
        part = Domain(
            "nurture_participant_ids.sequence_id.excluded_preset_ids.name", "ilike", "Secret"
        )
        leads = self.env["crm.lead"].with_user(self.salesman)
        self.assertNotIn("Secret", leads._nurture_describe_part(part))
        self.assertIn("Secret", self.env["crm.lead"]._nurture_describe_part(part))

    def test_dry_run(self):
        def ask(number):
            self.mine.domain = self.nosy(number)
            action = self.mine.action_dry_run()
            return self.env["nurture.dry.run"].browse(action["res_id"]).entering_count

        self.assertEqual(self.read_bits(ask), 1)

    def test_audience(self):
        """Of a sequence, of one that is not saved yet, with whatever values."""
        new = self.env["nurture.sequence"].with_user(self.marketer)

        def ask(number):
            values = {"domain": self.nosy(number), "company_id": self.company.id}
            return sum(one.get_audience(values)["matching"] for one in (new, self.mine))

        self.assertEqual(self.read_bits(ask), 1)

    def test_entry(self):
        self.mine.domain = self.nosy(0)
        self.mine.action_start()
        self.run_cron()
        self.assertFalse(self.participant(self.ann))
        self.assertFalse(self.sequence.last_error)

    def test_entry_run_by_others(self):
        """Whoever runs it: the author's rights count."""
        both = self.make_marketer(self.company | self.other)
        self.mine.domain = self.nosy(0)
        self.mine.action_start()
        self.sequence.with_user(both).action_advance()
        self.assertFalse(self.participant(self.ann))
        for user in (both, self.env.user):
            explanation = self.sequence.with_user(user).explain(self.ann.id)
            self.assertFalse(self.is_ok(explanation, "unmatched"))

    def test_looked_at_by_less(self):
        """An author who sees more chooses; who sees less learns nothing by the numbers."""
        both = self.make_marketer(self.company | self.other)
        self.sequence.write({"company_id": False, "user_id": both.id})
        self.sequence.with_user(both).domain = self.nosy(0)
        theirs = self.sequence.with_user(both)
        self.assertTrue(self.is_ok(theirs.explain(self.ann.id), "unmatched"))
        self.assertEqual(theirs.get_audience()["matching"], 1)
        self.assertFalse(self.is_ok(self.mine.explain(self.ann.id), "unmatched"))
        self.assertEqual(self.mine.get_audience()["matching"], 0)
        action = self.mine.action_view_matching_leads()
        leads = self.env["crm.lead"].with_user(self.marketer).with_context(**action["context"])
        self.assertFalse(leads.search(action["domain"]))
        self.sequence.with_user(both).action_start()
        self.run_cron()
        self.assertTrue(self.participant(self.ann))

    def test_step(self):
        """When it is due, and in the forecast."""

        def ask(number):
            self.step.with_user(self.marketer).filter_domain = self.nosy(number)
            action = self.mine.action_dry_run()
            return self.env["nurture.dry.run"].browse(action["res_id"]).message_count

        self.assertEqual(self.read_bits(ask), 1)
        self.step.with_user(self.marketer).filter_domain = self.nosy(0)
        self.mine.action_start()
        self.advance()
        self.assertEqual(self.trace(self.ann, self.step).reason, "filtered")
        self.assertFalse(self.mails_to(ANN))

    def test_preset(self):
        """One that is left out, and the number on it."""
        presets = self.env["nurture.preset"].with_user(self.marketer)
        preset = presets.create({"name": "Nosy"})
        self.mine.excluded_preset_ids = preset

        def ask(number):
            preset.extra_domain = self.nosy(number)
            said = not self.is_ok(self.mine.explain(self.ann.id), "suppressed")
            return said or preset.matching_count

        self.assertEqual(self.read_bits(ask), 1)

    def test_preset_of_who_sees_more(self):
        """Who leaves it out has a say, too."""
        both = self.make_marketer(self.company | self.other)
        preset = self.env["nurture.preset"].with_user(both).create({"name": "Shared"})
        preset.extra_domain = self.nosy(0)
        self.mine.excluded_preset_ids = preset.with_user(self.marketer)
        self.mine.action_start()
        self.run_cron()
        self.assertTrue(self.participant(self.ann))

    def test_test_and_update(self):
        self.mine.domain = self.nosy(0)
        self.mine.action_test()
        test = self.env["nurture.test"].with_user(self.marketer).search([], limit=1)
        test.lead_id = self.ann
        self.assertIn("Does not match", test.exclusion_reason or "")
        self.mine.domain = repr([("id", "=", self.ann.id)])
        self.mine.action_start()
        self.run_cron()
        self.mine.domain = self.nosy(0)
        update = self.env["nurture.update"].with_user(self.marketer)
        self.assertEqual(update.create({"sequence_id": self.sequence.id}).unmatched_count, 1)

    def test_lost_dialog(self):
        """A salesperson who loses a lead is offered no answer either."""
        lead = self.make_lead("new@recipient.example.com", lost=False, partner_id=self.customer.id)
        deal = [("company_id", "=", self.other.id)]
        self.mine.domain = repr(
            [
                ("lost_reason_id", "in", self.reason_stock.ids),
                ("partner_id.opportunity_ids", "any", deal),
            ]
        )
        self.mine.action_start()
        wizard = self.env["crm.lead.lost"].with_user(self.salesman)
        wizard = wizard.new({"lead_ids": lead.ids, "lost_reason_id": self.reason_stock.id})
        self.assertFalse(wizard.nurture_automatic or wizard.nurture_offer_id)

    def test_messages_of_others(self):
        """What core lets somebody search is searched as core does, not with all rights."""
        secret = "The margin is high"
        self.deal.message_post(body=secret)
        walk = [("partner_id.opportunity_ids.message_ids.body", "ilike", "margin")]
        self.mine.domain = repr([("id", "=", self.ann.id), *walk])
        self.assertFalse(self.is_ok(self.mine.explain(self.ann.id), "unmatched"))

    def test_date_for_some(self):
        """That a lead enters on a date tells the date."""
        field = self.env["ir.model.fields"]._get("crm.lead", "date_closed")
        self.sequence.write({"entry": "date", "entry_field_id": field.id})
        self.patch(self.env["crm.lead"]._fields["date_closed"], "groups", "base.group_system")
        with self.assertRaisesRegex(UserError, "not for everybody's eyes"):
            self.mine.explain(self.ann.id)
        with self.assertRaisesRegex(ValidationError, "not for everybody's eyes"):
            self.mine.write({"entry_field_id": field.id})

    # ------------------------------------------------------------
    # WHAT STILL WORKS
    # ------------------------------------------------------------

    def test_beyond_the_lead(self):
        """Filters on contact, tags and stage, of marketers with no other right, at all places."""
        tag = self.env["crm.tag"].create({"name": "Important"})
        self.ann.tag_ids = tag
        lead = self.make_lead("new@recipient.example.com", lost=False, partner_id=self.customer.id)
        lead.tag_ids = tag
        words = "A word"
        for one in self.ann, lead:
            one.message_post(body=words)
        for condition in (
            ("partner_id.country_id.code", "=", "BE"),
            ("tag_ids.name", "=", "Important"),
            ("stage_id.name", "=", self.ann.stage_id.name),
            ("tag_ids", "in", tag.ids),
            ("partner_id", "ilike", "ann"),
            ("lost_reason_id.name", "=", self.reason_stock.name),
            ("message_ids.body", "ilike", "a word"),
        ):
            with self.subTest(condition):
                self.check_everywhere([condition], lead)

    def check_everywhere(self, domain, lead):
        text = repr([("lost_reason_id", "in", self.reason_stock.ids), *domain])
        sequence = self.make_sequence(exclude_open_deals=False, exit_on_open_deal=False)
        sequence = sequence.with_user(self.marketer)
        step = self.make_step(sequence.sudo()).with_user(self.marketer)
        sequence.domain = step.filter_domain = text
        self.assertEqual(sequence.get_audience()["matching"], 1)
        draft = {"domain": text, "company_id": self.company.id, "exclude_open_deals": False}
        self.assertEqual(sequence.browse().get_audience(draft)["entering"], 1)
        preset = self.env["nurture.preset"].with_user(self.marketer)
        preset = preset.create({"name": "Same", "extra_domain": text})
        self.assertEqual(preset.matching_count, 1)
        self.assertTrue(self.is_ok(sequence.explain(self.ann.id), "unmatched"))
        dry_run = self.env["nurture.dry.run"].browse(sequence.action_dry_run()["res_id"])
        self.assertEqual((dry_run.entering_count, dry_run.message_count), (1, 1))
        action = sequence.action_view_matching_leads()
        leads = self.env["crm.lead"].with_user(self.marketer).with_context(**action["context"])
        self.assertEqual(leads.search(action["domain"]), self.ann)
        sequence.excluded_preset_ids = preset
        self.assertFalse(self.is_ok(sequence.explain(self.ann.id), "suppressed"))
        sequence.excluded_preset_ids = False
        sequence.action_start()
        wizards = self.env["crm.lead.lost"].with_user(self.salesman)
        wizard = Form(wizards.with_context(default_lead_ids=lead.ids))
        wizard.lost_reason_id = self.reason_stock
        self.assertTrue(wizard.nurture_automatic)
        self.run_cron()
        journey = self.env["nurture.participant"].search([("sequence_id", "=", sequence.id)])
        self.assertEqual(journey.lead_id, self.ann)
        self.assertEqual(self.trace(self.ann, step).state, "processed")
        sequence.action_stop()

    def test_queries_do_not_grow(self):
        """Leads enter, and steps are decided, in as many queries however many leads there are."""
        text = repr([("partner_id.country_id.code", "=", "BE")])
        self.mine.domain = self.step.with_user(self.marketer).filter_domain = text

        def count():
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            entered = self.sequence.sudo()._enrol()
            self.step._get_matching(self.env["crm.lead"].browse(entered))
            return self.env.cr.sql_log_count - before

        def more(number):
            for index in range(number):
                self.make_lead(
                    f"{index}.{number}@recipient.example.com", partner_id=self.customer.id
                )
            self.env.flush_all()

        count()
        more(2)
        few = count()
        more(30)
        self.assertEqual(count(), few)

    # ------------------------------------------------------------
    # AUTHORS
    # ------------------------------------------------------------

    def test_authors_are_not_said(self):
        """Whoever writes is the author, whatever the values, the context or the import say."""
        admin = self.env.ref("base.user_admin").id
        authors = ("domain_author_id", "exclusion_author_id")
        forged = dict.fromkeys(authors, admin)
        made = self.rpc(
            self.marketer,
            "nurture.sequence",
            "create",
            {
                "name": "Forged",
                **forged,
                "step_ids": [Command.create({"name": "Step", "filter_author_id": admin})],
            },
        )
        sequence = self.env["nurture.sequence"].browse(made if isinstance(made, int) else made[0])
        preset = self.env["nurture.preset"].with_user(self.marketer)
        preset = preset.create({"name": "Forged", "author_id": admin})
        by_context = (
            self.env["nurture.sequence"]
            .with_user(self.marketer)
            .with_context(**{f"default_{name}": admin for name in authors})
            .create({"name": "Default"})
        )
        sequence.with_user(self.marketer).write({"domain": "[]", **forged})
        sequence.step_ids.with_user(self.marketer).write({"filter_author_id": admin})
        loaded = (
            self.env["nurture.sequence"]
            .with_user(self.marketer)
            .load(["name", "domain_author_id/.id"], [["Loaded", str(admin)]])
        )
        theirs = self.make_sequence(domain=self.nosy(0))
        self.make_step(theirs)
        self.assertEqual(theirs.domain_author_id, self.env.user)
        copied = theirs.with_user(self.marketer).copy({"domain_author_id": admin})
        for one in (
            sequence | by_context | copied | sequence.browse(loaded["ids"] or []),
            sequence.step_ids | copied.step_ids,
            preset,
        ):
            for author in set(one._authors.values()):
                self.assertEqual(one.sudo().mapped(author), self.marketer, author)

    def test_author_changes_with_the_filter(self):
        both = self.make_marketer(self.company | self.other)
        self.mine.domain = self.nosy(0)
        self.mine.with_user(both).name = "Renamed"
        self.assertEqual(self.sequence.domain_author_id, self.marketer)
        preset = self.env["nurture.preset"].create({"name": "Preset"})
        self.mine.with_user(both).preset_id = preset
        self.assertEqual(self.sequence.domain_author_id, both)
        template = self.env.ref("lost_lead_nurture.template_restock")
        self.assertTrue(template.domain_author_id._is_superuser())
        made = template.with_user(self.marketer)._create_from_template({"name": "Mine"})
        self.assertEqual(made.domain_author_id, self.marketer)
        self.assertEqual(made.step_ids.filter_author_id, self.marketer)

    def test_author_of_before(self):
        """Where nobody knows yet who wrote a filter it is who made the sequence."""
        self.sequence.flush_recordset()
        self.env.cr.execute(
            "UPDATE nurture_sequence SET create_uid = %s, domain_author_id = NULL WHERE id = %s",
            (self.marketer.id, self.sequence.id),
        )
        self.sequence.invalidate_recordset()
        # as core does when a column is new
        self.env.add_to_compute(self.sequence._fields["domain_author_id"], self.sequence)
        self.assertEqual(self.sequence.domain_author_id, self.marketer)

    def test_author_in_a_draft(self):
        """What was not changed in a form is still its author's, not whose the sequence is; where
        the author is gone it is nobody's."""
        self.mine.domain = repr([("partner_id.country_id.code", "=", "BE")])
        draft = self.sequence.new({"name": "Renamed"}, origin=self.sequence)
        self.assertEqual(draft.domain_author_id, self.marketer)
        self.sequence.sudo().domain_author_id = False
        self.env.invalidate_all()
        draft = self.sequence.new({"name": "Renamed"}, origin=self.sequence)
        self.assertFalse(draft.domain_author_id)

    def lose_author(self):
        """Make another marketer write the filters of the running sequence."""
        author = new_test_user(self.env, "nurture_gone", "lost_lead_nurture.group_user")
        text = repr([("partner_id.country_id.code", "=", "BE")])
        self.sequence.with_user(author).domain = text
        self.step.with_user(author).filter_domain = text
        self.mine.action_start()
        return author

    def warnings(self):
        return self.sequence.activity_ids.filtered(lambda one: one.user_id == self.marketer)

    def test_author_is_gone(self):
        """Nobody enters, the sequence says why, and the responsible is notified, once."""
        for lose in (
            lambda author: author.write({"active": False}),
            lambda author: author.write(
                {"group_ids": [Command.unlink(self.env.ref("lost_lead_nurture.group_user").id)]}
            ),
            lambda author: author.write(
                {"company_id": self.other.id, "company_ids": [Command.set(self.other.ids)]}
            ),
        ):
            with self.subTest(lose), self.rollback():
                author = self.lose_author()
                lose(author)
                with mute_logger(ENTRY_LOGGER):
                    for _run in range(3):
                        self.run_cron()
                self.assertFalse(self.participant(self.ann))
                self.assertIn(author.name, self.sequence.last_error)
                self.assertEqual(len(self.warnings()), 1)
                self.assertIn(author.name, self.mine.rights_problem)
                self.mine.action_take_over()
                self.assertFalse(self.mine.rights_problem)
                self.run_cron()
                self.assertFalse(self.sequence.last_error)
                self.assertTrue(self.participant(self.ann))

    def rollback(self):
        return Rollback(self.env)

    def test_author_of_a_step_is_gone(self):
        author = self.lose_author()
        self.step.delay = 1
        for number in range(4):
            self.make_lead(f"{number}@recipient.example.com", partner_id=self.customer.id)
        self.run_cron()
        author.active = False
        with mute_logger(ENTRY_LOGGER):
            self.advance(days=1)
        traces = self.env["nurture.trace"].search([("step_id", "=", self.step.id)])
        self.assertEqual(set(traces.mapped("state")), {"error"})
        self.assertIn("is not there any more", traces[0].detail)
        summaries = self.warnings().mapped("summary")
        self.assertEqual(summaries.count("The filter of “First” cannot be used"), 1)
        self.assertFalse(self.mails_to(ANN))
        self.mine.action_take_over()
        traces.with_user(self.marketer).action_retry()
        self.advance()
        self.assertEqual(set(traces.mapped("state")), {"processed"})

    def test_author_of_a_plain_filter_is_gone(self):
        """What stands on the leads is for every marketer: such sequences outlive their authors."""
        author = self.lose_author()
        self.sequence.with_user(author).domain = repr([("expected_revenue", ">", 1)])
        self.step.with_user(author).filter_domain = "[]"
        author.active = False
        self.run_cron()
        self.assertTrue(self.participant(self.ann))

    def test_taking_over(self):
        """Nobody answers for what they may not see."""
        self.sequence.domain = repr([("order_ids.amount_total", ">", 1)])
        with self.assertRaisesRegex(ValidationError, "cannot be used"):
            self.mine.action_take_over()
        with self.assertRaises(AccessError):
            self.sequence.with_user(self.salesman).action_take_over()

    def test_filter_of_the_administrator(self):
        """Marketers without rights in Sales see that they may not see it, not what is found."""
        self.sequence.domain = repr([("order_ids.amount_total", ">", -1)])
        with self.assertRaisesRegex(AccessError, "what you may not see"):
            self.mine.explain(self.ann.id)
        self.assertIn("what you may not see", self.mine.get_audience()["error"])


@tagged("post_install", "-at_install")
class TestSteering(FilterMixin, NurtureCase):
    """Who may steer a sequence is who reaches all its companies."""

    def setUp(self):
        super().setUp()
        self.both = self.make_marketer(self.company | self.other)
        self.sequence.write({"company_id": False, "user_id": self.both.id})
        self.translation = self.env["nurture.step.translation"].create(
            {
                "step_id": self.step.id,
                "lang_id": self.env.ref("base.lang_en").id,
                "mailing_id": self.make_mailing("Translated").id,
            }
        )

    def test_read_only(self):
        self.step.delay = 1
        self.sequence.with_user(self.both).action_start()
        self.run_cron()
        journey = self.participant(self.ann).with_user(self.marketer)
        self.assertEqual(self.mine.name, "Restock")
        self.assertTrue(self.mine.explain(self.ann.id)["journeys"])
        env = self.env(user=self.marketer)
        step = self.step.with_user(self.marketer)
        mailing = self.make_mailing("More")
        preset = env["nurture.preset"].create({"name": "Mine"})
        attempts = {
            "write": lambda: self.mine.write({"domain": "[]"}),
            "responsible": lambda: self.mine.write({"user_id": self.marketer.id}),
            "company": lambda: self.mine.write({"company_id": self.company.id}),
            "archive": self.mine.action_archive,
            "unlink": self.mine.unlink,
            "start": self.mine.action_start,
            "stop": self.mine.action_stop,
            "advance": self.mine.action_advance,
            "dry run": self.mine.action_dry_run,
            "test": self.mine.action_test,
            "take over": self.mine.action_take_over,
            "exclusion": lambda: self.mine.write({"excluded_preset_ids": preset.ids}),
            "step": lambda: step.write({"filter_domain": "[('id', '=', 1)]"}),
            "no step": step.unlink,
            "new step": lambda: env["nurture.step"].create(
                {"sequence_id": self.sequence.id, "mailing_id": mailing.id}
            ),
            "blacklist step": lambda: self.mine.write(
                {"step_ids": [Command.create({"step_type": "action", "action_kind": "blacklist"})]}
            ),
            "duplicate": step.action_duplicate,
            "reorder": lambda: step.action_reorder(1),
            "language": lambda: self.translation.with_user(self.marketer).unlink(),
            "update": lambda: (
                env["nurture.update"].create({"sequence_id": self.sequence.id}).action_update()
            ),
            "resume": lambda: (
                env["nurture.resume"].create({"sequence_id": self.sequence.id}).action_resume()
            ),
            "remove": journey.action_remove,
            "forget": journey.action_forget,
            "run now": journey.action_run_now,
            "retry": journey.trace_ids.action_retry,
            "cancel": journey.trace_ids.action_cancel,
        }
        for name, attempt in attempts.items():
            with (
                self.subTest(name),
                self.assertRaisesRegex(AccessError, "leads of Other Company, for which"),
                self.env.cr.savepoint(),
            ):
                attempt()
        self.sequence.with_user(self.both).name = "Theirs"

    def test_companies_shown_do_not_matter(self):
        """Who works for both may steer it with one of them switched off, too."""
        theirs = self.sequence.with_user(self.both)
        theirs.with_context(allowed_company_ids=self.company.ids).name = "Renamed"
        forged = self.mine.with_context(allowed_company_ids=(self.company | self.other).ids)
        with self.assertRaises(AccessError):
            forged.name = "Forged"

    def test_step_into_another_sequence(self):
        own = self.make_sequence(name="Own")
        step = self.make_step(own).with_user(self.marketer)
        with self.assertRaisesRegex(AccessError, "Other Company"), self.env.cr.savepoint():
            step.sequence_id = self.sequence
        line = self.translation.copy({"step_id": step.id, "lang_id": self.translation.lang_id.id})
        with self.assertRaisesRegex(AccessError, "Other Company"):
            line.with_user(self.marketer).step_id = self.step

    def test_shared_preset(self):
        """A preset that a sequence leaves out steers it."""
        preset = self.env["nurture.preset"].create({"name": "Shared"}).with_user(self.marketer)
        preset.name = "Still free"
        self.sequence.excluded_preset_ids = preset.sudo()
        for attempt in (
            lambda: preset.write({"extra_domain": "[('id', '>', 0)]"}),
            preset.action_archive,
            preset.unlink,
        ):
            with self.assertRaisesRegex(AccessError, "Other Company"), self.env.cr.savepoint():
                attempt()
        preset.with_user(self.both).name = "Theirs"

    def test_form(self):
        """What is edited in vain is not counted: the numbers are those of what is saved."""
        values = {"domain": "[('id', '=', 0)]", "company_id": False, "user_id": self.both.id}
        self.assertEqual(self.mine.get_audience(values)["matching"], 1)
        self.assertFalse(self.mine.workflow["editable"])
        self.assertTrue(self.sequence.with_user(self.both).workflow["editable"])


@tagged("post_install", "-at_install")
class TestForeignRecords(FilterMixin, NurtureCase):
    """What somebody may not see cannot be chosen, nor read by choosing it."""

    def setUp(self):
        super().setUp()
        self.foreign = self.env["nurture.preset"].create(
            {
                "name": "Theirs",
                "company_id": self.other.id,
                "extra_domain": "[('name', '=', 'secret name')]",
            }
        )

    def test_preset(self):
        for name, value in (
            ("preset_id", self.foreign.id),
            ("excluded_preset_ids", [[6, 0, self.foreign.ids]]),
            ("excluded_preset_ids", [[4, self.foreign.id]]),
        ):
            for method, args in (
                ("create", [{"name": "New", name: value}]),
                ("write", [self.sequence.ids, {name: value}]),
                ("web_save", [self.sequence.ids, {name: value}, {"domain": {}}]),
                ("copy", [self.sequence.ids, {name: value}]),
            ):
                with (
                    self.subTest(name=name, method=method),
                    self.assertRaises(AccessError),
                    self.env.cr.savepoint(),
                ):
                    self.rpc(self.marketer, "nurture.sequence", method, *args)

    def test_preset_in_a_form(self):
        """Nothing has to be saved to be read."""
        for ids in ([], self.sequence.ids):
            values = {"preset_id": self.foreign.id}
            spec = {"preset_id": {"fields": {}}, "domain": {}}
            args = (ids, values, ["preset_id"], spec)
            with self.subTest(ids), self.assertRaises(AccessError), self.env.cr.savepoint():
                self.rpc(self.marketer, "nurture.sequence", "onchange", *args)

    def test_teams_and_people(self):
        team = self.env["crm.team"].create({"name": "Theirs", "company_id": self.other.id})
        stranger = new_test_user(
            self.env,
            "nurture_far",
            "sales_team.group_sale_salesman",
            company_id=self.other.id,
            company_ids=self.other.ids,
        )
        for name, value in (("goal_team_id", team.id), ("goal_user_id", stranger.id)):
            with self.subTest(name), self.assertRaises(UserError), self.env.cr.savepoint():
                self.mine.write({name: value})
        step = self.step.with_user(self.marketer)
        for name, value in (("team_id", team.id), ("salesperson_id", stranger.id)):
            with self.subTest(name), self.assertRaises(UserError), self.env.cr.savepoint():
                step.write({name: value})
        both = self.make_marketer(self.company | self.other)
        with self.assertRaisesRegex(ValidationError, "“Theirs” belongs to another company"):
            self.sequence.with_user(both).goal_team_id = team

    def test_company_of_a_preset(self):
        preset = self.env["nurture.preset"].with_user(self.marketer).create({"name": "Mine"})
        with self.assertRaisesRegex(ValidationError, "do not work for Other Company"):
            preset.company_id = self.other

    def test_what_is_there_stays(self):
        """Adding one of one's own does not ask for what somebody else has chosen."""
        self.foreign.extra_domain = "[]"
        self.sequence.excluded_preset_ids = self.foreign
        own = self.env["nurture.preset"].with_user(self.marketer).create({"name": "Mine"})
        self.mine.write({"excluded_preset_ids": [Command.link(own.id)]})
        self.assertEqual(self.sequence.excluded_preset_ids, self.foreign | own)

    def test_foreign_test(self):
        """The dialogs of a foreign sequence tell nothing before they are saved either."""
        foreign = self.make_sequence(company_id=self.other.id, name="Theirs")
        for lead, sequence in ((self.ann, foreign), (self.deal, self.sequence)):
            values = {"lead_id": lead.id, "sequence_id": sequence.id}
            for model in ("nurture.test", "nurture.explain", "nurture.enrol", "nurture.start"):
                fields = self.env[model].with_user(self.marketer).fields_get()
                known = {name: value for name, value in values.items() if name in fields}
                said = [
                    n for n in ("exclusion_reason", "problems", "conditions", "gets") if n in fields
                ]
                if "lead_id" not in fields and lead == self.deal:
                    continue
                spec = {name: {} for name in [*known, *said]}
                with self.subTest(model=model, sequence=sequence.name):
                    try:
                        with self.env.cr.savepoint():
                            args = ([], known, list(known), spec)
                            result = self.rpc(self.marketer, model, "onchange", *args)["value"]
                    except AccessError:
                        continue
                    self.assertFalse([result.get(name) for name in said if result.get(name)])

    def test_leads_of_others_in_the_lost_dialog(self):
        """Which sequence would fit is not said of leads of others."""
        stranger = self.make_marketer(self.other)
        self.sequence.write({"company_id": False, "user_id": stranger.id})
        self.sequence.domain = repr(
            [("lost_reason_id", "in", self.reason_stock.ids), ("expected_revenue", ">", 10)]
        )
        self.sequence.action_start()
        sequences = self.env["nurture.sequence"].with_user(stranger)
        with self.assertRaises(AccessError):
            sequences._get_fitting(self.ann.with_user(stranger), self.reason_stock)


class Rollback:
    """What is done inside is undone."""

    def __init__(self, env):
        self.env = env

    def __enter__(self):
        self.savepoint = self.env.cr.savepoint()
        self.savepoint.__enter__()

    def __exit__(self, kind, error, traceback):
        self.savepoint.rollback()
        self.savepoint.__exit__(None, None, None)
        self.env.invalidate_all(flush=False)
        self.env.registry.clear_cache()
