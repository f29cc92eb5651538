from . import (
    test_install,
    test_obstacles,
    test_results,
    test_sms,
    test_step,
    test_timeline,
)
