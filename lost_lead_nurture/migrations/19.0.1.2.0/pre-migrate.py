"""What came of mailings is in a ledger now: credits are shares of outcomes. Those that were are
kept aside, until the ledger is there."""


def migrate(cr, version):
    cr.execute("CREATE TABLE nurture_credit_before AS SELECT lead_id, date FROM nurture_credit")
    cr.execute("DROP TABLE nurture_credit CASCADE")
