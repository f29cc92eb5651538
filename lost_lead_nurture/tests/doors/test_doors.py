"""What can be called and written from outside, by RPC and with any context, and by whom."""

import inspect

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.service.model import call_kw
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ..common import ANN, NurtureHttpCase, TwoLeadsMixin

#: Who passes: whoever the lists of access rights and record rules let, as everywhere in Odoo.
ORM = "orm"
#: Who may change the sequence.
CHANGES = "changes"
#: Who may read the record.
READS = "reads"
#: Marketers, whose the records are that they may read.
MARKETERS = "marketers"
#: Nothing is said or done but where to look, and there the user's own rights count.
OPENS = "opens"
#: Our part of a method of core, which asks for core's rights.
CORE = "core"
#: A dialog: only who has made it, and what it does asks for rights of its own.
DIALOG = "dialog"

#: Methods of every model, which ask for access rights and record rules themselves.
ORM_METHODS = {
    *("copy", "copy_data", "create", "default_get", "name_search", "unlink"),
    *("web_search_read", "write"),
}
#: Every other method that can be called from outside: (model, method): (who passes, arguments). A
#: new one needs a decision, and a line here.
DOORS = {
    ("crm.lead", "action_nurture_let_in"): (MARKETERS,),
    ("crm.lead", "action_export_nurture_consent"): (READS,),
    ("crm.lead", "action_view_nurture_consent"): (READS,),
    ("crm.lead", "get_nurture_consent_history"): (READS,),
    ("crm.lead", "nurture_note_basis"): (READS, "consent", "A call"),
    ("crm.lead", "action_nurture_keep_reason"): (READS,),
    ("crm.lead", "action_nurture_preference"): (OPENS,),
    ("crm.lead", "action_nurture_remove"): (CHANGES,),
    ("crm.lead", "action_set_won"): (CORE,),
    ("crm.lead", "mail_allowed_qweb_expressions"): (CORE,),
    ("crm.lead", "action_view_nurture"): (OPENS,),
    ("crm.lead.lost", "action_lost_reason_apply"): (DIALOG,),
    ("crm.lead", "action_view_nurture_results"): (OPENS,),
    ("crm.lost.reason", "action_nurture"): (OPENS,),
    ("crm.lost.reason", "action_nurture_invoices"): (OPENS,),
    ("crm.lost.reason", "action_nurture_lost"): (OPENS,),
    ("crm.lost.reason", "action_nurture_possible"): (OPENS,),
    ("crm.lost.reason", "action_nurture_sequences"): (OPENS,),
    ("crm.lost.reason", "action_nurture_won_back"): (OPENS,),
    ("crm.lost.reason", "action_view_nurture_results"): (OPENS,),
    ("crm.lost.reason", "get_nurture_preset"): (ORM,),
    ("crm.tag", "action_nurture_possible"): (OPENS,),
    ("link.tracker", "action_view_nurture_clicks"): (OPENS,),
    ("nurture.profile", "action_view_entered"): (OPENS,),
    ("nurture.dry.run.profile", "action_view_leads"): (DIALOG,),
    ("link.tracker", "search_or_create"): (CORE,),
    ("link.tracker.click", "add_click"): (CORE,),
    ("mail.mail", "send"): (CORE,),
    ("ir.mail_server", "send_email"): (CORE,),
    ("mailing.mailing", "action_fetch_favorites"): (CORE,),
    ("mailing.mailing", "action_launch"): (CORE,),
    ("mailing.mailing", "action_nurture_add_opt_out"): (ORM,),
    ("mailing.mailing", "action_nurture_release"): (ORM,),
    ("mailing.mailing", "action_put_in_queue"): (CORE,),
    ("mailing.mailing", "action_redirect_to_invoiced"): (OPENS,),
    ("mailing.mailing", "action_redirect_to_leads_and_opportunities"): (OPENS,),
    ("mailing.mailing", "action_redirect_to_quotations"): (OPENS,),
    ("mailing.mailing", "action_retry_failed"): (CORE,),
    ("mailing.mailing", "action_schedule"): (CORE,),
    ("mailing.mailing", "action_select_as_winner"): (CORE,),
    ("mailing.mailing", "action_send_mail"): (CORE,),
    ("mailing.mailing", "action_send_winner_mailing"): (CORE,),
    ("mailing.mailing", "action_view_link_trackers"): (CORE,),
    ("mailing.mailing", "action_view_nurture_clicks"): (ORM,),
    ("mailing.mailing", "action_view_nurture_link"): (OPENS,),
    ("mailing.mailing", "action_view_nurture_mails"): (OPENS,),
    ("mailing.mailing", "get_nurture_clicks"): (ORM,),
    ("mailing.mailing.schedule.date", "action_schedule_date"): (CORE,),
    ("mailing.trace", "set_bounced"): (CHANGES,),
    ("mailing.trace", "set_canceled"): (CHANGES,),
    ("mailing.trace", "set_clicked"): (CHANGES,),
    ("mailing.trace", "set_failed"): (CHANGES,),
    ("mailing.trace", "set_opened"): (CHANGES,),
    ("mailing.trace", "set_replied"): (CHANGES,),
    ("mailing.trace", "set_sent"): (CHANGES,),
    ("nurture.coming", "action_view_traces"): (OPENS,),
    ("nurture.consent.mixin", "action_export_nurture_consent"): (ORM,),
    ("nurture.consent.mixin", "action_view_nurture_consent"): (ORM,),
    ("nurture.consent.mixin", "get_nurture_consent_history"): (ORM,),
    ("nurture.consent.mixin", "nurture_note_basis"): (ORM,),
    ("res.partner", "action_export_nurture_consent"): (ORM,),
    ("res.partner", "action_view_nurture_consent"): (ORM,),
    ("res.partner", "get_nurture_consent_history"): (ORM,),
    ("res.partner", "nurture_note_basis"): (ORM,),
    ("nurture.consent.history", "action_export"): (DIALOG,),
    ("nurture.consent.history", "action_note"): (DIALOG,),
    ("nurture.consent.note", "action_note"): (DIALOG,),
    ("privacy.lookup.wizard.line", "action_unlink"): (CORE,),
    ("product.product", "action_nurture_possible"): (OPENS,),
    ("product.template", "action_nurture_possible"): (OPENS,),
    ("nurture.comparison.line", "action_view_participants"): (DIALOG,),
    ("nurture.contradiction", "action_keep"): (ORM,),
    ("nurture.contradiction", "action_view_lead"): (OPENS,),
    ("nurture.cure", "action_view_leads"): (OPENS,),
    ("nurture.cure", "action_view_woken"): (OPENS,),
    ("nurture.cure.mixin", "action_nurture_possible"): (OPENS,),
    ("nurture.dry.run", "action_go_on"): (DIALOG,),
    ("nurture.dry.run", "action_view_entering"): (DIALOG,),
    ("nurture.dry.run", "action_view_held_out"): (DIALOG,),
    ("nurture.dry.run", "action_view_inside"): (DIALOG,),
    ("nurture.dry.run", "action_view_excluded"): (DIALOG,),
    ("nurture.dry.run", "action_view_customers"): (DIALOG,),
    ("nurture.dry.run", "action_view_sends"): (DIALOG,),
    ("nurture.dry.run.customer", "action_explain"): (DIALOG,),
    ("nurture.dry.run.line", "action_view_leads"): (DIALOG,),
    ("nurture.enrol", "action_enrol"): (DIALOG,),
    ("nurture.let.in", "action_let_in"): (DIALOG,),
    ("nurture.locked", "action_new_sequence"): (OPENS,),
    ("nurture.locked", "action_view_leads"): (OPENS,),
    ("nurture.locked", "action_view_unaddressed"): (OPENS,),
    ("nurture.locked", "action_view_unlocked"): (OPENS,),
    ("nurture.participant", "action_forget"): (CHANGES,),
    ("nurture.participant", "action_remove"): (CHANGES,),
    ("nurture.participant", "action_retry"): (CHANGES,),
    ("nurture.participant", "action_run_now"): (CHANGES,),
    ("nurture.participant", "action_view_lead"): (READS,),
    ("nurture.participant", "button_retry"): (CHANGES,),
    ("nurture.participant", "button_run_now"): (CHANGES,),
    ("nurture.participant", "get_timeline"): (READS,),
    ("nurture.preference.choose", "action_note"): (DIALOG,),
    ("nurture.preset", "action_new_mailing"): (OPENS,),
    ("nurture.preset", "action_new_sequence"): (OPENS,),
    ("nurture.preset", "action_view_leads"): (OPENS,),
    ("nurture.preset", "action_view_nurture_results"): (OPENS,),
    ("nurture.results.mixin", "action_view_nurture_results"): (OPENS,),
    ("nurture.step", "action_view_nurture_results"): (OPENS,),
    ("mailing.mailing", "action_view_nurture_results"): (OPENS,),
    ("res.partner", "action_view_nurture_results"): (OPENS,),
    ("nurture.sequence", "action_test_sender"): (CHANGES,),
    ("nurture.provider", "action_release"): (CHANGES,),
    ("nurture.reach", "action_confirm"): (DIALOG,),
    ("nurture.reach", "action_view_leads"): (DIALOG,),
    ("nurture.replay", "action_go_on"): (DIALOG,),
    ("nurture.replay", "get_result"): (DIALOG,),
    ("nurture.replay", "action_view_entered"): (DIALOG,),
    ("nurture.replay", "action_view_backlog"): (DIALOG,),
    ("nurture.replay", "action_view_held_out"): (DIALOG,),
    ("nurture.replay", "action_view_mails"): (DIALOG,),
    ("nurture.replay", "action_view_sms"): (DIALOG,),
    ("nurture.replay", "action_view_unsent"): (DIALOG,),
    ("nurture.replay", "action_view_collisions"): (DIALOG,),
    ("nurture.replay", "action_view_busiest"): (DIALOG,),
    ("nurture.replay", "action_view_lost"): (DIALOG,),
    ("nurture.replay", "action_view_back"): (DIALOG,),
    ("nurture.replay", "action_view_won"): (DIALOG,),
    ("nurture.replay.choose", "action_replay"): (DIALOG,),
    ("nurture.replay.lead.mixin", "action_view_lead"): (DIALOG,),
    ("nurture.replay.entry", "action_view_lead"): (DIALOG,),
    ("nurture.replay.message", "action_view_lead"): (DIALOG,),
    ("nurture.replay.collision", "action_view_lead"): (DIALOG,),
    ("nurture.replay.period", "action_view_entered"): (DIALOG,),
    ("nurture.replay.period", "action_view_mails"): (DIALOG,),
    ("nurture.replay.period", "action_view_sms"): (DIALOG,),
    ("nurture.replay.period", "action_view_unsent"): (DIALOG,),
    ("nurture.replay.period", "action_view_collisions"): (DIALOG,),
    ("nurture.report", "action_open"): (OPENS,),
    ("nurture.report", "get_cohorts"): (ORM,),
    ("nurture.report", "get_count_date"): (ORM,),
    ("nurture.report", "get_funnel"): (ORM,),
    ("nurture.report", "get_hours"): (ORM,),
    ("nurture.resume", "action_resume"): (DIALOG,),
    ("nurture.resume", "action_view_overdue"): (DIALOG,),
    ("nurture.sequence", "action_advance"): (CHANGES,),
    ("nurture.sequence", "action_count_statistics"): (READS,),
    ("nurture.sequence", "action_dry_run"): (CHANGES,),
    ("nurture.sequence", "action_export_results"): (READS,),
    ("nurture.sequence", "action_print_results"): (READS,),
    ("nurture.sequence", "action_replay"): (CHANGES,),
    ("nurture.sequence", "action_resume"): (OPENS,),
    ("nurture.sequence", "action_retry_all"): (CHANGES,),
    ("nurture.sequence", "action_save_as_template"): (OPENS,),
    ("nurture.sequence", "action_start"): (CHANGES,),
    ("nurture.sequence", "action_stop"): (CHANGES,),
    ("nurture.sequence", "action_take_over"): (CHANGES,),
    ("nurture.sequence", "action_test"): (OPENS,),
    ("nurture.sequence", "action_update"): (OPENS,),
    ("nurture.sequence", "action_view_amount"): (READS,),
    ("nurture.sequence", "action_view_analysis"): (OPENS,),
    ("nurture.sequence", "action_view_audience"): (OPENS,),
    ("nurture.sequence", "action_view_calendar"): (OPENS,),
    ("nurture.sequence", "action_view_coming"): (OPENS,),
    ("nurture.sequence", "action_view_dashboard"): (MARKETERS, "sent"),
    ("nurture.sequence", "action_view_deals"): (READS,),
    ("nurture.sequence", "action_view_ended"): (OPENS,),
    ("nurture.sequence", "action_view_exits"): (OPENS,),
    ("nurture.sequence", "action_view_failed"): (OPENS,),
    ("nurture.sequence", "action_view_holdouts"): (OPENS,),
    ("nurture.sequence", "action_view_holdouts_back"): (OPENS,),
    ("nurture.sequence", "action_view_invoices"): (READS,),
    ("nurture.sequence", "action_view_leads"): (OPENS,),
    ("nurture.sequence", "action_view_links"): (OPENS,),
    ("nurture.sequence", "action_view_mails"): (OPENS,),
    ("nurture.sequence", "action_view_matching_leads"): (OPENS,),
    ("nurture.sequence", "action_view_participants"): (OPENS,),
    ("nurture.sequence", "action_view_quotations"): (READS,),
    ("nurture.sequence", "action_view_running"): (OPENS,),
    ("nurture.sequence", "action_view_waits"): (OPENS,),
    ("nurture.sequence", "action_view_auth_failures"): (OPENS,),
    ("nurture.sequence", "button_advance"): (CHANGES,),
    ("nurture.sequence", "button_retry_all"): (CHANGES,),
    ("nurture.sequence", "button_start"): (CHANGES,),
    ("nurture.sequence", "enrol"): (READS, []),
    ("nurture.sequence", "explain"): (READS, 0),
    ("nurture.sequence", "explain_customer"): (READS, 0),
    ("nurture.sequence", "export_results"): (READS,),
    ("nurture.sequence", "get_audience"): (READS,),
    ("nurture.sequence", "get_lift"): (READS,),
    ("nurture.sequence", "get_dashboard"): (ORM,),
    ("nurture.sequence", "get_gallery"): (ORM,),
    ("nurture.sequence", "get_template_mails"): (READS,),
    ("nurture.sequence", "replay"): (CHANGES,),
    ("nurture.sequence.new", "action_create"): (DIALOG,),
    ("nurture.sequence.new", "action_view_leads"): (DIALOG,),
    ("nurture.start", "action_start"): (DIALOG,),
    ("nurture.start", "action_view_entering"): (DIALOG,),
    ("nurture.start", "action_view_excluded"): (DIALOG,),
    ("nurture.start", "action_view_held_out"): (DIALOG,),
    ("nurture.start", "action_view_inside"): (DIALOG,),
    ("nurture.step", "action_add_opt_out"): (ORM,),
    ("nurture.step", "action_add_variant"): (CHANGES,),
    ("nurture.step", "action_choose_variant"): (CHANGES, "B"),
    ("nurture.step", "action_duplicate"): (CHANGES,),
    ("nurture.step", "action_reorder"): (CHANGES, 1),
    ("nurture.step", "action_restart_ab_test"): (CHANGES,),
    ("nurture.step", "action_take_over"): (CHANGES,),
    ("nurture.step", "action_view_statistic"): (OPENS,),
    ("nurture.step", "action_view_variant"): (OPENS,),
    ("nurture.step", "action_write_mail"): (CHANGES,),
    ("nurture.step", "button_add_variant"): (CHANGES,),
    ("nurture.step", "button_choose_first"): (CHANGES,),
    ("nurture.step", "get_ab_test"): (READS,),
    ("nurture.step", "get_filter_audience"): (READS,),
    ("nurture.step", "get_preview"): (READS,),
    ("nurture.template.save", "action_save"): (DIALOG,),
    ("nurture.test", "action_play"): (DIALOG,),
    ("nurture.test", "action_restart"): (DIALOG,),
    ("nurture.trace", "action_cancel"): (CHANGES,),
    ("nurture.trace", "action_mark_sent"): (CHANGES,),
    ("nurture.trace", "action_retry"): (CHANGES,),
    ("nurture.trace", "action_run_now"): (CHANGES,),
    ("nurture.trace", "button_retry"): (CHANGES,),
    ("nurture.trace", "button_run_now"): (CHANGES,),
    ("nurture.trace", "get_preview"): (READS,),
    ("nurture.update", "action_update"): (DIALOG,),
    ("nurture.update", "action_view_touched"): (DIALOG,),
    ("nurture.update", "action_view_unmatched"): (DIALOG,),
    ("nurture.variant", "action_choose"): (CHANGES,),
    ("nurture.variant", "action_write_mail"): (CHANGES,),
    ("res.config.settings", "get_values"): (CORE,),
    ("res.config.settings", "set_values"): (CORE,),
}
#: Those of add-ons that are installed beside this one.
DOORS_OF_BRIDGES = {
    ("mailing.mailing", "action_retry_failed_sms"): (CORE,),
    ("mailing.mailing", "action_send_sms"): (CORE,),
}


