/** Numbers: a line, with silence left open. */

/** @import { Stream } from "../stream.js" */
/** @import { PlotHandlers } from "./plot.js" */

import uPlot from "../../vendor/uPlot.esm.js";
import { formatTick } from "../format.js";
import { Plot } from "./plot.js";

/** A scale spans at least so many steps of the values' last digit. */
const LEAST_STEPS = 5;

/**
 * @param {HTMLElement} parent
 * @param {Stream} stream
 * @param {PlotHandlers} handlers
 */
export function linePlot(parent, stream, handlers) {
  const { color } = getComputedStyle(parent);
  return new Plot(parent, stream, handlers, {
    series: {
      stroke: color,
      width: 1.6,
      fill: color.replace("rgb(", "rgba(").replace(")", ", 0.09)"),
      gaps: (plot, _series, from, to) => gapsInPixels(plot, stream, from, to),
      points: { size: 4.5, fill: color, filter: (plot, _series, show, gaps) => lonePoints(plot, show, gaps) },
    },
    y: { range: (_plot, least, greatest) => yRange(least, greatest, stream.decimals) },
    yAxis: {
      size: (_plot, labels) => 14 + 6.2 * Math.max(2, ...(labels ?? []).map((label) => label.length)),
      space: 34,
      values: (_plot, ticks, _axis, _space, step) => ticks.map((tick) => formatTick(tick, step)),
    },
    hooks: { draw: [(plot) => drawNewest(plot, color)] },
  });
}

/**
 * Room above and below, rounded so that the scale does not tremble with every value, and wide enough that the
 * last digit's flicker does not look like an event.
 * @param {number | null} least
 * @param {number | null} greatest
 * @param {number} decimals the values' own
 * @returns {[number, number]}
 */
function yRange(least, greatest, decimals) {
  if (least === null || greatest === null) return [0, 1];
  const missing = LEAST_STEPS * 10 ** -decimals - (greatest - least);
  if (missing > 0) {
    const low = least >= 0 ? Math.max(0, least - missing / 2) : least - missing / 2;
    return [low, low + missing + (greatest - least)];
  }
  const [low, high] = uPlot.rangeNum(least, greatest, 0.1, true);
  return [low ?? least, high ?? greatest];
}

/**
 * Silences longer than the stream's usual intervals, as [from, to] in canvas pixels.
 * @param {uPlot} plot
 * @param {Stream} stream
 * @param {number} from index
 * @param {number} to index
 */
function gapsInPixels(plot, stream, from, to) {
  const [epochs] = plot.data;
  const { gap } = stream.layer.series;
  const gaps = [];
  for (let i = Math.max(from, 1); i <= to; i++) {
    if (epochs[i] - epochs[i - 1] <= gap) continue;
    gaps.push([plot.valToPos(epochs[i - 1], "x", true), plot.valToPos(epochs[i], "x", true)]);
  }
  return gaps;
}

/**
 * Which points to mark: all when they are few, else those that no line goes through.
 * @param {uPlot} plot
 * @param {boolean} show
 * @param {number[][] | null | undefined} gaps
 */
function lonePoints(plot, show, gaps) {
  if (show || !gaps?.length) return null;
  const lone = [];
  const starts = new Set(gaps.map(([from]) => from));
  for (const [, end] of gaps) {
    if (starts.has(end)) lone.push(plot.posToIdx(end / uPlot.pxRatio - plot.bbox.left / uPlot.pxRatio));
  }
  return lone;
}

/**
 * A dot on the newest value, where the eye looks for news.
 * @param {uPlot} plot
 * @param {string} color
 */
function drawNewest(plot, color) {
  const [epochs, values] = plot.data;
  const last = epochs.length - 1;
  const { min = 0, max = 0 } = plot.scales.x;
  if (last < 0 || epochs[last] < min || epochs[last] > max) return;
  const { ctx } = plot;
  ctx.fillStyle = color;
  ctx.beginPath();
  const [x, y] = [plot.valToPos(epochs[last], "x", true), plot.valToPos(Number(values[last]), "y", true)];
  ctx.arc(x, y, 2.8 * uPlot.pxRatio, 0, 2 * Math.PI);
  ctx.fill();
}
