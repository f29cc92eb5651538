import contextlib
from pathlib import Path

from odoo import api, models


class IrAttachment(models.Model):
    """A file that could not be written does not keep a step from being tried again."""

    _inherit = "ir.attachment"

    @api.model
    def _file_write(self, bin_value, checksum):
        try:
            return super()._file_write(bin_value, checksum)
        except OSError:
            # Core leaves what fitted on the disk, and then takes that for another file with the
            # same checksum: it would refuse the content for ever.
            with contextlib.suppress(OSError):
                file = Path(self._full_path(f"{checksum[:2]}/{checksum}"))
                if file.stat().st_size < len(bin_value):
                    file.unlink()
            raise
