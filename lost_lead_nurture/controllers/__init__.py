from . import consent, main, results
