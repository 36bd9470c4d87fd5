/** Texts on an axis of time: a mark where another one begins, and its words as far as there is room. */

/** @import { Stream } from "../stream.js" */
/** @import { PlotHandlers } from "./plot.js" */

import uPlot from "../../vendor/uPlot.esm.js";
import { withEmoji } from "../emoji.js";
import { Plot } from "./plot.js";

/** Narrower than this, nothing can be read. */
const LEAST_PX = 14;

/** A longer text is cut: a canvas measures each of its letters. */
const MAX_CHARS = 120;

/**
 * @param {HTMLElement} parent
 * @param {Stream} stream
 * @param {PlotHandlers} handlers
 * @param {{lane?: number}} [look] see Plot
 */
export function textPlot(parent, stream, handlers, { lane } = {}) {
  const style = getComputedStyle(parent);
  const ink = getComputedStyle(parent.querySelector(".chart-ink") ?? parent).color;
  return new Plot(parent, stream, handlers, {
    lane,
    series: { paths: () => null, points: { show: false }, stroke: style.color },
    yRange: () => [0, 1],
    yAxis: { show: false, size: 0 },
    sidePadding: 16,
    cursorPoint: false,
    cursorIndex: (plot, _series, nearest, time) => (plot.data[0][nearest] > time ? nearest - 1 : nearest),
    hooks: { draw: [(plot) => drawTexts(plot, stream, style.color, ink)] },
  });
}

/**
 * @param {uPlot} plot
 * @param {Stream} stream
 * @param {string} color of the marks
 * @param {string} ink of the words
 */
function drawTexts(plot, stream, color, ink) {
  const { ctx, bbox } = plot;
  const { min = 0, max = 0 } = plot.scales.x;
  const { epochs, values } = stream.layer.series;
  const said = epochs.map((_, i) => i).filter((i) => values[i] !== values[i - 1] && epochs[i] <= max);
  const right = bbox.left + bbox.width;
  ctx.save();
  ctx.font = `${12 * uPlot.pxRatio}px system-ui, sans-serif`;
  ctx.textBaseline = "middle";
  for (const [n, i] of said.entries()) {
    const next = said[n + 1];
    const end = next === undefined ? right : plot.valToPos(epochs[next], "x", true);
    if (end <= bbox.left) continue;
    const begin = plot.valToPos(epochs[i], "x", true);
    const x = Math.max(begin, bbox.left);
    ctx.fillStyle = color;
    if (epochs[i] >= min) ctx.fillRect(begin, bbox.top, 2 * uPlot.pxRatio, bbox.height);
    ctx.globalAlpha = 0.1;
    ctx.fillRect(x, bbox.top, end - x, bbox.height);
    ctx.globalAlpha = 1;
    const room = end - x - 8 * uPlot.pxRatio;
    if (room < LEAST_PX * uPlot.pxRatio) continue;
    ctx.save();
    ctx.beginPath();
    ctx.rect(x, bbox.top, room + 5 * uPlot.pxRatio, bbox.height);
    ctx.clip();
    ctx.fillStyle = ink;
    ctx.fillText(withEmoji(String(values[i])).slice(0, MAX_CHARS), x + 6 * uPlot.pxRatio, bbox.top + bbox.height / 2);
    ctx.restore();
  }
  ctx.restore();
}
