from . import consent, leaving, main, quotation, results
