from . import (
    crm_lead,
    nurture_participant,
    nurture_past,
    nurture_preset,
    nurture_sequence,
    nurture_stock_claim,
    nurture_stock_level,
    nurture_trace,
    product_product,
)
