from odoo import api, models


class LinkTracker(models.Model):
    _inherit = "link.tracker"

    def search_or_create(self, vals_list):
        """Core looks every link up once per mail. Within one mailing the same link has the same
        tracker, so a batch that carries a ``nurture_links`` dict looks each up once."""
        known = self.env.context.get("nurture_links")
        if known is None:
            return super().search_or_create(vals_list)
        keys = [tuple(sorted(vals.items())) for vals in vals_list]
        new = {key: vals for key, vals in zip(keys, vals_list, strict=True) if key not in known}
        if new:
            trackers = super().search_or_create(list(new.values()))
            known.update(zip(new, trackers.ids, strict=True))
        return self.browse(known[key] for key in keys)


class LinkTrackerClick(models.Model):
    _inherit = "link.tracker.click"

    @api.model
    def add_click(self, code, **route_values):
        """A click on a mail of a sequence is counted when it turned out to be a person's."""
        request = self.env.context.get("nurture_request")
        if request and route_values.get("mailing_trace_id"):
            mails = self.env["mailing.trace"].sudo()
            mail_id = route_values.pop("mailing_trace_id")
            if mail := mails._nurture_find([("id", "=", mail_id)]):
                self.env["nurture.hit"].sudo()._note(mail, "click", request, code, route_values)
                return self.browse()
            route_values["mailing_trace_id"] = mail_id
        # the sequence wants to know which link it was
        return super(LinkTrackerClick, self.with_context(nurture_link_code=code)).add_click(
            code, **route_values
        )
