/**
 * The line through a series' points, cheap to paint: a browser without a graphics card pays for every corner of it.
 *
 * Points of one pixel's column are drawn as one stroke from the least to the greatest, which is all that can be seen
 * of them. The columns are those of an absolute grid of time, so that a line that moves does not shimmer.
 */

/** @import { Series } from "../series.js" */

import uPlot from "../../vendor/uPlot.esm.js";
import { lowerBound, upperBound } from "../series.js";

/**
 * @param {uPlot} plot
 * @param {Pick<Series, "epochs" | "values">} series
 * @param {number} gap seconds of silence that are left open
 * @param {boolean} [filled] whether the room between the line and zero is filled, too
 * @returns {uPlot.Series.Paths}
 */
export function linePaths(plot, { epochs, values }, gap, filled = false) {
  const { bbox, scales: { x: { min = 0, max = 1 }, y: { min: bottom = 0, max: top = 1 } } } = plot;
  const perSecond = bbox.width / (max - min);
  const perUnit = bbox.height / (top - bottom);
  const x = (/** @type {number} */ epoch) => bbox.left + (epoch - min) * perSecond;
  const y = (/** @type {number} */ value) => bbox.top + (top - value) * perUnit;
  const ground = y(Math.min(Math.max(0, bottom), top));
  const stroke = new Path2D();
  const fill = filled ? new Path2D() : null;
  let open = false;
  let edge = 0;
  const close = () => {
    if (open) fill?.lineTo(edge, ground);
    open = false;
  };
  const end = Math.min(upperBound(epochs, max) + 1, epochs.length);
  let next = 0;
  for (let i = Math.max(lowerBound(epochs, min) - 1, 0); i < end; i = next) {
    const column = Math.floor((epochs[i] * perSecond) / uPlot.pxRatio);
    let [least, greatest] = [i, i];
    for (next = i + 1; next < end && Math.floor((epochs[next] * perSecond) / uPlot.pxRatio) === column; next++) {
      if (values[next] < values[least]) least = next;
      if (values[next] > values[greatest]) greatest = next;
    }
    const [first, last] = least < greatest ? [least, greatest] : [greatest, least];
    if (open && epochs[i] - epochs[i - 1] > gap) close();
    if (open) {
      stroke.lineTo(x(epochs[first]), y(values[first]));
    } else {
      stroke.moveTo(x(epochs[first]), y(values[first]));
      fill?.moveTo(x(epochs[first]), ground);
      open = true;
    }
    if (last !== first) stroke.lineTo(x(epochs[last]), y(values[last]));
    edge = x(epochs[last]);
    fill?.lineTo(edge, y(values[greatest]));
  }
  close();
  return { stroke, fill };
}
