from . import (
    test_back_in_stock,
    test_contradictions,
    test_core,
    test_install,
    test_lead,
    test_quantities,
    test_random,
    test_replay,
    test_rights,
    test_sms,
    test_waves,
)
