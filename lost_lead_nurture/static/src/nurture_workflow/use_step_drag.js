import { makeDraggableHook } from "@web/core/utils/draggable_hook_builder_owl";
import { pick } from "@web/core/utils/objects";

/**
 * Drag a step onto another one. As `useDraggable`, and:
 *
 * - `targets`: selector of what a step can be dropped on
 * - `onEnter`, `onLeave`: called with the `target` that the pointer comes to, and goes from
 * - `onDrop`: called with the `element` and the `target`, when there is one
 */
export const useStepDrag = makeDraggableHook({
    name: "useStepDrag",
    acceptedParams: { targets: [String] },
    defaultParams: { edgeScrolling: { speed: 20, threshold: 60 } },
    onComputeParams({ ctx, params }) {
        ctx.targetSelector = params.targets;
    },
    onWillStartDrag: ({ ctx }) => pick(ctx.current, "element"),
    onDragStart({ ctx, addListener, addStyle, callHandler }) {
        const { current, ref, targetSelector } = ctx;
        // the card leaves its place on the page, which stays as large as it was
        addStyle(current.element.parentElement, { minHeight: `${current.elementRect.height}px` });
        for (const target of ref.el.querySelectorAll(targetSelector)) {
            if (target === current.element) {
                continue;
            }
            addListener(target, "pointerenter", () => {
                current.target = target;
                callHandler("onEnter", { target });
            });
            addListener(target, "pointerleave", () => {
                if (current.target === target) {
                    current.target = null;
                }
                callHandler("onLeave", { target });
            });
        }
        return pick(current, "element");
    },
    onDragEnd: ({ ctx }) => pick(ctx.current, "element", "target"),
    onDrop({ ctx }) {
        const { element, target } = ctx.current;
        return target ? { element, target } : undefined;
    },
});
