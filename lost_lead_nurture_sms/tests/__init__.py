from . import (
    test_core,
    test_guard,
    test_install,
    test_exclusions,
    test_results,
    test_sms,
    test_step,
    test_timeline,
)
