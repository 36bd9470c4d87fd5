/** Moving along time by hand: shift and drag, the wheel with Ctrl or Shift, two fingers. */

/** @import { Span } from "../types.js" */

import uPlot from "../../vendor/uPlot.esm.js";
import { panned, zoomed } from "../viewport.js";

/** A wheel's notch is some hundred pixels, and then doubles or halves in three. */
const WHEEL_ZOOM = 1.0024;

/** A browser that counts a wheel by lines. */
const LINE_PX = 33;

/** Fingers nearer than this make the range jump. */
const MIN_FINGERS_PX = 24;

/**
 * @param {uPlot} plot
 * @param {() => Span} onView
 * @param {(span: Span) => void} onGlide
 * @returns {() => void} stops it
 */
export function followHands(plot, onView, onGlide) {
  const { over } = plot;
  const abort = new AbortController();
  const { signal } = abort;
  const width = () => over.clientWidth || 1;

  over.addEventListener("wheel", (event) => {
    const sideways = event.shiftKey ? event.deltaY || event.deltaX : Math.abs(event.deltaX) > Math.abs(event.deltaY) ? event.deltaX : 0;
    if (!event.ctrlKey && !sideways) return;
    event.preventDefault();
    const pixels = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? 1 : LINE_PX;
    if (!event.ctrlKey) onGlide(panned(onView(), (sideways * pixels) / width()));
    else onGlide(zoomed(onView(), WHEEL_ZOOM ** (event.deltaY * pixels), event.offsetX / width()));
  }, { signal, passive: false });

  // Before uPlot, which would begin to select.
  over.addEventListener("mousedown", (event) => {
    if (!event.shiftKey || event.button !== 0) return;
    event.stopImmediatePropagation();
    event.preventDefault();
    const [from, at] = [onView(), event.clientX];
    const release = new AbortController();
    addEventListener("mousemove", (move) => onGlide(panned(from, (at - move.clientX) / width())), { signal: release.signal });
    addEventListener("mouseup", () => release.abort(), { signal: release.signal });
  }, { signal, capture: true });

  followPinch(over, signal, onView, onGlide);
  return () => abort.abort();
}

/**
 * Two fingers hold the times that they were put on.
 * @param {HTMLElement} over
 * @param {AbortSignal} signal
 * @param {() => Span} onView
 * @param {(span: Span) => void} onGlide
 */
function followPinch(over, signal, onView, onGlide) {
  /** @type {Map<number, number>} each finger's place */
  const fingers = new Map();
  /** @type {number[]} the times under them */
  let times = [];
  const place = (/** @type {PointerEvent} */ event) => event.clientX - over.getBoundingClientRect().left;
  const timeAt = (/** @type {number} */ x) => {
    const [from, to] = onView();
    return from + ((to - from) * x) / (over.clientWidth || 1);
  };

  over.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "touch") return;
    fingers.set(event.pointerId, place(event));
    times = fingers.size === 2 ? [...fingers.values()].map(timeAt) : [];
  }, { signal });
  over.addEventListener("pointermove", (event) => {
    if (!fingers.has(event.pointerId)) return;
    fingers.set(event.pointerId, place(event));
    if (times.length !== 2) return;
    const [a, b] = [...fingers.values()];
    if (Math.abs(b - a) < MIN_FINGERS_PX) return;
    const secondsAPixel = (times[1] - times[0]) / (b - a);
    const from = times[0] - a * secondsAPixel;
    if (secondsAPixel > 0) onGlide([from, from + secondsAPixel * over.clientWidth]);
  }, { signal });
  const lift = (/** @type {PointerEvent} */ event) => {
    fingers.delete(event.pointerId);
    times = [];
  };
  over.addEventListener("pointerup", lift, { signal });
  over.addEventListener("pointercancel", lift, { signal });
}
