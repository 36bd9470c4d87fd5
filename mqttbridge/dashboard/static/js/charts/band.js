/** Booleans: a band that is filled while the state is on. A state holds until the next word, so it has no gaps. */

/** @import { Stream } from "../stream.js" */
/** @import { PlotHandlers } from "./plot.js" */

import uPlot from "../../vendor/uPlot.esm.js";
import { Plot } from "./plot.js";

/** The band's height, as a share of the plot's. */
const THICKNESS = 0.36;

/**
 * @param {HTMLElement} parent
 * @param {Stream} stream
 * @param {PlotHandlers} handlers
 * @param {{lane?: number}} [look] see Plot
 */
export function bandPlot(parent, stream, handlers, { lane } = {}) {
  const { color } = getComputedStyle(parent);
  return new Plot(parent, stream, handlers, {
    lane,
    series: { paths: () => null, points: { show: false }, stroke: color },
    yRange: () => [0, 1],
    yAxis: { show: false, size: 0 },
    sidePadding: 16,
    cursorPoint: false,
    cursorIndex: (plot, _series, nearest, time) => (plot.data[0][nearest] > time ? nearest - 1 : nearest),
    hooks: {
      draw: [(plot) => {
        drawBand(plot, states(stream, ...spanOf(plot), handlers.knownUntil()), color);
        const earlier = handlers.earlier?.(stream);
        if (earlier) drawBefore(plot, states({ layer: { series: earlier } }, ...spanOf(plot), handlers.knownUntil()), color);
      }],
    },
  });
}

/**
 * The states in a span of time, each from its word to the next. The first word may be older: a snapshot begins with the
 * point before it.
 * @param {{layer: {series: {epochs: number[], values: any[]}}}} stream
 * @param {number} from epoch seconds
 * @param {number} to
 * @param {number} knownUntil
 * @returns {{from: number, to: number, on: boolean}[]}
 */
export function states(stream, from, to, knownUntil) {
  const { epochs, values } = stream.layer.series;
  /** @type {{from: number, on: boolean}[]} */
  const said = [];
  for (let i = 0; i < epochs.length; i++) {
    if (said.at(-1)?.on !== values[i]) said.push({ from: epochs[i], on: values[i] });
  }
  const end = Math.min(to, knownUntil);
  return said
    .map((state, i) => ({ from: Math.max(state.from, from), to: Math.min(said[i + 1]?.from ?? end, end), on: state.on }))
    .filter((state) => state.to > state.from);
}

/**
 * @param {uPlot} plot
 * @returns {[number, number]} epoch seconds
 */
const spanOf = ({ scales: { x: { min = 0, max = 0 } } }) => [min, max];

/**
 * The states of the time before: a thin strip at the foot.
 * @param {uPlot} plot
 * @param {ReturnType<typeof states>} earlier
 * @param {string} color
 */
function drawBefore(plot, earlier, color) {
  const { ctx, bbox } = plot;
  const height = 4 * uPlot.pxRatio;
  ctx.save();
  ctx.fillStyle = color;
  ctx.globalAlpha = 0.45;
  for (const { from, to } of earlier.filter(({ on }) => on)) {
    const x = plot.valToPos(from, "x", true);
    ctx.fillRect(x, bbox.top + bbox.height - height, Math.max(plot.valToPos(to, "x", true) - x, 1), height);
  }
  ctx.restore();
}

/**
 * @param {uPlot} plot
 * @param {ReturnType<typeof states>} shown
 * @param {string} color
 */
function drawBand(plot, shown, color) {
  const { ctx, bbox } = plot;
  const height = bbox.height * THICKNESS;
  const middle = bbox.top + bbox.height / 2;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.fillStyle = color;
  for (const { from, to, on } of shown) {
    const x = plot.valToPos(from, "x", true);
    // At least a pixel: a short pulse is news as well.
    const width = Math.max(plot.valToPos(to, "x", true) - x, 1);
    ctx.globalAlpha = on ? 0.85 : 0.22;
    const thickness = on ? height : Math.max(height / 12, 2);
    ctx.fillRect(x, on ? middle - height / 2 : middle + height / 2 - thickness, width, thickness);
  }
  ctx.restore();
}
