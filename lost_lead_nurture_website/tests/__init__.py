from . import test_core, test_install, test_replay, test_visit
