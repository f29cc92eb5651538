"""What the timeline of a participant says."""

from odoo.tools import html2plaintext


class TimelineMixin:
    def timeline(self, lead, user=None):
        participant = self.participant(lead).with_user(user or self.marketer)
        participant.env.flush_all()
        participant.env.invalidate_all()
        return participant.with_context(tz="UTC").get_timeline()

    def lines(self, lead, user=None):
        """Entries as (kind, text)."""
        return [
            (entry["kind"], html2plaintext(entry["text"]).replace("*", "").strip())
            for entry in self.timeline(lead, user)["entries"]
        ]

    def entry(self, lead, kind, user=None):
        """The one entry of this kind."""
        found = [one for one in self.timeline(lead, user)["entries"] if one["kind"] == kind]
        self.assertEqual(len(found), 1, self.lines(lead, user))
        return found[0]

    def why(self, lead, kind, user=None):
        return "; ".join(self.entry(lead, kind, user)["why"]).replace("\u202f", " ")
