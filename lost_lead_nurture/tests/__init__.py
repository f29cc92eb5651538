from . import (
    test_abuse,
    test_access,
    test_bad_input,
    test_engine,
    test_entry,
    test_preset,
    test_promises,
    test_results,
    test_step_types,
    test_tours,
    test_triggers,
    test_ways_out,
)
