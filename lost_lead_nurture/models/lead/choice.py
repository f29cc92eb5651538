from functools import partial

from odoo import SUPERUSER_ID, api, models
from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Domain

from ...tools.domain_words import describe
from ...tools.domains import (
    ERRORS,
    LostRights,
    get_alternatives,
    get_parts,
    is_own,
    read_domain,
    say,
)

#: Fields of a lead that are searched by its columns, by its address only, or by why it was made.
OWN_FIELDS = ("days_since_lost", "is_blacklisted", "nurture_silent_preset_ids")


class CrmLead(models.Model):
    """How the filters that people write choose leads.

    Sequences are run with all rights, filters are not: what a filter finds tells of what it looks
    at. So one that looks beyond the lead itself, at its contact, its orders or its messages, finds
    what its author may see, and whoever looks on sees what both may. What stands on the lead is for
    all marketers of its company, and is asked for without such detours.
    """

    _inherit = "crm.lead"

    @api.model
    def _nurture_choose(self, choice, authors, companies, viewer=None):
        """The leads that a filter chooses. Nothing is searched yet.

        :param choice: the filter as it was written, or the ``Domain`` made of it
        :param authors: list of the ``res.users`` who have a say in it: it chooses what each of
            them may find; the superuser may find everything
        :param companies: the ``res.company`` whose leads it is about
        :param viewer: the ``res.users`` who looks on, if somebody does
        :return: ``Domain`` that finds the same with whatever rights it is searched
        :raise ValidationError: when it is not a domain on leads, in the user's words
        :raise LostRights: when an author may not look at these leads, or at what it looks at
        :raise AccessError: when the viewer may not
        """
        try:
            domain = choice if isinstance(choice, Domain) else read_domain(choice)
            if is_own(domain, self, OWN_FIELDS):
                # what cannot be searched for is noticed now
                self.sudo()._search(domain)
                return domain
        except ERRORS as error:
            raise self._nurture_not_usable(choice, error) from error
        users = self._nurture_get_finders(authors, companies, viewer)
        if not users:
            return domain
        return Domain.AND(self._nurture_find_as(user, companies, domain) for user in users)

    def _nurture_choose_as_lost(self, domain, reason, authors, companies, viewer=None):
        """Those of the leads that a filter would choose if they had just been lost for ``reason``;
        other arguments and errors as :meth:`_nurture_choose`. What it asks of other records is
        looked up as it is, with the rights of each user."""
        if is_own(domain, self, OWN_FIELDS):
            return self._nurture_filter_as_lost(domain, reason)
        chosen = self
        for user in self._nurture_get_finders(authors, companies, viewer) or [self.env.user]:
            look_up = partial(self._nurture_look_up, user, companies, reason)
            chosen = chosen._nurture_filter_as_lost(domain.map_conditions(look_up), reason)
        return chosen

    def _nurture_look_up(self, user, companies, reason, condition):
        """What ``user`` finds out about the leads by a condition of a filter, as a ``Domain`` on
        what stands on them."""
        if is_own(condition, self, OWN_FIELDS):
            return condition
        name, _dot, path = condition.field_expr.partition(".")
        if name != "lost_reason_id":
            found = self._nurture_find_as(user, companies, condition)
            found &= Domain("id", "in", self.ids)
            return Domain("id", "in", self.sudo().with_context(active_test=False).search(found).ids)
        # of the reason for which they are about to be lost
        operator, value = condition.operator, condition.value
        if "any" in operator and not path:
            asked = Domain(value) if operator == "any" else ~Domain(value)
        else:
            asked = Domain(path or "display_name", operator, value)
        reasons = self._nurture_as(user, companies).env["crm.lost.reason"]
        found = reasons.search_count(asked & Domain("id", "=", reason.id))
        return Domain.TRUE if found else Domain.FALSE

    def _nurture_find_failing(self, choice, authors, companies, viewer=None):
        """Which parts of a filter keep it from choosing these leads: each is evaluated as the whole
        is; arguments and errors as :meth:`_nurture_choose`.

        :return: list of (part as a ``Domain``, the leads that it does not hold for);
            ``Domain.TRUE`` for those that an author or the viewer may not see
        """
        domain = choice if isinstance(choice, Domain) else read_domain(choice)
        users = []
        if not is_own(domain, self, OWN_FIELDS):
            users = self._nurture_get_finders(authors, companies, viewer)
        leads = self.sudo().with_context(active_test=False)

        def find(part):
            found = [self._nurture_find_as(user, companies, part) for user in users] or [part]
            return leads.search(Domain.AND(found) & Domain("id", "in", leads.ids))

        seen = find(Domain.TRUE) if users else leads
        failing = [(part, seen - find(part)) for part in get_parts(domain)] if seen else []
        failing.append((Domain.TRUE, leads - seen))
        return [(part, none.with_env(self.env)) for part, none in failing if none]

    @api.model
    def _nurture_describe_part(self, part):
        """A part of a filter that does not hold, see :meth:`_nurture_find_failing`, in words for
        the user. A rule that looks at what they may not see is not described."""
        if part.is_true():
            return self.env._("Who wrote the filter may not see this lead")
        leads = self.with_user(self.env.user)
        try:
            if not is_own(part, leads, OWN_FIELDS):
                with self.env.cr.savepoint(flush=False):
                    leads._search(part)
            words = describe(leads, part)
        except ERRORS:
            return self.env._("A rule that looks at what you may not see, or that is gone")
        if get_alternatives(part):
            return self.env._("None of these: %s", words)
        return words

    @api.model
    def _nurture_get_finders(self, authors, companies, viewer):
        """Whose rights limit what a filter finds: none where the superuser wrote it and nobody
        looks on.

        :raise LostRights: when an author is nobody any more who may write it
        """
        users = []
        for user in authors:
            self._nurture_check_author(user.sudo(), companies)
            if user not in users and user.id != SUPERUSER_ID:
                users.append(user)
        if viewer and viewer not in users and viewer.id != SUPERUSER_ID:
            users.append(viewer)
        return users

    @api.model
    def _nurture_as(self, user, companies):
        """Leads as ``user`` sees them who works in ``companies``, whatever the context says."""
        context = {key: self.env.context[key] for key in ("lang", "tz") if key in self.env.context}
        context |= {
            "active_test": False,
            "allowed_company_ids": (companies & user.sudo().company_ids).ids,
        }
        return self.with_env(self.env(user=user.id, su=False, context=context)).browse()

    @api.model
    def _nurture_find_as(self, user, companies, domain):
        """The leads that ``domain`` finds with the rights of ``user``, as a ``Domain``."""
        leads = self._nurture_as(user, companies)
        try:
            # some fields are searched for at once
            with self.env.cr.savepoint(flush=False):
                return Domain("id", "any!", leads._search(Domain(domain)))
        except AccessError as error:
            raise self._nurture_not_for(user) from error
        except ERRORS as error:
            raise self._nurture_not_usable(domain, error) from error

    @api.model
    def _nurture_not_for(self, user):
        if user == self.env.user and not self.env.su:
            return AccessError(
                self.env._("A filter of the sequence looks at what you may not see.")
            )
        return LostRights(
            self.env._("A filter of %s looks at what its author may not see.", user.sudo().name)
        )

    @api.model
    def _nurture_not_usable(self, choice, error):
        return ValidationError(
            self.env._(
                "This filter cannot be used: %(domain)s\n%(error)s",
                domain=repr(choice) if isinstance(choice, Domain) else choice,
                error=say(self.env, error),
            )
        )

    @api.model
    def _nurture_check_author(self, author, companies):
        """Check that the author of a filter is still somebody who may write it.

        :param author: ``res.users``, with all rights
        :raise LostRights: in words, when not
        """
        if not author:
            raise LostRights(
                self.env._("A filter looks beyond the leads, and nobody knows who wrote it.")
            )
        if author.id == SUPERUSER_ID:
            return
        if not author.active:
            raise LostRights(
                self.env._("%s, who wrote a filter, is not there any more.", author.name)
            )
        if not self._nurture_as(author, companies).env["nurture.sequence"].has_access("write"):
            raise LostRights(
                self.env._("%s, who wrote a filter, is no marketer any more.", author.name)
            )
        if foreign := companies - author.company_ids:
            raise LostRights(
                self.env._(
                    "%(user)s, who wrote a filter, does not work for %(companies)s.",
                    user=author.name,
                    companies=", ".join(foreign.sudo().mapped("name")),
                )
            )
