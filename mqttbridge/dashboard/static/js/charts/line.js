/** Numbers: a line, with silence left open. */

/** @import { Series } from "../series.js" */
/** @import { Stream } from "../stream.js" */
/** @import { PlotHandlers } from "./plot.js" */

import uPlot from "../../vendor/uPlot.esm.js";
import { formatTick } from "../format.js";
import { lowerBound, upperBound } from "../series.js";
import { Growth } from "./growth.js";
import { drawEarlier } from "./overlay.js";
import { linePaths } from "./path.js";
import { Plot } from "./plot.js";

/** A scale spans at least so many steps of the values' last digit, by their decimals: one step is no cliff. */
const LEAST_STEPS = [5, 10, 20];

/** Pixels between the labels of the y axis: as many as fit, and two at least. */
const LABEL_SPACE = { least: 18, most: 34 };
const LABEL_SHARE = 1 / 4;

/** What is drawn narrower than this is a tick that one overlooks: it gets dots. */
const NARROW_PX = 3;

/** @type {uPlot.Axis} as wide as its labels, which are as many as fit */
export const valueAxis = {
  size: (_plot, labels) => 14 + 6.2 * Math.max(2, ...(labels ?? []).map((label) => label.length)),
  space: (_plot, _axis, _from, _to, height) =>
    Math.min(Math.max(height * LABEL_SHARE, LABEL_SPACE.least), LABEL_SPACE.most),
  values: (_plot, ticks, _axis, _space, step) => ticks.map((tick) => formatTick(tick, step)),
};

/**
 * @typedef {object} LineLook
 * @property {number | null} [min] of the scale; by the values where it is not given
 * @property {number | null} [max]
 * @property {{at: number, colour: string}[]} [marks] lines across
 * @property {number} [lane] see Plot
 */

/**
 * @param {HTMLElement} parent
 * @param {Stream} stream
 * @param {PlotHandlers} handlers
 * @param {LineLook} [look]
 */
export function linePlot(parent, stream, handlers, { min = null, max = null, marks = [], lane } = {}) {
  const { color } = getComputedStyle(parent);
  const area = color.replace("rgb(", "rgba(").replace(")", ", 0.09)");
  const width = 1.6;
  return new Plot(parent, stream, handlers, {
    lane,
    data: () => [stream.line.epochs, stream.line.values],
    series: {
      stroke: color,
      width,
      fill: () => (stream.layer.rollup ? "transparent" : area),
      paths: (plot) => linePaths(plot, stream.line, stream.line.gap, true),
      points: { size: 4.5, fill: color, filter: (plot, _series, show) => (show ? null : lonePoints(plot, stream)) },
    },
    yRange: ([from, to]) => {
      const extents = [extentOf(stream, from, to), earlierExtentOf(handlers.earlier?.(stream), from, to)];
      return within(yRange(...widest(extents), stream.decimals), min, max);
    },
    yAxis: valueAxis,
    hooks: {
      drawAxes: [(plot) => drawMarks(plot, marks), (plot) => {
        drawReach(plot, stream, color);
        const earlier = handlers.earlier?.(stream);
        if (earlier) drawEarlier(plot, earlier, color);
      }],
    },
    growth: new Growth(stream, { stroke: color, width, area }),
  });
}

/**
 * The same as `extentOf` of the time before; nothing where nothing is compared.
 * @param {Series | null | undefined} earlier
 * @param {number} from
 * @param {number} to
 */
export const earlierExtentOf = (earlier, from, to) =>
  /** @type {[number | null, number | null]} */ (earlier ? extentOf({ layer: { series: earlier }, gap: earlier.gap }, from, to) : [null, null]);

/**
 * @param {[number | null, number | null][]} extents
 * @returns {[number | null, number | null]}
 */
export function widest(extents) {
  const known = /** @type {number[]} */ (extents.flat().filter((one) => one !== null));
  return known.length ? [Math.min(...known), Math.max(...known)] : [null, null];
}

/**
 * A scale whose ends were chosen, both or one of them.
 * @param {[number, number]} range by the values
 * @param {number | null} min
 * @param {number | null} max
 * @returns {[number, number]}
 */
export function within([low, high], min, max) {
  const [from, to] = [min ?? Math.min(low, max ?? low), max ?? Math.max(high, min ?? high)];
  return from < to ? [from, to] : [from, from + 1];
}

/**
 * Thresholds: dashed lines behind the values.
 * @param {uPlot} plot
 * @param {{at: number, colour: string}[]} marks
 */
