from odoo import http
from odoo.http import content_disposition, request

#: What Excel files are, as core's own export says it.
_CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class NurtureResultsController(http.Controller):
    @http.route("/nurture/sequence/<int:sequence_id>/results.xlsx", type="http", auth="user")
    def nurture_results(self, sequence_id):
        """What a sequence came to, as far as whoever is logged in may see it."""
        sequence = request.env["nurture.sequence"].browse(sequence_id).exists()
        if not sequence or not sequence.has_access("read"):
            # whether it exists is nobody else's business
            raise request.not_found()
        return request.make_response(
            sequence._make_results_workbook(),
            headers=[
                ("Content-Type", _CONTENT_TYPE),
                ("Content-Disposition", content_disposition(sequence._get_results_file_name())),
            ],
        )
