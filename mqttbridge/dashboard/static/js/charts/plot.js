/** What the line and the band have in common: an uPlot over the page's span of time, with zoom by drag and touch. */

/** @import { Span } from "../types.js" */
/** @import { Series } from "../series.js" */
/** @import { Growth } from "./growth.js" */
/** @import { Stream } from "../stream.js" */

import uPlot from "../../vendor/uPlot.esm.js";
import { dateFormat, wallClock } from "../zone.js";
import { followHands } from "./navigate.js";
import { drawMarks } from "./overlay.js";
import { followTouch } from "./touch.js";

const FONT = '11px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';

/** A drag shorter than this is a click. */
const MIN_DRAG_PX = 8;

/** New values are drawn at most so often: a browser without a graphics card takes a millisecond for each chart. */
const NEWS_MS = 250;

/** The crosshair is shared by the charts of the page; presses are not. */
const SYNC = uPlot.sync("mqttbridge");

const MINUTE = 60;
const DAY = 86_400;

const CLOCK = /** @type {const} */ ({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const CLOCK_WITH_SECONDS = /** @type {const} */ ({ ...CLOCK, second: "2-digit" });
const DATE = /** @type {const} */ ({ day: "numeric", month: "short" });

/**
 * One line a tick: the time of day, and the day where one begins.
 * @param {uPlot} plot
 * @param {number[]} ticks epoch seconds
 * @param {number} _axis
 * @param {number} _space
 * @param {number} step seconds between ticks
 */
function timeLabels(plot, ticks, _axis, _space, step) {
  // A label whose tick is nearer to the right edge than this would be cut off there.
  const edge = plot.bbox.width / uPlot.pxRatio - (step < MINUTE ? 16 : 8);
  return ticks.map((tick) => {
    if (plot.valToPos(tick, "x") > edge) return "";
    const date = wallClock(tick);
    const midnight = date.getHours() === 0 && date.getMinutes() === 0 && date.getSeconds() === 0;
    if (step >= DAY || midnight) return dateFormat(DATE).format(tick * 1000);
    return dateFormat(step < MINUTE ? CLOCK_WITH_SECONDS : CLOCK).format(tick * 1000);
  });
}

/**
 * Pixels that a tick's label needs: more where ticks are so close in time that they show seconds.
 * @param {uPlot} _plot
 * @param {number} _axis
 * @param {number} from epoch seconds
 * @param {number} to
 * @param {number} width of the plot
 */
const timeSpace = (_plot, _axis, from, to, width) => ((38 * (to - from)) / width <= MINUTE / 2 ? 60 : 38);

/**
 * @typedef {object} PlotHandlers
 * @property {(span: Span) => void} onZoom
 * @property {() => void} onReset
 * @property {(index: number | null) => void} onCursor the point under the crosshair
 * @property {() => number} knownUntil epoch seconds of the last word from the server
 * @property {(span: Span) => void} [onGlide] a hand moves the range
 * @property {(at: number) => void} [onPick] a click at a time
 * @property {() => readonly number[]} [marks] cursors to draw, epoch seconds
 * @property {(stream: Stream) => Series | null} [earlier] the points of the time before, shifted
 * @property {() => number} [overlay] counts changes of what the page has drawn along
 */

/** @param {HTMLElement} parent */
const sizeOf = (parent) => ({ width: Math.max(parent.clientWidth, 60), height: Math.max(parent.clientHeight, 24) });

export class Plot {
  /**
   * @param {HTMLElement} parent its `color` is the series'
   * @param {Stream} stream
   * @param {PlotHandlers} handlers
   * @param {{
   *   series: uPlot.Series | uPlot.Series[], yRange: (span: Span) => [number, number], yAxis: uPlot.Axis, sidePadding?: number, hooks?: uPlot.Hooks.Arrays,
   *   lane?: number, timeAxis?: boolean,
   *   cursorPoint?: boolean, cursorIndex?: uPlot.Cursor.DataIdxRefiner,
   *   data?: () => uPlot.AlignedData, version?: () => number | string, growth?: Growth,
   * }} look `lane`: the chart is one of many on one axis of time, this far from the left edge
   */
  constructor(parent, stream, handlers, look) {
    this.parent = parent;
    this.stream = stream;
    /** @type {Span} */
    this.span = [0, 1];
    /** @type {number | string} */
    this._version = -1;
    this._overlay = -1;
    /** When new values were drawn last, by `performance.now()`. */
    this._newsAt = -Infinity;
    this.handlers = handlers;
    this._data = look.data ?? (() => [stream.layer.series.epochs, stream.layer.series.values]);
    this._growth = look.growth;
    /** Begins the chart, with its first drawing: on its own it would draw itself empty, and again after that. */
    this._begin = () => {};
    this._newVersion = look.version ?? (() => stream.version);
    const faint = getComputedStyle(parent.querySelector(".chart-ink") ?? parent);
    const axis = {
      font: FONT, stroke: faint.color, gap: 4,
      ticks: { show: false }, grid: { stroke: faint.borderTopColor, width: 1 },
    };
    this.uplot = new uPlot({
      ...sizeOf(parent),
      padding: look.lane ? [6, 9, 6, look.yAxis.show === false ? look.lane : 0]
        : [8, look.sidePadding ?? 9, 0, look.sidePadding ?? 0],
      legend: { show: false },
      tzDate: wallClock,
      cursor: {
        y: false,
        points: look.cursorPoint === false ? { show: false } : { size: 7 },
        dataIdx: look.cursorIndex ?? ((_plot, _series, nearest) => nearest),
        drag: { x: true, y: false, setScale: false },
        sync: { key: SYNC.key, setSeries: false, filters: { pub: (type) => type === "mousemove" || type === "mouseleave" } },
        bind: { dblclick: () => () => (handlers.onReset(), null) },
      },
      scales: { x: { time: true, auto: false, range: () => this.span }, y: { range: () => look.yRange(this.span) } },
      // Low enough that the first label stays clear of the one at the foot of the y axis.
      axes: [
        { ...axis, show: look.timeAxis ?? !look.lane, size: 25, gap: 7, space: timeSpace, values: timeLabels },
        { ...axis, ...look.yAxis, ...(look.lane && look.yAxis.show !== false && { size: look.lane }) },
      ],
      series: [{}, ...[look.series].flat()],
      hooks: {
        ...look.hooks,
        draw: [
          ...(look.hooks?.draw ?? []),
          (plot) => drawMarks(plot, handlers.marks?.() ?? [], faint.outlineColor),
          (plot) => look.growth?.finish(plot),
        ],
        setCursor: [(plot) => handlers.onCursor(plot.cursor.idx ?? null)],
        setSelect: [(plot) => {
          const { left, width } = plot.select;
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          if (width >= MIN_DRAG_PX) handlers.onZoom([plot.posToVal(left, "x"), plot.posToVal(left + width, "x")]);
        }],
      },
    }, [[], []], (plot, begin) => {
      parent.append(plot.root);
      this._begin = () => begin();
    });
    this._stopTouch = followTouch(this.uplot.over, handlers.onReset);
    const { onGlide, onPick } = handlers;
    this._stopHands = onGlide ? followHands(this.uplot, () => this.span, onGlide) : () => {};
    if (onPick) this._listenToPicks(onPick);
  }

  /**
   * A click is where the pointer went down and up again without a way between.
   * @param {(at: number) => void} onPick
   */
  _listenToPicks(onPick) {
    const { over } = this.uplot;
    let downAt = 0;
    over.addEventListener("pointerdown", (event) => {
      downAt = event.clientX;
    });
    over.addEventListener("click", (event) => {
      if (event.shiftKey || Math.abs(event.clientX - downAt) >= MIN_DRAG_PX) return;
      onPick(this.uplot.posToVal(event.clientX - over.getBoundingClientRect().left, "x"));
    });
  }

  /** The time under the crosshair; null where there is none. */
  get cursorTime() {
    const { left = -1 } = this.uplot.cursor;
    return left < 0 ? null : this.uplot.posToVal(left, "x");
  }

  /**
   * Draw, if the points changed or the clock moved them by a pixel.
   * @param {Span} span
   */
  paint(span) {
    const pixel = (span[1] - span[0]) / (this.uplot.bbox.width || 1);
    const moved = Math.abs(span[1] - this.span[1]) >= pixel || Math.abs(span[0] - this.span[0]) >= pixel;
    const [version, overlay, at] = [this._newVersion(), this.handlers.overlay?.() ?? 0, performance.now()];
    // What was fetched is drawn at once; a live stream's values can wait for each other.
    const { held, layer } = this.stream;
    const news = this._version !== version && (held !== null || at - this._newsAt >= NEWS_MS);
    const changed = news || this._overlay !== overlay;
    if (!moved && !changed) return;
    if (news && layer.state === "loaded") this._newsAt = at;
    if (changed) this._version = version;
    if (!moved && this._overlay === overlay && this._growth?.draw(this.uplot)) return;
    this._overlay = overlay;
    this.span = span;
    this.uplot.batch(() => {
      this._begin();
      this._begin = () => {};
      if (changed) this.uplot.setData(this._data(), false);
      this.uplot.setScale("x", { min: span[0], max: span[1] });
    });
  }

  resize() {
    this.uplot.setSize(sizeOf(this.parent));
  }

  /**
   * Move the crosshair by keyboard.
   * @param {number} step points
   */
  moveCursor(step) {
    const [epochs] = this.uplot.data;
    if (!epochs.length) return;
    const from = this.uplot.cursor.idx ?? epochs.length - (step > 0 ? 2 : 0);
    const index = Math.min(Math.max(from + step, 0), epochs.length - 1);
    /** @type {any} the third argument, which its types leave out: the other charts follow */
    const { setCursor } = this.uplot;
    setCursor({ left: this.uplot.valToPos(epochs[index], "x"), top: 1 }, true, true);
  }

  destroy() {
    this._stopTouch();
    this._stopHands();
    this.uplot.destroy();
  }
}
