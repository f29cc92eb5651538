from datetime import timedelta

from odoo import api, models
from odoo.exceptions import ValidationError
from odoo.tools import format_date

from .preference import LONGEST_PAUSE

#: How many mails a month the page offers, and how long a pause it proposes.
NUMBERS, PAUSE = (1, 2, 4), timedelta(days=90)
#: How many topics the page shows at most.
MAX_TOPICS = 30


class NurturePreference(models.Model):
    """The page on which recipients say what they want: what it offers, in its words, which are
    noted as they were shown."""

    _inherit = "nurture.preference"

    @api.model
    def _get_options(self, mailing, email):
        """What the recipient of ``mailing`` may choose from.

        :return: ``{kind, or "topics": label}``, in the order of the page
        """
        options = {}
        address = self._read_address(email)
        listed = self._is_blacklisted(address)
        if not listed:
            options |= self._get_options_for_less(mailing)
        options["everything"] = self.env._("Unsubscribe from all mails")
        options["complaint"] = self.env._("I complain: I have never asked for these mails")
        consents = self.env["nurture.consent"].sudo()
        if listed or self._find_current(email) or consents._get_given_again([address]):
            options["return"] = self._get_words_for_return()
        return options

    @api.model
    def _get_options_for_less(self, mailing):
        """What somebody may choose from who gets mails, and wants other ones."""
        options = {}
        if mailing.nurture_sequence_id:
            # what it is called is for those who work with it
            options["sequence"] = self.env._("No more mails of this campaign")
        options["fewer"] = self.env._("Fewer mails")
        options["pause"] = self.env._("A pause")
        if self._get_topics(mailing):
            options["topics"] = self.env._("Mails on these topics only")
        return options

    @api.model
    def _get_words_for_return(self):
        return self.env._("All mails again, as before")

    @api.model
    def _get_numbers(self):
        """How many mails a month one may choose.

        :return: list of (number, label)
        """
        one = self.env._("at most one a month")
        return [(n, one if n == 1 else self.env._("at most %s a month", n)) for n in NUMBERS]

    @api.model
    def _get_pause_days(self):
        """The first, the last and the proposed day of the end of a pause."""
        today = self._get_today()
        return today + timedelta(days=1), today + LONGEST_PAUSE, today + PAUSE

    @api.model
    def _get_topics(self, mailing):
        """The topics that the page shows: those of running sequences, of the company of the one
        that sent the mail."""
        company = mailing.nurture_sequence_id.company_id
        return self.env["nurture.topic"].search(
            [
                ("sequence_ids.state", "=", "running"),
                ("company_id", "in", [False, *company.ids]),
            ],
            limit=MAX_TOPICS,
        )

    @api.model
    def _get_topics_left(self, email):
        """The topics on which the recipient does not want mails."""
        return self._find_current(email).filtered(lambda one: one.kind == "topic").topic_id

    @api.model
    def _find_current(self, email):
        """What the recipient has said and is obeyed."""
        email = self._read_address(email)
        if not email:
            return self.browse()
        today = self._get_today()
        return self.search([("email", "=", email), ("ended_date", "=", False)]).filtered(
            lambda one: not one.until_date or one.until_date > today
        )

    @api.model
    def _get_current_words(self, email):
        """What the recipient has said and is obeyed, in the words of then."""
        return list(dict.fromkeys(self._find_current(email).mapped("wording")))

    @api.model
    def _choose_on_page(self, mailing, document_id, email, form):
        """Note what was chosen on the page, and obey it.

        :param mailing: the mail that the page was opened from
        :param document_id: the record that it was sent to
        :param form: the fields of the form, see ``controllers/leaving.py``
        :return: what was chosen, in words
        :raise ValidationError: when it cannot be chosen
        """
        kind = form.get("choice")
        options = self._get_options(mailing, email)
        address = self._read_address(email)
        if kind == "return" and kind not in options and self._find_returned([address]):
            # once more
            return self._get_words_for_return()
        if kind in self._get_options_for_less(mailing):
            self._check_gets_mails(address)
        if kind not in options:
            raise ValidationError(self.env._("Please choose one of these."))
        reasons = self.env["mailing.subscription.optout"]
        values = {
            **self._describe_mail(mailing, document_id, email),
            "opt_out_reason_id": reasons.browse(form.get("opt_out_reason_id") or ()).exists().id,
            "feedback": form.get("feedback"),
        }
        if kind == "topics":
            return self._choose_topics(mailing, email, form.get("topics") or [], values)
        values["wording"] = self._word(kind, options, form)
        if kind == "sequence":
            values["sequence_id"] = mailing.nurture_sequence_id.id
        elif kind == "fewer":
            values["number"] = form.get("number")
        elif kind == "pause":
            values["until_date"] = form.get("until")
        self._choose(email, kind, "page", **values)
        mailing_traces = self.env["mailing.trace"]
        if kind in ("sequence", "everything"):
            mailing_traces._nurture_note_unsubscribed(mailing._nurture_sent_to(document_id, email))
        elif kind == "complaint":
            mailing_traces._nurture_note_complained(mailing._nurture_sent_to(document_id, email))
        return values["wording"]

    @api.model
    def _word(self, kind, options, form):
        """What was chosen, in the words that were shown."""
        details = ""
        if kind == "fewer":
            details = dict(self._get_numbers()).get(form.get("number")) or form.get("number")
        elif kind == "pause":
            until = form.get("until")
            details = until and self.env._("until %s", format_date(self.env, until))
        return f"{options[kind]}: {details}" if details else options[kind]

    @api.model
    def _choose_topics(self, mailing, email, wanted, values):
        """Have the recipient get mails on these topics, and on no other that the page shows.

        :param wanted: ids of topics
        """
        left = self._get_topics_left(email)
        topics = self._get_topics(mailing)
        for topic in topics:
            if topic.id not in wanted and topic not in left:
                words = self.env._("No mails on the topic: %s", topic.name)
                values = {**values, "wording": words, "topic_id": topic.id}
                self._choose(email, "topic", "page", **values)
            elif topic.id in wanted and topic in left:
                words = self.env._("Mails on the topic again: %s", topic.name)
                values = {**values, "wording": words, "topic_id": topic.id}
                self._choose(email, "return", "page", **values)
        names = ", ".join(topics.filtered(lambda one: one.id in wanted).mapped("name"))
        return self.env._("Mails on these topics only: %s", names or "–")

    @api.model
    def _note_everything(self, mailing, document_id, email, source):
        """Note that somebody unsubscribed by core's button, or that of the mail program; core
        itself puts the address on the blacklist."""
        options = self._get_options(mailing, email)
        words = self.env._("Unsubscribe") if source == "one_click" else options["everything"]
        values = self._describe_mail(mailing, document_id, email)
        self._note([self._read_address(email)], "everything", source, wording=words, **values)

    @api.model
    def _describe_mail(self, mailing, document_id, email):
        """In which mail it was said, and of which company that is."""
        mailing_traces = self.env["mailing.trace"]
        if document_id:
            mailing_traces = mailing_traces.search(mailing._nurture_sent_to(document_id, email))
        company = mailing_traces._nurture_get_company() or mailing.nurture_sequence_id.company_id
        return {"mailing_id": mailing.id, "company_id": company.id}
