from . import consent, leaving, main, results
