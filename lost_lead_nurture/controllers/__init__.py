from . import main, results
