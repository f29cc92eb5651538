from odoo import http
from odoo.http import content_disposition, request

#: What Excel files are, as core's own export says it.
CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def choose_companies(records, cids):
    """``records`` as seen with these companies chosen, which have to be the user's."""
    if not cids:
        return records
    own = {str(id_): id_ for id_ in request.env.user._get_company_ids()}
    chosen = [id_ for id_ in cids.split("-") if id_.isdecimal()]
    if not chosen or set(chosen) - own.keys():
        raise request.not_found()
    return records.with_context(allowed_company_ids=[own[id_] for id_ in chosen])


class NurtureResultsController(http.Controller):
    @http.route("/nurture/sequence/<int:sequence_id>/results.xlsx", type="http", auth="user")
    def nurture_results(self, sequence_id, cids=""):
        """What a sequence came to, as far as whoever is logged in may see it.

        :param cids: ids of the companies that are chosen in the web client, as it writes them into
            its cookie; without them those of the user
        """
        sequences = choose_companies(request.env["nurture.sequence"], cids)
        sequence = sequences.browse(sequence_id).exists()
        if not sequence or not sequence.has_access("read"):
            # whether it exists is nobody else's business
            raise request.not_found()
        return request.make_response(
            sequence._make_results_workbook(),
            headers=[
                ("Content-Type", CONTENT_TYPE),
                ("Content-Disposition", content_disposition(sequence._get_results_file_name())),
            ],
        )
