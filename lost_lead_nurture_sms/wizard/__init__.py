from . import nurture_let_in, sms_composer
