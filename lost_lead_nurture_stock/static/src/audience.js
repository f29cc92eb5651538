import { FIELDS } from "@lost_lead_nurture/nurture_audience/nurture_audience";

FIELDS.push("wait_for_stock");
