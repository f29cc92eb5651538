"""What the workflow builder draws, and what is done with a step there."""

import gc

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from ...tools.links import without_links
from ...tools.triggers import ROOT, TRIGGERS
from ..common import ANN, NurtureHttpCase, TwoLeadsMixin


@tagged("post_install", "-at_install")
class TestWorkflow(TwoLeadsMixin, NurtureHttpCase):
    def setUp(self):
        super().setUp()
        self.clicked = self.make_step(
            self.sequence, "mail_click", self.first, 2, "weeks", subject="Clicked"
        )
        self.tag = self.env["nurture.step"].create(
            {
                "sequence_id": self.sequence.id,
                "parent_id": self.clicked.id,
                "trigger": "after",
                "step_type": "action",
                "action_kind": "score",
                "name": "Score",
            }
        )

    def workflow(self, user=None):
        self.env.invalidate_all()
        return self.sequence.with_user(user or self.marketer).workflow

    def card(self, step, user=None):
        (card,) = [card for card in self.workflow(user)["steps"] if card["id"] == step.id]
        return card

    # ------------------------------------------------------------
    # CARDS
    # ------------------------------------------------------------

    def test_each_type_offers_the_triggers_of_the_table(self):
        offers = self.workflow()["offers"]
        self.assertEqual(set(offers), {ROOT, *self.first._fields["step_type"].get_values(self.env)})
        for place, offered in offers.items():
            self.assertEqual(
                [offer["value"] for offer in offered],
                [value for value, trigger in TRIGGERS.items() if trigger.offered_by(place)],
                place,
            )

    def test_a_card_says_what_the_step_is(self):
        card = self.card(self.clicked)
        self.assertEqual(card["parent"], self.first.id)
        self.assertEqual(card["name"], "Clicked")
        self.assertEqual(
            (card["type"], card["trigger"], card["kind"]), ("email", "mail_click", "event")
        )
        self.assertEqual(card["icon"], TRIGGERS["mail_click"].icon)
        self.assertEqual((card["minutes"], card["wait"]), (14 * 24 * 60, "after 2 weeks"))
        self.assertFalse(card["filtered"])
        self.clicked.write(
            {"link_url": "https://shop.example.com/*", "filter_domain": "[('id', '>', 0)]"}
        )
        card = self.card(self.clicked)
        self.assertEqual(card["label"], "Clicked (https://shop.example.com/*)")
        self.assertTrue(card["filtered"])

    def test_a_card_says_what_keeps_the_step_from_running(self):
        self.first.mailing_id.body_html = False
        self.assertEqual(len(self.card(self.first)["problems"]), 1)
        self.assertFalse(self.card(self.tag)["problems"])
        self.assertFalse(self.card(self.first, self.salesman)["problems"])

    def test_the_statistics_of_a_card(self):
        self.sequence.action_start()
        self.advance()
        message = self.mail_to(ANN)
        self.read_mail(message)
        card = self.card(self.first)
        self.assertEqual(card["counts"], {"processed": 2})
        self.assertEqual(
            {name: number for name, number in card["mails"].items() if number},
            {"sent": 2, "delivered": 2, "opened": 1, "no_reaction": 1},
        )
        self.assertEqual(card["chart"]["processed"], [0] * 14 + [2])
        self.assertEqual(self.card(self.clicked)["counts"], {"waiting": 2})
        self.assertFalse(self.card(self.tag)["mails"])
        self.advance(days=3)
        self.assertEqual(self.card(self.first)["chart"]["processed"], [0] * 11 + [2, 0, 0, 0])

    def test_a_number_opens_as_many_records(self):
        self.sequence.action_start()
        self.advance()
        self.read_mail(self.mail_to(ANN))
        card = self.card(self.first)
        statistics = {**card["counts"], **card["mails"]}
        for statistic in ("processed", "waiting", "sent", "opened", "bounced"):
            action = self.first.with_user(self.marketer).action_view_statistic(statistic)
            found = self.env[action["res_model"]].search_count(action["domain"])
            self.assertEqual(found, statistics.get(statistic, 0), statistic)
        for nonsense in ("nonsense", None, ["sent"], {"sent": 1}):
            with self.assertRaisesRegex(UserError, r"is none of: Sent \(sent\); "):
                self.first.with_user(self.marketer).action_view_statistic(nonsense)

    def test_who_is_out_and_why(self):
        self.sequence.action_start()
        self.advance()
        self.answer(self.mail_to(ANN))
        (out,) = self.workflow()["exits"]
        self.assertEqual((out["reason"], out["count"]), ("replied", 1))
        action = self.sequence.action_view_exits("replied")
        participants = self.env["nurture.participant"].search(action["domain"])
        self.assertEqual(participants.lead_id, self.ann)

    def test_queries_do_not_grow_with_the_steps(self):
        self.sequence.action_start()
        self.advance()

        def forget():
            self.env.flush_all()
            self.env.invalidate_all()
            # environments keep the user's time zone until nothing refers to them
            gc.collect()

        def count():
            forget()
            before = self.env.cr.sql_log_count
            self.assertTrue(self.sequence.with_user(self.marketer).workflow["steps"])
            return self.env.cr.sql_log_count - before

        count()  # what is read once and kept
        few = count()
        for number in range(20):
            self.make_step(self.sequence, "mail_open", self.first, number, subject=f"More {number}")
        forget()
        with self.assertQueryCount(few):
            self.assertEqual(len(self.sequence.with_user(self.marketer).workflow["steps"]), 23)

    def test_a_salesperson_reads_only_and_counts_own_leads(self):
        self.bob.user_id = self.colleague
        self.sequence.action_start()
        self.advance()
        workflow = self.workflow(self.salesman)
        self.assertFalse(workflow["editable"])
        self.assertFalse(workflow["mails_readable"])
        self.assertEqual(self.card(self.first, self.salesman)["counts"], {"processed": 1})
        self.assertEqual(self.card(self.first)["counts"], {"processed": 2})
        with self.assertRaises(AccessError):
            self.first.with_user(self.salesman).action_duplicate()

    def test_a_sequence_that_is_not_saved_has_no_cards(self):
        workflow = self.env["nurture.sequence"].with_user(self.marketer).new({}).workflow
        self.assertEqual(workflow["steps"], [])
        self.assertTrue(workflow["editable"])
        self.assertTrue(workflow["offers"][ROOT])

    def test_archived_steps_are_named(self):
        self.tag.active = False
        self.assertFalse(self.card(self.tag)["active"])

    # ------------------------------------------------------------
    # ACTIONS
    # ------------------------------------------------------------

    def test_duplicate_one(self):
        copied = self.env["nurture.step"].browse(
            self.clicked.with_user(self.marketer).action_duplicate()
        )
        self.assertEqual(copied.name, "Clicked (copy)")
        self.assertEqual(copied.parent_id, self.first)
        self.assertEqual((copied.trigger, copied.delay), ("mail_click", 2))
        self.assertNotEqual(copied.mailing_id, self.clicked.mailing_id)
        self.assertEqual(copied.mailing_id.body_html, self.clicked.mailing_id.body_html)
        self.assertFalse(copied.child_ids)

    def test_duplicate_with_what_follows_while_it_runs(self):
        self.sequence.action_start()
        self.advance()
        copied = self.env["nurture.step"].browse(
            self.clicked.with_user(self.marketer).action_duplicate(branch=True)
        )
        self.assertEqual(copied.child_ids.mapped("name"), ["Score"])
        self.assertEqual(copied.child_ids.sequence_id, self.sequence)
        self.assertEqual(self.tag.parent_id, self.clicked)
        self.assertTrue(self.sequence.is_edited)

    def test_a_wait_is_in_words(self):
        for number, unit, words in (
            (0, "days", "at once"),
            (1, "hours", "after 1 hour"),
            (1, "months", "after 1 month"),
            (3, "days", "after 3 days"),
        ):
            self.clicked.write({"delay": number, "delay_unit": unit})
            self.assertEqual(self.card(self.clicked)["wait"], words)
            self.assertEqual(self.clicked.when, f"Clicked, {words}")

    def test_steps_change_their_order_among_siblings(self):
        """Also while leads are inside: order changes nothing of what becomes of them."""
        opened = self.make_step(self.sequence, "mail_open", self.first, subject="Opened")
        ignored = self.make_step(self.sequence, "mail_ignored", self.first, 7, subject="Ignored")
        self.sequence.action_start()
        self.advance()

        def order():
            cards = self.workflow()["steps"]
            return [card["id"] for card in cards if card["parent"] == self.first.id]

        self.assertEqual(order(), [self.clicked.id, opened.id, ignored.id])
        ignored.with_user(self.marketer).action_reorder(-1)
        self.assertEqual(order(), [self.clicked.id, ignored.id, opened.id])
        self.clicked.with_user(self.marketer).action_reorder(5)
        self.assertEqual(order(), [ignored.id, opened.id, self.clicked.id])
        ignored.with_user(self.marketer).action_reorder(-1)
        self.assertEqual(order(), [ignored.id, opened.id, self.clicked.id])
        self.assertFalse(self.sequence.is_edited)
        with self.assertRaises(AccessError):
            opened.with_user(self.salesman).action_reorder(1)
        for nonsense in ("up", None, 1.5, [1]):
            with self.assertRaisesRegex(UserError, "is no whole number"):
                opened.with_user(self.marketer).action_reorder(nonsense)
        ignored.active = False
        with self.assertRaisesRegex(UserError, "“Ignored” is archived"):
            ignored.with_user(self.marketer).action_reorder(-1)

    def test_a_step_moves_where_its_trigger_is_possible(self):
        other = self.make_step(self.sequence, "after", self.first, 7, subject="Other")
        self.clicked.with_user(self.marketer).write(
            {"parent_id": other.id, "trigger": "mail_click"}
        )
        self.assertEqual(self.clicked.parent_id, other)
        with self.assertRaises(ValidationError):
            other.write({"parent_id": self.tag.id, "trigger": "after"})
        with self.assertRaises(ValidationError):
            self.clicked.write({"parent_id": False, "trigger": "mail_click"})

    def test_where_somebody_is_or_was_a_step_stays(self):
        self.sequence.action_start()
        self.advance()
        with self.assertRaisesRegex(UserError, "Somebody is or was at the step “Clicked”"):
            self.clicked.with_user(self.marketer).write({"parent_id": False, "trigger": "begin"})

    # ------------------------------------------------------------
    # PREVIEW
    # ------------------------------------------------------------

    def test_preview(self):
        self.bob.contact_name = "Bob Baker"
        self.first.mailing_id.subject = "Back for {{ object.contact_name }}"
        self.env.flush_all()
        before = [
            self.env[model].search_count([])
            for model in ("mail.mail", "mailing.trace", "link.tracker", "nurture.hit")
        ]
        preview = self.first.with_user(self.marketer).get_preview()
        self.assertEqual(preview["subject"], "Back for Bob Baker")
        self.assertEqual(preview["lead"], self.bob.display_name)
        self.assertIn("Hello Bob Baker", preview["html"])
        self.assertIn("See the item", preview["html"])
        self.assertNotIn("href", preview["html"])
        after = [
            self.env[model].search_count([])
            for model in ("mail.mail", "mailing.trace", "link.tracker", "nurture.hit")
        ]
        self.assertEqual(after, before)
        self.assertFalse(self.catcher.messages)

    def test_preview_shows_somebody_who_has_an_address(self):
        self.make_lead(False, contact_name="Nobody", phone="+32 2 555 00 00")
        self.assertNotIn("Nobody", self.first.with_user(self.marketer).get_preview()["html"])

    def test_preview_in_the_language_of_the_lead(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        french = self.env["res.lang"].search([("code", "=", "fr_FR")])
        self.first.translation_ids = [
            (0, 0, {"lang_id": french.id, "mailing_id": self.make_mailing("De retour").id})
        ]
        self.bob.lang_id = french
        preview = self.first.with_user(self.marketer).get_preview()
        self.assertEqual((preview["subject"], preview["language"]), ("De retour", french.name))
        self.assertEqual(self.card(self.first)["languages"], [french.name])

    def test_preview_says_why_there_is_none(self):
        with self.assertRaisesRegex(UserError, "has no message yet"):
            self.tag.with_user(self.marketer).get_preview()

    def test_preview_needs_the_rights(self):
        for user in (self.salesman, self.employee):
            with self.assertRaises(AccessError):
                self.first.with_user(user).get_preview()

    def test_nothing_in_a_preview_leads_anywhere(self):
        page = without_links(
            '<html><head><base href="https://a"/><meta http-equiv="refresh" content="0;url=b"/>'
            "<style>p {}</style><script>x</script></head><body><!--[if mso]><p>m</p><![endif]-->"
            '<a href="https://c" ping="https://d" target="_top">c</a><form action="https://e">'
            '<button formaction="https://f">g</button></form><img src="/h.png"/></body></html>'
        )
        for gone in ("href", "https", "refresh", "<script", "action", "ping", "target"):
            self.assertNotIn(gone, page)
        for kept in ("<style>", "[if mso]", "/h.png", ">c</a>"):
            self.assertIn(kept, page)