export function drawMarks(plot, marks) {
  const { ctx, bbox } = plot;
  const { min = 0, max = 0 } = plot.scales.y;
  ctx.save();
  ctx.lineWidth = uPlot.pxRatio;
  ctx.setLineDash([4 * uPlot.pxRatio, 4 * uPlot.pxRatio]);
  for (const { at, colour } of marks) {
    if (at < min || at > max) continue;
    const y = Math.round(plot.valToPos(at, "y", true));
    ctx.strokeStyle = colour;
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
  }
  ctx.restore();
}

/**
 * The least and greatest value that the line shows between two times. Where it comes in and goes out of sight
 * it is between two points; where nothing is in sight, the last value before says where it was.
 * @param {Pick<Stream, "gap"> & {layer: {series: {epochs: number[], values: any[]}}}} stream
 * @param {number} from
 * @param {number} to
 * @returns {[number | null, number | null]}
 */
export function extentOf(stream, from, to) {
  const { epochs, values } = stream.layer.series;
  const [first, end] = [lowerBound(epochs, from), upperBound(epochs, to)];
  const shown = values.slice(first, end);
  for (const [i, edge] of [[first, from], [end, to]]) {
    if (i < 1 || i >= epochs.length || epochs[i] - epochs[i - 1] > stream.gap) continue;
    shown.push(values[i - 1] + ((values[i] - values[i - 1]) * (edge - epochs[i - 1])) / (epochs[i] - epochs[i - 1]));
  }
  if (!shown.length && first > 0) shown.push(values[first - 1]);
  let [least, greatest] = [Infinity, -Infinity];
  for (const value of shown) {
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  return shown.length ? [least, greatest] : [null, null];
}

/**
 * Room above and below, rounded so that the scale does not tremble with every value, and wide enough that the
 * last digit's flicker does not look like an event.
 * @param {number | null} least
 * @param {number | null} greatest
 * @param {number} decimals the values' own
 * @returns {[number, number]}
 */
export function yRange(least, greatest, decimals) {
  if (least === null || greatest === null) return [0, 1];
  const steps = LEAST_STEPS[Math.min(decimals, LEAST_STEPS.length - 1)];
  const missing = steps * 10 ** -decimals - (greatest - least);
  if (missing > 0) {
    const low = least >= 0 ? Math.max(0, least - missing / 2) : least - missing / 2;
    return [low, low + missing + (greatest - least)];
  }
  const [low, high] = uPlot.rangeNum(least, greatest, 0.1, true);
  return [low ?? least, high ?? greatest];
}

/**
 * The points to mark where a line has none or next to none: alone between silences, or in one short burst.
 * @param {uPlot} plot
 * @param {Stream} stream
 */
function lonePoints(plot, stream) {
  const epochs = /** @type {number[]} */ (plot.data[0]);
  const { min = 0, max = 0 } = plot.scales.x;
  const narrow = (NARROW_PX * (max - min) * uPlot.pxRatio) / (plot.bbox.width || 1);
  const { gap } = stream.line;
  const lone = [];
  for (let start = lowerBound(epochs, min), end = start; start < epochs.length && epochs[start] <= max; start = end) {
    for (end = start + 1; end < epochs.length && epochs[end] - epochs[end - 1] <= gap; ) end++;
    const comesIn = start > 0 && epochs[start] - epochs[start - 1] <= gap;
    if (comesIn || epochs[end - 1] - epochs[start] > narrow) continue;
    for (let i = start; i < end; i++) lone.push(i);
  }
  return lone;
}

/**
 * From the least to the greatest of each cell that the line's means are of.
 * @param {uPlot} plot
 * @param {Stream} stream
 * @param {string} color
 */
export function drawReach(plot, { layer: { rollup }, line: { gap } }, color) {
  if (!rollup) return;
  const { ctx, bbox } = plot;
  const { min = 0, max = 0 } = plot.scales.x;
  const { epochs, least, greatest } = rollup;
  const [first, end] = [Math.max(lowerBound(epochs, min) - 1, 0), Math.min(upperBound(epochs, max) + 1, rollup.length)];
  const x = (/** @type {number} */ i) => plot.valToPos(epochs[i], "x", true);
  const y = (/** @type {number} */ value) => plot.valToPos(value, "y", true);
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.fillStyle = color;
  ctx.globalAlpha = 0.2;
  for (let from = first, to = first; from < end; from = to) {
    for (to = from + 1; to < end && epochs[to] - epochs[to - 1] <= gap; ) to++;
    ctx.beginPath();
    for (let i = from; i < to; i++) ctx.lineTo(x(i), y(greatest[i]));
    for (let i = to - 1; i >= from; i--) ctx.lineTo(x(i), y(least[i]));
    ctx.fill();
  }
  ctx.restore();
}
