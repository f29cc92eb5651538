"""What discount was granted on orders that are in the ledger already is worked out by the scheduled
action, as if they had changed."""


def migrate(cr, version):
    cr.execute("UPDATE nurture_outcome SET is_stale = true WHERE kind = 'order'")
