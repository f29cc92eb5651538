from odoo import fields, models


class MailAliasDomain(models.Model):
    _inherit = "mail.alias.domain"

    nurture_has_subaddresses = fields.Boolean(
        string="Takes Sub-Addresses",
        help="Whether what is sent to bounce+something@ of this domain arrives where bounce@ does. "
        "Mails of sequences then say in their envelope sender which mail it is, so that a report "
        "of any server is known to be about it. Leave it off if the domain refuses such addresses: "
        "its reports would be lost.",
    )