class DoorsCase(TwoLeadsMixin, NurtureHttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mailer = new_test_user(
            cls.env, "nurture_mailer", "mass_mailing.group_mass_mailing_user"
        )
        cls.stranger = cls.make_marketer(cls, cls.env["res.company"].create({"name": "Other"}))

    def start(self):
        self.second = self.make_step(self.sequence, "after", self.first, 7, subject="Second")
        self.sequence.action_start()
        self.advance()
        self.mail = self.trace(self.ann, self.first).mailing_trace_ids

    def call(self, user, record, method, *args, **kwargs):
        """As a client calls it."""
        context = kwargs.pop("context", {})
        model = self.env[record._name].with_user(user)
        return call_kw(model, method, [record.ids, *args], {**kwargs, "context": context})

    def assert_closed(self, user, record, method, *args, **kwargs):
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            self.call(user, record, method, *args, **kwargs)


@tagged("post_install", "-at_install")
class TestDoors(DoorsCase):
    def find_doors(self):
        found = set()
        for model in self.registry.models.values():
            for definition in model.__mro__:
                if not definition.__module__.startswith("odoo.addons.lost_lead_nurture"):
                    continue
                for name, attribute in vars(definition).items():
                    function = inspect.unwrap(attribute) if callable(attribute) else None
                    is_open = not name.startswith("_") and name not in ORM_METHODS
                    is_open = is_open and inspect.isfunction(function)
                    if is_open and not getattr(attribute, "_api_private", False):
                        found.add((model._name, name))
        return found

    def test_each_has_been_thought_of(self):
        found = self.find_doors()
        self.assertFalse(found - set(DOORS | DOORS_OF_BRIDGES), "who may call these?")
        self.assertFalse(set(DOORS) - found, "these are gone")

    @mute_logger("odoo.models", "odoo.addons.base.models.ir_rule")
    def test_who_passes(self):
        """Where it says that somebody may not, nobody else can."""
        self.start()
        journey = self.participant(self.ann)
        variant = self.env["nurture.variant"].browse(self.second.action_add_variant())
        records = {
            "crm.lead": self.ann,
            "mailing.trace": self.mail,
            "nurture.participant": journey,
            "nurture.provider": self.env.ref("lost_lead_nurture.nurture_provider_google"),
            "nurture.sequence": self.sequence,
            "nurture.step": self.first,
            "nurture.trace": self.trace(self.ann, self.second),
            "nurture.variant": variant,
        }
        self.env.flush_all()
        closed = {
            CHANGES: (self.salesman, self.mailer, self.employee, self.stranger),
            MARKETERS: (self.salesman, self.mailer, self.employee, self.stranger),
            READS: (self.mailer, self.employee, self.stranger),
        }
        for (model, method), (who, *args) in DOORS.items():
            for user in closed.get(who, ()):
                with self.subTest(f"{model}.{method}", user=user.login):
                    self.env.invalidate_all()
                    self.assert_closed(user, records[model], method, *args)
        self.env.invalidate_all()
        self.assertEqual(self.sequence.state, "running")
        self.assertEqual(journey.state, "running")
        self.assertEqual(self.mail.trace_status, "sent")

    @mute_logger("odoo.models", "odoo.addons.base.models.ir_rule")
    def test_number_of_invoices(self):
        """Even a number is for those only who see the statistic."""
        for user, record, method in (
            (self.salesman, self.sequence, "action_view_invoices"),
            (self.salesman, self.reason_stock, "action_nurture_invoices"),
            (self.employee, self.reason_stock, "action_nurture_invoices"),
        ):
            self.assert_closed(user, record, method)
        for record, method in (
            (self.sequence, "action_view_invoices"),
            (self.sequence, "action_view_quotations"),
            (self.reason_stock, "action_nurture_invoices"),
        ):
            with self.subTest(method):
                user = self.marketer
                if method == "action_view_quotations":
                    user = self.salesman
                self.assertTrue(self.call(user, record, method))

    @mute_logger("odoo.models", "odoo.addons.base.models.ir_rule")
    def test_what_came_of_it(self):
        """On a contact that everybody reads, and in the ledger behind it: whose leads they are not,
        who works for another company, or sees no leads at all, finds nothing of it."""
        self.start()
        self.touch(self.ann)
        contact = self.env["res.partner"].create({"name": "Ann", "email": ANN})
        order = self.env["sale.order"].create(
            {"partner_id": contact.id, "opportunity_id": self.ann.id, "date_order": self.clock}
        )
        credits_ = self.credits_of(order)
        self.assertTrue(credits_)
        method = "action_view_nurture_results"
        counts = {self.marketer: 1, self.salesman: 1, self.mailer: 0, self.stranger: 0}
        for user, count in (counts | {self.colleague: 0}).items():
            with self.subTest(user.login):
                self.env.invalidate_all()
                self.assertEqual(contact.with_user(user).nurture_quotation_count, count)
                context = {"nurture_statistic": "quotations"}
                action = self.call(user, contact, method, context=context)
                if model := action.get("res_model"):
                    found = self.env[model].with_user(user).search(action["domain"])
                    self.assertLessEqual(len(found), count)
        for user in (self.salesman, self.mailer, self.employee):
            with self.subTest("amounts", user=user.login), self.assertRaises(AccessError):
                contact.with_user(user).read(["nurture_invoiced"])
        self.assert_closed(self.employee, contact, method)
        for records in (credits_, credits_.outcome_id):
            for user in (self.mailer, self.employee, self.stranger, self.colleague):
                with self.subTest(records._name, user=user.login), self.assertRaises(AccessError):
                    records.with_user(user).read(["kind"])

    @mute_logger("odoo.models", "odoo.addons.base.models.ir_rule")
    def test_deleting_what_is_archived(self):
        """Who may not delete a step learns so, even where nothing is left to be done."""
        self.start()
        self.second.active = False
        self.env.flush_all()
        for user in (self.salesman, self.stranger):
            self.assert_closed(user, self.second, "unlink")

    @mute_logger("odoo.models", "odoo.addons.base.models.ir_rule")
    def test_dialogs_about_a_foreign_sequence(self):
        """A dialog that somebody makes by RPC about a sequence of another company does nothing."""
        self.start()
        for model, method, values in (
            ("nurture.enrol", "action_enrol", {"lead_ids": [Command.set(self.ann.ids)]}),
            ("nurture.resume", "action_resume", {}),
            ("nurture.start", "action_start", {}),
            ("nurture.update", "action_update", {}),
            ("nurture.template.save", "action_save", {"name": "Mine"}),
            ("nurture.test", "action_restart", {"lead_id": self.ann.id}),
            ("nurture.dry.run", "action_go_on", {}),
            ("nurture.replay.choose", "action_replay", {}),
        ):
            with (
                self.subTest(model),
                self.assertRaises(AccessError),
                self.env.cr.savepoint(),
            ):
                self.env.invalidate_all()
                dialogs = self.env[model].with_user(self.stranger)
                dialog = dialogs.create({"sequence_id": self.sequence.id, **values})
                getattr(dialog, method)()
        with self.assertRaises(AccessError):
            self.env["nurture.sequence.new"].with_user(self.stranger).create(
                {"template_id": self.sequence.id, "name": "Mine"}
            ).action_create()


@tagged("post_install", "-at_install")
class TestStatistics(DoorsCase):
    """``mailing.trace`` belongs to Email Marketing, whose users may write it all. What sequences
    rely on they may not."""

    def setUp(self):
        super().setUp()
        self.start()
        self.plain = self.env["mailing.trace"].create(
            {
                "model": "crm.lead",
                "res_id": self.ann.id,
                "mass_mailing_id": self.make_mailing("Plain").id,
            }
        )
        self.own = [name for name in self.mail._fields if name.startswith("nurture_")]
        self.env.flush_all()

    def test_fields_of_ours(self):
        trace = self.trace(self.bob, self.first)
        self.assertGreaterEqual(len(self.own), 6)
        described = self.mail.with_user(self.mailer).fields_get(self.own)
        for user in (self.mailer, self.marketer):
            for name in self.own:
                self.assertTrue(described[name]["readonly"])
                value = trace.id if name == "nurture_trace_id" else False
                for mail in (self.mail, self.plain):
                    self.assert_closed(user, mail, "write", {name: value})
            values = {"model": "crm.lead", "res_id": self.ann.id}
            mails = self.plain.with_user(user)
            with self.assertRaises(AccessError):
                mails.create({**values, "nurture_trace_id": trace.id})
            with self.assertRaises(AccessError):
                mails.with_context(default_nurture_trace_id=trace.id).create(values)
        self.assertEqual(self.mail.nurture_trace_id, self.trace(self.ann, self.first))

    def test_fields_of_core(self):
        """Whose mail it is and what became of it decides about goals, caps and previews."""
        for user in (self.mailer, self.marketer):
            for name, value in (
                ("trace_status", "reply"),
                ("email", "other@recipient.example.com"),
                ("sent_datetime", False),
                ("message_id", "<other@recipient.example.com>"),
                ("mail_mail_id", False),
            ):
                self.assert_closed(user, self.mail, "write", {name: value})
                self.call(user, self.plain, "write", {name: value})
            self.assert_closed(user, self.mail, "unlink")
        self.call(self.mailer, self.plain, "unlink")
        self.assertTrue(self.mail.exists())

    def test_name_of_a_lead(self):
        """Statistics are for all of Email Marketing; what a lead is called is not."""
        for user in (self.mailer, self.stranger, self.employee):
            mail = self.mail.with_user(user).sudo()
            for linked in (mail.nurture_trace_id, mail.nurture_trace_id.participant_id):
                self.assertNotIn(self.ann.name, linked.display_name)
        read = self.mail.with_user(self.mailer).read(["nurture_trace_id"])
        self.assertNotIn(self.ann.name, str(read))
        for user in (self.marketer, self.salesman):
            trace = self.mail.nurture_trace_id.with_user(user)
            self.assertIn(self.ann.name, trace.display_name)
            self.assertEqual(trace.participant_id.display_name, self.ann.name)

    def test_looking_for_mails_by_their_sequence(self):
        """Whoever uses mailings may know which are of sequences, not what those are like."""
        mailings = self.env["mailing.mailing"].with_user(self.mailer)
        mine = [("id", "in", self.plain.mass_mailing_id.ids + self.first.mailing_id.ids)]
        of_it = mailings.search([*mine, ("nurture_sequence_id", "=", self.sequence.id)])
        self.assertEqual(of_it, self.first.mailing_id)
        self.assertEqual(mailings.search([*mine, ("nurture_sequence_id", "!=", False)]), of_it)
        others = mailings.search([*mine, ("nurture_sequence_id", "=", False)])
        self.assertEqual(others, self.plain.mass_mailing_id)
        looking = [*mine, ("nurture_sequence_id.participant_ids.email", "=like", "a%")]
        with self.assertRaises(AccessError):
            mailings.search(looking)
        self.assertFalse(mailings.with_user(self.stranger).search(looking))
        self.assertEqual(mailings.with_user(self.marketer).search(looking), of_it)

    def test_telling(self):
        """Nobody brings a lead back by saying that it has answered."""
        for user in (self.mailer, self.stranger, self.salesman, self.employee):
            for method in (
                "set_replied",
                "set_bounced",
                "set_clicked",
                "set_opened",
                "set_canceled",
            ):
                self.assert_closed(user, self.mail, method)
                self.assert_closed(user, self.mail.browse(), method, [("id", "=", self.mail.id)])
        self.assertEqual(self.ann.won_status, "lost")
        self.call(self.mailer, self.plain, "set_replied")
        self.assertEqual(self.plain.trace_status, "reply")
        with self.assertRaises(AccessError):
            self.call(self.employee, self.plain, "set_clicked")

    def test_who_may_change_the_sequence_tells(self):
        self.call(self.marketer, self.mail, "set_replied")
        self.env.invalidate_all()
        self.assertEqual(self.ann.won_status, "pending")

    def test_gateway_of_a_user(self):
        """A mail server may hand over what arrives by RPC, as any user."""
        gateway = new_test_user(
            self.env,
            "nurture_gateway",
            "mass_mailing.group_mass_mailing_user,sales_team.group_sale_salesman_all_leads",
        )
        answered, bounced = (self.mails_to(lead.email_from)[0] for lead in (self.ann, self.bob))
        threads = self.env["mail.thread"].with_user(gateway)
        self.patch(type(self), "_receive", lambda _self, raw: threads.message_process(False, raw))
        self.answer(answered)
        self.bounce(bounced)
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(self.ann.won_status, "pending")
        self.assertEqual(self.participant(self.bob).exit_reason, "bounced")

    def test_mail_sent_by_hand(self):
        """An administrator, who need not be a marketer, sends what is in the queue."""
        admin = new_test_user(
            self.env,
            "nurture_system",
            "base.group_system,mass_mailing.group_mass_mailing_user,"
            "sales_team.group_sale_salesman_all_leads",
            email="system@test.example.com",
        )
        self.clock = self.trace(self.ann, self.second).schedule_date
        self.run_cron()
        mails = self.trace(self.ann, self.second).mailing_trace_ids.mail_mail_id
        mails.with_user(admin).send()
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertTrue(self.mails_to(ANN, "Second"))
        self.assertEqual(self.trace(self.ann, self.second).mailing_trace_ids.trace_status, "sent")

    def test_activity_of_a_sequence(self):
        """Whoever plans an activity does not tell a sequence that its own is done."""
        trace = self.trace(self.ann, self.first)
        activities = self.env["mail.activity"].with_user(self.salesman)
        values = {
            "activity_type_id": self.env.ref("mail.mail_activity_data_todo").id,
            "res_id": self.ann.id,
            "res_model_id": self.env["ir.model"]._get_id("crm.lead"),
        }
        with self.assertRaises(AccessError):
            activities.create({**values, "nurture_trace_id": trace.id})
        with self.assertRaises(AccessError):
            activities.with_context(default_nurture_trace_id=trace.id).create(values)
        with self.assertRaises(AccessError):
            activities.create(values).nurture_trace_id = trace


@tagged("post_install", "-at_install")
class TestPreviews(DoorsCase):
    def test_mail_of_somebody_else(self):
        """A preview shows the message of its own lead, wherever its statistics point."""
        self.start()
        secret = self.env["mail.mail"].create(
            {
                "subject": "Reset your password",
                "body_html": "<p>token</p>",
                "message_id": "<secret>",
            }
        )
        trace = self.trace(self.ann, self.first)
        for values in (
            {"mail_mail_id": secret.id},
            {"mail_mail_id": False, "message_id": "<secret>"},
        ):
            self.mail.write(values)
            self.env.flush_all()
            self.env.invalidate_all()
            shown = trace.with_user(self.marketer).get_preview()
            self.assertNotIn("token", shown["html"])
            self.assertNotIn("password", shown["subject"])

    def test_mail_of_another_company(self):
        self.start()
        for record in (self.first, self.trace(self.ann, self.first)):
            self.assertTrue(self.call(self.marketer, record, "get_preview"))
            self.assert_closed(self.stranger, record, "get_preview")

    def test_mail_of_a_foreign_step(self):
        """The mail of a step of another company is not taken for one's own."""
        company = self.stranger.company_id
        sequence = self.make_sequence(company_id=company.id, user_id=self.stranger.id)
        french = self.env["res.lang"]._activate_lang("fr_FR")
        step = (
            self.env["nurture.step"].with_user(self.stranger).create({"sequence_id": sequence.id})
        )
        self.env.flush_all()
        with self.assertRaisesRegex(UserError, "already belongs"), self.env.cr.savepoint():
            step.mailing_id = self.first.mailing_id
        with self.assertRaisesRegex(UserError, "already belongs"), self.env.cr.savepoint():
            step.translation_ids.create(
                {
                    "step_id": step.id,
                    "lang_id": french.id,
                    "mailing_id": self.first.mailing_id.id,
                }
            )


@tagged("post_install", "-at_install")
class TestForgedContexts(DoorsCase):
    """A client sends any context it likes."""

    def test_telling(self):
        self.start()
        past = "2020-01-01 00:00:00"
        for forged in (
            {"nurture_judged": {str(self.mail.id): past}},
            {"nurture_judged": [[self.mail.id, past]]},
            {"nurture_judged": {"dates": {str(self.mail.id): past}}},
            {"nurture_judged": {}},
            {"nurture_request": {"token": "x"}},
            {"nurture_link_code": "x,reply"},
            {"nurture_from_core": "inside"},
            {"nurture_from_core": True},
            {"nurture_send_batch": 1},
            {"nurture_send_batch": {"trace_by_lead": {}, "links": 1, "compiled": 1}},
        ):
            with self.subTest(forged):
                self.assert_closed(self.mailer, self.mail, "set_replied", context=forged)
                self.assert_closed(self.mailer, self.mail, "write", {"email": "x"}, context=forged)
                domain = [("id", "=", self.mail.id)]
                for ids, args in ((self.mail, ()), (self.mail.browse(), (domain,))):
                    self.call(self.marketer, ids, "set_clicked", *args, context=forged)
                    self.call(self.marketer, ids, "set_opened", *args, context=forged)
                self.env.invalidate_all()
                self.assertEqual(self.mail.links_click_datetime, self.clock)
                self.assertEqual(self.mail.open_datetime, self.clock)
        self.assertFalse(self.env["nurture.hit"].search([]))
        self.assertEqual(self.ann.won_status, "lost")

    def test_what_nobody_writes(self):
        """A new record is filled in by the context, too, but not with what the engine writes."""
        past = "2020-01-01 00:00:00"
        values = {"state": "running", "start_date": past, "last_error": "x", "last_scan_date": past}
        forged = {f"default_{name}": value for name, value in values.items()}
        step = {"mailing_id": self.make_mailing("Mine").id}
        sequences = self.env["nurture.sequence"].with_user(self.marketer).with_context(**forged)
        sequence = sequences.create({"name": "Mine", "step_ids": [Command.create(step)]})
        self.assertEqual(sequence.state, "draft")
        self.assertFalse(sequence.start_date or sequence.last_error or sequence.last_scan_date)
        filter_ = self.env["mailing.filter"].create(
            {
                "name": "Of others",
                "mailing_domain": "[]",
                "mailing_model_id": self.env["ir.model"]._get_id("crm.lead"),
            }
        )
        presets = self.env["nurture.preset"].with_user(self.marketer)
        preset = presets.with_context(default_mailing_filter_id=filter_.id).create({"name": "Mine"})
        self.assertNotEqual(preset.mailing_filter_id, filter_)
        self.assertEqual(filter_.name, "Of others")

    @mute_logger("odoo.models", "odoo.addons.base.models.ir_rule")
    def test_choosing_what_one_may_not_see(self):
        """Neither in the values nor in the context; and what a constraint would say of it, which
        may be what it is called, is not said."""
        preset = self.env["nurture.preset"].create({"name": "Ours", "company_id": self.company.id})
        sequences = self.env["nurture.sequence"].with_user(self.stranger)
        own = sequences.create({"name": "Own"})
        steps = self.env["nurture.step"].with_user(self.stranger)
        for model, values, forged in (
            (steps, {"sequence_id": self.sequence.id}, {}),
            (steps, {}, {"default_sequence_id": self.sequence.id}),
            (steps, {"sequence_id": own.id, "parent_id": self.first.id}, {}),
            (steps, {"sequence_id": own.id}, {"default_parent_id": self.first.id}),
            (sequences, {"name": "Nosy"}, {"default_excluded_preset_ids": preset.ids}),
        ):
            with (
                self.subTest(model, values=values, forged=forged),
                self.assertRaises(AccessError) as refusal,
                self.env.cr.savepoint(),
            ):
                self.env.invalidate_all()
                model.with_context(**forged).create(values)
            self.assertNotIn(self.first.name, str(refusal.exception))
            self.assertNotIn(self.sequence.name, str(refusal.exception))

    def test_restoring_without_a_word(self):
        """A lead that is brought back leaves its sequence, whatever the context says."""
        self.start()
        for forged in (True, "inside", {"a": 1}):
            self.ann.action_set_lost(lost_reason_id=self.reason_stock.id)
            lead = self.ann.with_user(self.salesman).with_context(nurture_skip_check=forged)
            lead.action_restore()
            self.assertEqual(self.participant(self.ann).exit_reason, "restored")

    def test_unsubscribed_by_somebody_else(self):
        self.start()
        blacklist = self.env["mail.blacklist"]
        blacklist.with_context(nurture_unsubscribed="inside")._add(ANN)
        self.assertEqual(self.participant(self.ann).exit_reason, "blacklisted")
