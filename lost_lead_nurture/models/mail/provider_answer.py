from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ...tools.provider_answers import matches
from .provider import MAX_HOURLY

#: The longest that one answer holds or slows a provider.
MAX_MINUTES = 7 * 24 * 60


class NurtureProviderAnswer(models.Model):
    """What the servers of mail providers say, what that means, and what is done about it."""

    _name = "nurture.provider.answer"
    _description = "Answer of Mail Providers"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    sequence = fields.Integer(default=10, help="The first one that fits counts.")
    provider_id = fields.Many2one(
        "nurture.provider",
        string="Mail Provider",
        index="btree_not_null",
        ondelete="cascade",
        help="Whose answer it is. Empty: anybody's.",
    )
    code = fields.Char(
        string="SMTP Code", help="How the code begins: 4, 45 or 450. Empty: whatever it is."
    )
    phrases = fields.Text(
        string="Says",
        help="One phrase a line, one of which is in what the server says; * stands for anything. "
        "Empty: whatever it says.",
    )
    action = fields.Selection(
        [
            ("none", "Nothing"),
            ("slow", "Slow this provider down"),
            ("hold", "Hold this provider"),
        ],
        string="What Is Done",
        required=True,
        default="none",
        help="Hold: no mail of a sequence leaves for this provider for some time, each time twice "
        "as long. Slow: so many mails an hour leave for it. Others get theirs meanwhile.",
    )
    minutes = fields.Integer(default=60, help="For how long it is held or slowed down.")
    number = fields.Integer(
        string="Mails per Hour", default=50, help="How many it gets while it is slowed down."
    )
    explanation = fields.Text(
        translate=True, help="What it means and what to do, where the refusal is shown."
    )

    @api.constrains("code", "minutes", "number", "action", "phrases")
    def _check_answer(self):
        for answer in self:
            code = answer.code or ""
            if len(code) > 3 or not all(digit in "0123456789" for digit in code):
                raise ValidationError(
                    self.env._(
                        "“%s”: an SMTP code is three digits; of its beginning one is enough.",
                        answer.name,
                    )
                )
            if not code and not (answer.phrases or "").strip():
                raise ValidationError(
                    self.env._("“%s”: say by what the answer is recognised.", answer.name)
                )
            if (
                not 1 <= answer.minutes <= MAX_MINUTES or not 1 <= answer.number <= MAX_HOURLY
            ) and answer.action != "none":
                raise ValidationError(
                    self.env._(
                        "“%(answer)s”: it is held or slowed down for 1 to %(most)s minutes, and "
                        "to one mail an hour or more.",
                        answer=answer.name,
                        most=MAX_MINUTES,
                    )
                )

    @api.model
    def _find(self, code, refusal):
        """The answer that a refusal is; those of the provider itself come first.

        :param code: of the provider
        :param refusal: :class:`~tools.delivery.Refusal`
        """
        answers = self.search(
            ["|", ("provider_id", "=", False), ("provider_id.code", "=", code or "")]
        )
        fitting = answers.filtered(lambda one: matches(one.code, one.phrases, refusal))
        return (fitting.filtered("provider_id") or fitting)[:1]
