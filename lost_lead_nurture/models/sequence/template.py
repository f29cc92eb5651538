from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ..lead.lost_reason import CURES
from ..step.workflow import MINUTES

#: The groups of the gallery, in its order.
TEMPLATE_GROUPS = [
    ("reason", "By Lost Reason"),
    ("win_back", "Win Back"),
    ("behaviour", "By What They Do"),
    ("last_chance", "Last Chance"),
    ("hand_over", "Hand-over to Sales"),
    ("own", "Your Own"),
]
#: What the built-in templates are made for.
TEMPLATE_CURES = {
    "template_restock": "stock",
    "template_price": "price",
    "template_discount": "price",
    "template_below": "price",
    "template_beat": "price",
    "template_skill": "skill",
    "template_moment": "time",
}


class NurtureSequence(models.Model):
    """Templates: sequences that are not run but copied. They are archived, as core's mail
    templates may be, so that nobody who looks for sequences comes across them."""

    _inherit = "nurture.sequence"

    is_template = fields.Boolean(string="Template", copy=False, readonly=True)
    template_name = fields.Char(
        string="Name in the Gallery",
        translate=True,
        copy=False,
        help="Also the name of the sequences made from it. Empty: its name.",
    )
    template_summary = fields.Text(
        string="What It Does", translate=True, copy=False, help="Shown in the gallery."
    )
    template_check = fields.Text(
        string="Before You Start",
        translate=True,
        copy=False,
        help="What has to be checked in a sequence made from it, such as the discount.",
    )
    template_group = fields.Selection(
        TEMPLATE_GROUPS, string="Shown Under", default="own", copy=False
    )
    template_icon = fields.Char(default="fa-leaf", copy=False)
    template_position = fields.Integer(default=100, copy=False)
    template_reason_ids = fields.Many2many(
        "crm.lost.reason",
        "nurture_sequence_template_reason_rel",
        string="Fits Lost Reasons",
        copy=False,
        context={"active_test": False},
        help="Whoever makes a sequence for one of them is offered this template first.",
    )

    template_cure = fields.Selection(
        CURES,
        string="Fits When It Takes",
        copy=False,
        help="Whoever makes a sequence for a lost reason that is cured by it is offered this "
        "template first.",
    )

    _template_archived = models.Constraint(
        "CHECK (is_template IS NOT TRUE OR (active IS NOT TRUE AND state = 'draft'))",
        "A template is not run. Make a sequence from it.",
    )

    # ------------------------------------------------------------
    # COMPUTES, CRUD
    # ------------------------------------------------------------

    @api.depends("is_template", "template_name")
    @api.depends_context("lang")
    def _compute_display_name(self):  # pylint: disable=missing-return
        super()._compute_display_name()
        for template in self.filtered(lambda one: one.is_template and one.template_name):
            template.display_name = template.template_name

    @api.ondelete(at_uninstall=False)
    def _unlink_except_built_in(self):
        self._check_own()

    def _check_own(self):
        """Built-in templates are those of all companies.

        :raise UserError: when one of these is
        """
        if self._get_built_in():
            raise UserError(
                self.env._("Templates that came with the add-on stay; you can delete your own.")
            )

    def unlink(self):
        """The mails of a template were made for it and go with it."""
        templates = self.filtered("is_template")
        mailings = templates._get_mailings()
        templates.with_context(active_test=False).step_ids.unlink()
        result = super().unlink()
        # who may delete the template need not be who saved it
        mailings.sudo().unlink()
        return result

    def _get_built_in(self):
        """Those of these templates that came with an add-on."""
        owned = (
            self.env["ir.model.data"]
            .sudo()
            .search(
                [
                    ("model", "=", self._name),
                    ("res_id", "in", self.filtered("is_template").ids),
                    ("module", "not in", ("__export__", "__import__")),
                ]
            )
        )
        return self.browse(owned.mapped("res_id"))

    @api.model
    def _set_template_cures(self):
        """Say of the built-in templates what they are made for, where nobody has."""
        for name, cure in TEMPLATE_CURES.items():
            template = self.env.ref(f"lost_lead_nurture.{name}", raise_if_not_found=False)
            if template and not template.template_cure:
                template.template_cure = cure

    @api.model
    def _find_reasons(self, xml_id):
        """A lost reason for the data of templates: CRM's own ones may have been deleted."""
        reason = self.env.ref(xml_id, raise_if_not_found=False)
        return [Command.set(reason.ids if reason else [])]

    # ------------------------------------------------------------
    # GALLERY
    # ------------------------------------------------------------

    @api.model
    def get_gallery(self):
        """The templates as the gallery shows them.

        :return: dict of ``groups``, each with ``key``, ``label`` and ``templates``
        :raise AccessError: for who may not make sequences
        """
        self.check_access("create")
        templates = self.with_context(active_test=False).search(
            [("is_template", "=", True)], order="template_position, id"
        )
        built_in = templates._get_built_in()
        labels = self._fields["template_group"]._description_selection(self.env)
        groups = []
        for key, label in labels:
            cards = [
                template._get_card(own=template not in built_in)
                for template in templates
                if (template.template_group or "own") == key
            ]
            if cards:
                groups.append({"key": key, "label": label, "templates": cards})
        return {"groups": groups}

    @api.model
    def _open_gallery(self, context):
        """Open the gallery.

        :param context: what is known of the new sequence, such as ``default_preset_id``
        """
        action = self.env["ir.actions.actions"]._for_xml_id(
            "lost_lead_nurture.nurture_gallery_action"
        )
        reasons = self.env["crm.lost.reason"].browse(context.get("default_lost_reason_ids"))
        cures = sorted(set(filter(None, reasons.mapped("nurture_cure"))))
        return {**action, "context": {**context, "nurture_cures": cures}}

    def _get_card(self, own):
        """A template as a card of the gallery."""
        self.ensure_one()
        steps = self._get_flow()
        return {
            "id": self.id,
            "name": self.display_name,
            "summary": self.template_summary or "",
            "check": self.template_check or "",
            "icon": self.template_icon or "fa-leaf",
            "own": own,
            "cure": self.template_cure or "",
            "reasons": [
                {"id": reason.id, "name": reason.display_name}
                for reason in self.template_reason_ids
            ],
            "steps": [
                {**step._get_card(), "depth": depth, "day": day} for step, depth, day in steps
            ],
            "mails": sum(step.step_type == "email" for step, _depth, _day in steps),
            "days": max((day for _step, _depth, day in steps), default=0),
        }

    def _get_flow(self):
        """The steps in the order in which they are read: each with what follows it below.

        :return: list of (step, depth, days from the beginning or False)
        """

        def walk(steps, depth, before):
            timed = [(step, before + step.delay * MINUTES[step.delay_unit]) for step in steps]
            for step, minutes in sorted(timed, key=lambda line: (line[1], line[0].position)):
                # a last-chance mail comes when somebody has been silent, not on a day
                day = round(minutes / MINUTES["days"])
                yield step, depth, day if step.trigger != "silent" else False
                yield from walk(step.child_ids, depth + 1, minutes)

        active = self.with_context(active_test=True).step_ids
        return list(walk(active.filtered(lambda step: not step.parent_id), 0, 0))

    def get_template_mails(self):
        """The mails of a template, as somebody reads them of whom only the address is known.

        :return: list of dicts with ``id`` (of the step), ``day``, ``when``, ``subject``,
            ``preview`` and ``body``
        """
        self.ensure_one()
        self.check_access("read")
        return [
            {**step._get_mail(), "day": day}
            for step, _depth, day in self._get_flow()
            if step.mailing_id
        ]

    # ------------------------------------------------------------
    # A SEQUENCE FROM A TEMPLATE, A TEMPLATE FROM A SEQUENCE
    # ------------------------------------------------------------

    def _create_from_template(self, values):
        """Make a sequence in draft, with steps and mails of its own.

        :param values: of the new sequence, such as its name and preset
        """
        self.ensure_one()
        sequence = self.with_context(active_test=True).copy(
            {
                "active": True,
                "company_id": self.env.company.id,
                "user_id": self.env.uid,
                **values,
            }
        )
        sequence._get_mailings().active = True
        if self.template_check:
            sequence._message_log(
                body=self.env._("Before you start: %s", self.template_check),
                author_id=self.env.ref("base.partner_root").id,
            )
        return sequence

    def action_save_as_template(self):
        """Ask how the sequence is to be shown in the gallery."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Save as Template"),
            "res_model": "nurture.template.save",
            "view_mode": "form",
            "target": "new",
            "context": {"default_sequence_id": self.id},
        }

    def _save_as_template(self, values):
        """Make a template of the sequence. Its mails can be chosen in Email Marketing, too.

        :param values: of the template: name, summary, group
        """
        self.ensure_one()
        template = self.with_context(active_test=True).copy(
            {
                "name": values.get("template_name") or self.name,
                "is_template": True,
                "active": False,
                "template_reason_ids": [
                    Command.set(self.sudo()._get_presets().lost_reason_ids.ids)
                ],
                **values,
            }
        )
        template._get_mailings().write({"active": False, "favorite": True})
        return template
