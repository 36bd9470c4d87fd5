/**
 * Draws a figure. uPlot has the axes and the scales; the traces are drawn here, since a Plotly trace may go
 * anywhere (a circle, a spectrum that is overwritten), where uPlot's own series need an x that only grows.
 */

/** @import { AxisLayout, Figure, Trace, XKind } from "./model.js" */

import uPlot from "../../vendor/uPlot.esm.js";
import { formatTick } from "../format.js";
import { currentLocale } from "../i18n.js";

const FONT = '12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
const LABEL_FONT = '600 12.5px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
const HUES = 6;
const LINE_WIDTH = 1.8;
const MARKER_SIZE = 6;
const DASHES = { solid: [], dot: [1.5, 4], dash: [8, 5], dashdot: [8, 4, 1.5, 4] };

const MARGIN_PX = 5;
const MINUTE = 60;
const DAY = 86_400;

/** Plotly shows dates as they are written; those without an offset are UTC to the server, so UTC it is. */
const asWritten = (/** @type {number} */ epoch) => uPlot.tzDate(new Date(epoch * 1000), "Etc/UTC");

const utc = (/** @type {Intl.DateTimeFormatOptions} */ parts) =>
  new Intl.DateTimeFormat(currentLocale(), { ...parts, timeZone: "UTC", hourCycle: "h23" });
