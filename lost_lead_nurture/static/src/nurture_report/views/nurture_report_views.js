import { registry } from "@web/core/registry";
import { GraphRenderer } from "@web/views/graph/graph_renderer";
import { graphView } from "@web/views/graph/graph_view";
import { PivotRenderer } from "@web/views/pivot/pivot_renderer";
import { pivotView } from "@web/views/pivot/pivot_view";
import { NurtureCountDate } from "../nurture_count_date";

export class NurtureReportGraphRenderer extends GraphRenderer {
    static template = "lost_lead_nurture.GraphRenderer";
    static components = { ...GraphRenderer.components, NurtureCountDate };
}

export class NurtureReportPivotRenderer extends PivotRenderer {
    static template = "lost_lead_nurture.PivotRenderer";
    static components = { ...PivotRenderer.components, NurtureCountDate };
}

registry.category("views").add("nurture_report_graph", {
    ...graphView,
    Renderer: NurtureReportGraphRenderer,
});
registry.category("views").add("nurture_report_pivot", {
    ...pivotView,
    Renderer: NurtureReportPivotRenderer,
});
