# what the others extend comes first
from . import nurture_report_mixin, nurture_report  # isort: skip
from . import (
    nurture_coming,
    nurture_contradiction,
    nurture_locked,
    nurture_report_facts,
    nurture_report_kept,
    nurture_report_pages,
    nurture_result,
    nurture_retired,
)