const clock = utc({ hour: "2-digit", minute: "2-digit" });
const clockWithSeconds = utc({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = utc({ day: "numeric", month: "short" });

/**
 * The time of day, and under the first label and where one begins the day.
 * @param {uPlot} _plot
 * @param {number[]} ticks epoch seconds
 * @param {number} _axis
 * @param {number} _space
 * @param {number} step seconds between ticks
 */
const dateLabels = (_plot, ticks, _axis, _space, step) => ticks.map((tick, i) => {
  if (step >= DAY) return day.format(tick * 1000);
  const time = (step < MINUTE ? clockWithSeconds : clock).format(tick * 1000);
  return i === 0 || tick % DAY === 0 ? `${time}\n${day.format(tick * 1000)}` : time;
});

export class Chart {
  /**
   * @param {HTMLElement} parent
   * @param {Figure} figure
   */
  constructor(parent, figure) {
    this.parent = parent;
    this.figure = figure;
    /** @type {uPlot | null} */
    this.uplot = null;
    this._version = -1;
    this._shape = "";
    /** @type {string[]} */
    this._categories = [];
    this._sizes = new ResizeObserver(() => this.uplot?.setSize(this._size()));
    this._sizes.observe(parent);
  }

  /** Draw what is new. */
  paint() {
    if (this._version === this.figure.version) return;
    this._version = this.figure.version;
    this._categories = this.figure.categories();
    const { kind, layout } = this.figure;
    const shape = JSON.stringify([kind, layout.xaxis?.title, layout.yaxis?.title]);
    if (shape !== this._shape || !this.uplot) {
      this._shape = shape;
      this.uplot?.destroy();
      this.uplot = new uPlot(this._options(kind), [[], []], this.parent);
    }
    const [x, y] = this._extents();
    this.uplot.batch(() => {
      this.uplot?.setData([x, [null, null]], false);
      this.uplot?.setScale("x", { min: x[0], max: x[1] });
      this.uplot?.setScale("y", { min: y[0], max: y[1] });
    });
    this.uplot.redraw(false, true);
  }

  /** Draw everything anew, in other colours. */
  recolour() {
    this._shape = "";
    this._version = -1;
  }

  _size() {
    return { width: Math.max(this.parent.clientWidth, 120), height: Math.max(this.parent.clientHeight, 120) };
  }

  /** @param {XKind} kind */
  _options(kind) {
    const { color, borderTopColor } = getComputedStyle(this.parent);
    const { layout } = this.figure;
    /** @param {AxisLayout | undefined} axis @param {number} size */
    const axisOf = (axis, size) => ({
      font: FONT, stroke: color, gap: 5,
      ticks: { show: false }, grid: { stroke: borderTopColor, width: 1 },
      ...(axis?.title ? { label: axis.title, labelFont: LABEL_FONT, labelSize: 22 } : {}),
      size,
    });
    const labels = {
      date: { values: dateLabels, space: 76 },
      number: { values: numberLabels },
      category: {
        incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000],
        values: (/** @type {uPlot} */ _plot, /** @type {number[]} */ ticks) => ticks.map((tick) => this._categories[tick] ?? ""),
      },
    }[kind];
    return /** @type {uPlot.Options} */ ({
      ...this._size(),
      padding: [12, 18, 4, 4],
      legend: { show: false },
      cursor: { show: false },
      tzDate: asWritten,
      scales: { x: { time: kind === "date", auto: false }, y: { auto: false } },
      axes: [{ ...axisOf(layout.xaxis, kind === "date" ? 40 : 26), ...labels }, { ...axisOf(layout.yaxis, 58), values: numberLabels }],
      series: [{}, { show: false }],
      hooks: { draw: [(/** @type {uPlot} */ plot) => this._draw(plot)] },
    });
  }

  /**
   * What the axes must hold: the layout's range, else all points with a little room.
   * @returns {[[number, number], [number, number]]}
   */
  _extents() {
    let [left, right, low, high] = [Infinity, -Infinity, Infinity, -Infinity];
    const place = this._places();
    for (const { x, y } of this.figure.traces.values()) {
      for (let i = 0; i < x.length; i++) {
        const [at, value] = [place(x[i]), y[i]];
        if (value === null) continue;
        left = Math.min(left, at);
        right = Math.max(right, at);
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
    }
    const { layout, kind } = this.figure;
    if (left > right) [left, right, low, high] = kind === "date" ? [Date.now() / 1000 - 60, Date.now() / 1000, 0, 1] : [0, 1, 0, 1];
    if (left === right || kind === "category") [left, right] = [left - 0.5, right + 0.5];
    const [bottom, top] = uPlot.rangeNum(low, high, 0.08, true);
    return [rangeOf(layout.xaxis) ?? [left, right], rangeOf(layout.yaxis) ?? [bottom ?? low, top ?? high]];
  }

  /** @returns {(x: number | string) => number} where an x stands on the axis */
  _places() {
    if (this.figure.kind !== "category") return Number;
    const index = new Map(this._categories.map((name, i) => [name, i]));
    return (x) => index.get(String(x)) ?? 0;
  }

  /** @param {uPlot} plot */
  _draw(plot) {
    const { ctx } = plot;
    const { left, top, width, height } = plot.bbox;
    const place = this._places();
    ctx.save();
    ctx.beginPath();
    const margin = MARGIN_PX * uPlot.pxRatio; // half a marker on the edge is to be seen whole
    ctx.rect(left - margin, top - margin, width + 2 * margin, height + 2 * margin);
    ctx.clip();
    [...this.figure.traces.values()].forEach((trace, i) => drawTrace(plot, trace, this.colourOf(i), place));
    ctx.restore();
  }

  /** @param {number} index */
  colourOf(index) {
    return hueOf(this.parent, index);
  }
}

/**
 * @param {uPlot} plot
 * @param {Trace} trace
 * @param {string} hue
 * @param {(x: number | string) => number} place
 */
function drawTrace(plot, { x, y, style }, hue, place) {
  const { ctx } = plot;
  const scale = uPlot.pxRatio;
  const mode = style.mode ?? "lines";
  const points = x.map((at, i) => {
    const value = y[i];
    return value === null ? null : [plot.valToPos(place(at), "x", true), plot.valToPos(value, "y", true)];
  });
  if (mode.includes("lines")) {
    ctx.beginPath();
    let pen = false;
    for (const point of points) {
      if (point) pen ? ctx.lineTo(point[0], point[1]) : ctx.moveTo(point[0], point[1]);
      pen = point !== null;
    }
    ctx.strokeStyle = hue;
    ctx.strokeStyle = style.line?.color ?? hue; // what is no colour to the browser changes nothing
    ctx.lineWidth = (style.line?.width ?? LINE_WIDTH) * scale;
    ctx.lineJoin = "round";
    ctx.lineCap = "round";
    ctx.setLineDash((DASHES[/** @type {keyof typeof DASHES} */ (style.line?.dash ?? "solid")] ?? []).map((length) => length * scale));
    ctx.stroke();
    ctx.setLineDash([]);
  }
  // A line of one point would not be seen.
  if (mode.includes("markers") || (mode.includes("lines") && points.length === 1)) {
    const radius = ((style.marker?.size ?? MARKER_SIZE) / 2) * scale;
    ctx.fillStyle = style.line?.color ?? hue;
    ctx.fillStyle = style.marker?.color ?? ctx.fillStyle;
    ctx.beginPath();
    for (const point of points) {
      if (!point) continue;
      ctx.moveTo(point[0] + radius, point[1]);
      ctx.arc(point[0], point[1], radius, 0, 2 * Math.PI);
    }
    ctx.fill();
  }
}

/**
 * The style sheet's colour of the figure's nth trace.
 * @param {HTMLElement} element
 * @param {number} index
 */
export function hueOf(element, index) {
  const probe = document.createElement("i");
  probe.className = `figure-hue hue-${index % HUES}`;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

/**
 * @param {uPlot} _plot
 * @param {number[]} ticks
 * @param {number} _axis
 * @param {number} _space
 * @param {number} step
 */
const numberLabels = (_plot, ticks, _axis, _space, step) => ticks.map((tick) => formatTick(tick, step));

/** @param {AxisLayout | undefined} axis @returns {[number, number] | null} */
const rangeOf = (axis) => axis?.range ?? null;
