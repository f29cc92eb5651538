from . import nurture_dry_run_line
