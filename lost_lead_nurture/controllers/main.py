from odoo.http import request

from odoo.addons.mass_mailing.controllers.main import MassMailController


class NurtureMailController(MassMailController):
    def _mailing_unsubscribe_from_document(self, mailing, document_id, email, hash_token):
        # core turns the request into a blacklist entry: remember that the reader asked for it
        request.update_context(nurture_exit_reason="unsubscribed")
        return super()._mailing_unsubscribe_from_document(mailing, document_id, email, hash_token)
