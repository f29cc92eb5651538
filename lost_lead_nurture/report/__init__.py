from . import nurture_coming, nurture_report, nurture_result
