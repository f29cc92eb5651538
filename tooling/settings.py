"""Where things lie, and what is fetched."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEV = ROOT / ".dev"  # all that this clone makes
LOGS = DEV / "logs"
DATA = DEV / "data"  # Odoo's data folder: file stores, sessions
FILESTORE = DATA / "filestore"
CACHE = Path(
    os.environ.get("LOST_LEAD_NURTURE_CACHE")
    or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "lost_lead_nurture")
)  # downloads, shared by all clones of this user

# The Debian package that the project was tested with. Another version is taken with a warning.
ODOO_PACKAGE = "odoo-19"
ODOO_VERSION = "19.0.0+dfsg-1"
ODOO_SHA256 = "9d2f598b0555db17e291d48ed24df184c70823c053c4c5ed53c467ca7f629bbf"
# Debian replaces Odoo's copies of these fonts by links to its own packages.
FONT_PACKAGES = ("fonts-inconsolata", "fonts-montserrat", "fonts-ocr-b", "fonts-roboto-unhinted")

# Every database that tests and demo start from holds these modules (and what they bring along).
BASE_MODULES = (
    "contacts",
    "crm",
    "mass_mailing",
    "mass_mailing_crm",
    "mass_mailing_crm_sms",
    "mass_mailing_sale",
    "mass_mailing_sms",
    "sale_crm",
    "sale_management",
)

DEMO_DATABASE = "demo"
DEMO_PORT = 8069
LOGIN = PASSWORD = "admin"
