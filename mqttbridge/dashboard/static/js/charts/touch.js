/** Fingers on a chart: a sideways drag zooms as the mouse's does, a double tap resets; up and down still scrolls. */

const DOUBLE_TAP_MS = 300;

/**
 * @param {HTMLElement} over uPlot's topmost layer; its CSS says `touch-action: pan-y`
 * @param {() => void} onDoubleTap
 * @returns {() => void} stops it
 */
export function followTouch(over, onDoubleTap) {
  const abort = new AbortController();
  let tappedAt = 0;
  /** @type {PointerEvent | null} where a drag began; null while there is none */
  let began = null;

  /**
   * @param {string} type
   * @param {EventTarget} target
   * @param {PointerEvent} event
   */
  // uPlot takes a mousemove without movement for a browser bug, and skips it.
  const asMouse = (type, target, { clientX, clientY }) =>
    target.dispatchEvent(new MouseEvent(type, { bubbles: true, clientX, clientY, button: 0, buttons: 1, movementX: 1 }));

  /**
   * @param {string} type
   * @param {(event: PointerEvent) => void} handle
   */
  const on = (type, handle) =>
    over.addEventListener(type, (event) => {
      if (event instanceof PointerEvent && event.pointerType === "touch" && event.isPrimary) handle(event);
    }, { signal: abort.signal });

  // A second finger: it is no drag any more (see navigate.js). Where it began, the selection is empty.
  over.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "touch" || event.isPrimary || !began) return;
    asMouse("mousemove", over, began);
    asMouse("mouseup", document, began);
    began = null;
  }, { signal: abort.signal });
  on("pointerdown", (event) => {
    began = event;
    over.setPointerCapture(event.pointerId);
    asMouse("mousemove", over, event);
    asMouse("mousedown", over, event);
  });
  on("pointermove", (event) => began && asMouse("mousemove", over, event));
  on("pointerup", (event) => {
    if (!began) return;
    began = null;
    asMouse("mouseup", document, event);
    if (event.timeStamp - tappedAt < DOUBLE_TAP_MS) onDoubleTap();
    tappedAt = event.timeStamp;
  });
  // The browser took the finger for scrolling: let go where it started.
  on("pointercancel", (event) => {
    began = null;
    asMouse("mouseup", document, event);
    over.dispatchEvent(new MouseEvent("mouseleave"));
  });
  return () => abort.abort();
}
