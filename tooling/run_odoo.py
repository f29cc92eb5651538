"""Odoo's command line, less one warning (see odoo.py beside this file for the surroundings).

Run as a program. Its path in the list of processes is how ./dev stop finds our servers.
"""

import sys

# Odoo must not take the modules beside this file for top-level ones.
sys.path.pop(0)

import odoo.cli.server

# In a container everything runs as root, and nobody but this computer reaches the server.
odoo.cli.server.check_root_user = lambda: None

if __name__ == "__main__":
    odoo.cli.main()
