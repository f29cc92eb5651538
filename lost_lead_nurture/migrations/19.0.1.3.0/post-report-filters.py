"""The analysis has a field for what a record is about: its filters ask for that, as far as nobody
has changed them."""


def migrate(cr, version):
    cr.execute(
        """
        UPDATE ir_filters
           SET domain = '[(''kind'', ''='', ''mail'')]'
         WHERE model_id = 'nurture.report' AND domain = '[(''sent'', ''='', 1)]'
        """
    )
