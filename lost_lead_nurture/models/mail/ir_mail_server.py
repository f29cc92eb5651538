from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

from ...tools.pace import DAY, GROWTH, RESTED, SLICE, per_hour, warm_up
from ...tools.sandbox import is_sandbox
from ...tools.wire import WIRE
from .provider import MAX_HOURLY


class IrMailServer(models.Model):
    """In a sandbox no mail leaves, whoever sends it. The header of a mailing arrives as it is
    written."""

    _inherit = "ir.mail_server"

    nurture_hourly_limit = fields.Integer(
        string="Mails of Sequences per Hour",
        help="No more mails of sequences than this leave by the server in an hour, spread over it. "
        "0: no limit.",
    )
    nurture_daily_limit = fields.Integer(
        string="Mails of Sequences per Day",
        help="Once it is warm: no more mails of sequences than this leave in a day (UTC). 0: no "
        "limit.",
    )
    nurture_warm_up_date = fields.Date(
        string="Warm-up Since",
        copy=False,
        help="A new mail server, or one that has rested, sends few mails at first and more each "
        "day. It begins with the first mail on this day or later, and once more when sequences "
        "have sent nothing by it for 30 days. Empty: no warm-up.",
    )
    nurture_warm_up_first = fields.Integer(string="Mails on the First Day", default=50)
    nurture_warm_up_growth = fields.Integer(
        string="More Each Day (%)",
        default=GROWTH,
        help="How many percent more mails leave on each following day.",
    )

    @api.constrains(
        *("nurture_hourly_limit", "nurture_daily_limit", "nurture_warm_up_date"),
        *("nurture_warm_up_first", "nurture_warm_up_growth"),
    )
    def _check_nurture_limits(self):
        for server in self:
            limits = (server.nurture_hourly_limit, server.nurture_daily_limit)
            if not all(0 <= limit <= MAX_HOURLY for limit in limits):
                raise ValidationError(
                    self.env._(
                        "“%(server)s”: a limit is a number of mails from 0 to %(most)s.",
                        server=server.name,
                        most=MAX_HOURLY,
                    )
                )
            if server.nurture_warm_up_date and not (
                1 <= server.nurture_warm_up_first <= MAX_HOURLY
                and 0 <= server.nurture_warm_up_growth <= 1000
            ):
                raise ValidationError(
                    self.env._(
                        "“%s”: a warm-up begins with one mail or more, and grows by 0 to 1,000 "
                        "percent a day.",
                        server.name,
                    )
                )

    def write(self, vals):
        result = super().write(vals)
        changed = {name for name in vals if name.startswith("nurture_")}
        kinds = []
        if "nurture_hourly_limit" in changed:
            kinds.append("server")
        if changed - {"nurture_hourly_limit"}:
            kinds.append("server-day")
        for server in self:
            for kind in kinds:
                self.env["nurture.pace"].sudo()._give_anew(f"{kind}:{server.id}")
        return result

    def _nurture_get_capacities(self):
        """How many mails of sequences may leave by this server.

        :return: ``{key: (length of a slice, capacity)}``, see ``nurture.pace``
        """
        self.ensure_one()
        # Odoo sends no more than so many a minute by the server of a person
        personal = self.owner_user_id and self._get_personal_mail_servers_limit() * 60
        hourly = [limit for limit in (self.nurture_hourly_limit, personal) if limit]
        capacities = {}
        if hourly:
            capacities[f"server:{self.id}"] = (SLICE, per_hour(min(hourly)))
        begun = self._nurture_get_warm_up()
        if begun:
            ramp = warm_up(
                self.nurture_warm_up_first,
                self.nurture_warm_up_growth,
                begun,
                self.nurture_daily_limit,
            )
            capacities[f"server-day:{self.id}"] = (DAY, ramp)
        elif self.nurture_daily_limit:
            limit = self.nurture_daily_limit
            capacities[f"server-day:{self.id}"] = (DAY, lambda _start: limit)
        return capacities

    def _nurture_get_warm_up(self):
        """On which day the warm-up began; None without one. It begins anew when the server has
        rested."""
        today = fields.Datetime.now().date()
        begun = self.nurture_warm_up_date
        if not begun or begun > today:
            return None
        ((last,),) = self.env.execute_query(
            SQL(
                "SELECT max(date) FROM nurture_pace WHERE key = %s AND number > 0",
                f"server-day:{self.id}",
            )
        )
        if begun < today and (not last or fields.Datetime.now() - last > RESTED):
            # by SQL: it is no new setting, all places stay
            self.env.execute_query(
                SQL(
                    "UPDATE ir_mail_server SET nurture_warm_up_date = %s WHERE id = %s"
                    " RETURNING id",
                    today,
                    self.id,
                )
            )
            self.invalidate_recordset(["nurture_warm_up_date"], flush=False)
            return today
        return begun

    def _connect__(self, *args, **kwargs):
        if is_sandbox(self.env):
            return None
        return super()._connect__(*args, **kwargs)

    def _build_email__(self, *args, **kwargs):
        message = super()._build_email__(*args, **kwargs)
        if "List-Unsubscribe" in message:
            message.policy = WIRE
        return message

    def send_email(self, message, *args, **kwargs):
        if is_sandbox(self.env):
            self.env.cr.suppressed.append(("mail", message["To"]))
            return message["Message-Id"]
        return super().send_email(message, *args, **kwargs)
