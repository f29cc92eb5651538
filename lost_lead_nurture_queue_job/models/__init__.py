from . import nurture_sequence, nurture_step, res_config_settings
