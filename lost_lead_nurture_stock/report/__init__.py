from . import nurture_contradiction
