# what the others extend comes first
from . import consent  # isort: skip
from . import consent_mixin  # isort: skip
from . import crm_lead, history, res_partner
