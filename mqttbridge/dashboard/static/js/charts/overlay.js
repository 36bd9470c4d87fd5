/** What lies over a chart and under it: the two cursors of a measurement, and the line of the time before. */

/** @import { Series } from "../series.js" */

import uPlot from "../../vendor/uPlot.esm.js";
import { lowerBound, upperBound } from "../series.js";

const NAMES = ["A", "B"];

/** Room for a cursor's name, in pixels. */
const NAME_PX = 13;

/**
 * @param {uPlot} plot
 * @param {readonly number[]} times epoch seconds, up to two
 * @param {string} color
 */
export function drawMarks(plot, times, color) {
  if (!times.length) return;
  const { ctx, bbox } = plot;
  const pixel = uPlot.pxRatio;
  const places = times.map((at) => plot.valToPos(at, "x", true));
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.fillStyle = ctx.strokeStyle = color;
  if (places.length === 2) {
    ctx.globalAlpha = 0.08;
    ctx.fillRect(Math.min(...places), bbox.top, Math.abs(places[1] - places[0]), bbox.height);
    ctx.globalAlpha = 1;
  }
  ctx.lineWidth = 1.4 * pixel;
  ctx.font = `600 ${10 * pixel}px system-ui, sans-serif`;
  ctx.textBaseline = "top";
  for (const [i, x] of places.entries()) {
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    // To the right of its line, but for where that would be cut off.
    const right = x + NAME_PX * pixel < bbox.left + bbox.width;
    ctx.textAlign = right ? "left" : "right";
    ctx.fillText(NAMES[i], x + (right ? 4 : -4) * pixel, bbox.top + pixel);
  }
  ctx.restore();
}

/**
 * The line of the time before: thinner, dashed and paler, since colour alone would not tell it.
 * @param {uPlot} plot
 * @param {Series} series shifted onto the page's time
 * @param {string} color
 */
export function drawEarlier(plot, series, color) {
  const { ctx, bbox } = plot;
  const { min = 0, max = 0 } = plot.scales.x;
  const { epochs, values } = series;
  const { gap } = series;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.strokeStyle = color;
  ctx.globalAlpha = 0.55;
  ctx.lineWidth = 1.3 * uPlot.pxRatio;
  ctx.setLineDash([5 * uPlot.pxRatio, 3 * uPlot.pxRatio]);
  ctx.beginPath();
  const [first, end] = [Math.max(lowerBound(epochs, min) - 1, 0), Math.min(upperBound(epochs, max) + 1, epochs.length)];
  for (let i = first; i < end; i++) {
    const [x, y] = [plot.valToPos(epochs[i], "x", true), plot.valToPos(Number(values[i]), "y", true)];
    if (i === first || epochs[i] - epochs[i - 1] > gap) ctx.moveTo(x, y);
    else ctx.lineTo(x, y);
  }
  ctx.stroke();
  ctx.restore();
}
