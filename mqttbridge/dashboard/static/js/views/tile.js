/** One stream's tile: its name, last value and age, and a chart of what its kind asks for. */

/** @import { Span } from "../types.js" */
/** @import { Board } from "../board.js" */
/** @import { Stream } from "../stream.js" */

import { alertBadge } from "../alerts/badge.js";
import { bandPlot, states } from "../charts/band.js";
import { linePlot } from "../charts/line.js";
import { TextLog } from "../charts/log.js";
import { now } from "../clock.js";
import { el, setAttribute, setText } from "../dom.js";
import { withEmoji } from "../emoji.js";
import { decimalsFor, formatAge, formatNumber, formatTime } from "../format.js";
import { lowerBound } from "../series.js";

/** A number is quiet after this many of its usual intervals, and never before this many seconds. */
const QUIET_INTERVALS = 5;
const QUIET_MIN_S = 30;

/** Longer values than these are set smaller, so that all of their figures are seen. */
const LONG_CHARS = 9;
const LONGER_CHARS = 12;

/** How often the description that screen readers find is brought up to date: they would read each change. */
const DESCRIBE_S = 10;

const PLOTS = {
  number: linePlot,
  boolean: bandPlot,
  /** @param {HTMLElement} parent @param {Stream} stream */
  text: (parent, stream) => new TextLog(parent, stream),
};

export class Tile {
  /**
   * @param {HTMLElement} root
   * @param {Stream} stream
   * @param {Board} board
   */
  constructor(root, stream, board) {
    this.root = root;
    this.stream = stream;
    this.board = board;
    /** @type {ReturnType<(typeof PLOTS)[keyof typeof PLOTS]> | null} */
    this.plot = null;
    this._described = 0;
    /** @type {number | null} the point under the crosshair */
    this._cursor = null;
    /** Of the values on view, from the least to the greatest. */
    this._spread = 0;

    this._alert = alertBadge(board.bucket, stream.name);
    this._age = el("span", { class: "tile-age" });
    this._value = el("span", { class: "tile-number", dir: "auto" });
    this._unit = el("span", { class: "tile-unit" });
    this._extent = el("span", { class: "tile-extent" });
    this._chart = el("div", { class: "chart", role: "img", tabindex: "0" }, el("i", { class: "chart-ink" }));
    this._chart.addEventListener("keydown", (event) => this._onKey(event));
    root.append(
      el("header", { class: "tile-head" }, el("h3", { title: stream.name }, withEmoji(stream.field)), this._alert.element, this._age),
      el("p", { class: "tile-value" }, this._value, this._unit, this._extent),
      this._chart,
    );
    setAttribute(root, "data-stream", stream.name);
    setAttribute(root, "data-kind", stream.kind);
    this._paintText(now());
  }

  get shown() {
    return this.plot !== null;
  }

  /** Bring the tile up to date; it is in view. */
  paint() {
    const { board, stream } = this;
    this.plot ??= PLOTS[stream.kind](this._chart, stream, {
      onZoom: (span) => board.zoom(span),
      onReset: () => board.jumpToLive(),
      onCursor: (index) => {
        this._cursor = index;
      },
      knownUntil: () => board.knownUntil,
    });
    board.history.want(stream);
    const at = now();
    const span = board.viewport.span(at);
    this.plot.paint(span);
    this._paintExtent(span);
    this._paintText(at);
    this._describe(at, span);
  }

  resized() {
    this.plot?.resize();
  }

  /** Out of view: let go of the canvas. */
  hide() {
    this.plot?.destroy();
    this.plot = null;
    this._cursor = null;
  }

  /** @param {number} at epoch seconds */
  _paintText(at) {
    const { unit } = this.stream;
    const { range } = this.board.viewport;
    const last = this.stream.lastOnView(range);
    const text = this._text(last?.value);
    this._alert.paint(this.board.alerts);
    setText(this._value, text);
    setAttribute(this._value, "data-length", lengthOf(text));
    setText(this._unit, this.stream.kind === "number" ? unit : "");
    setText(this._age, last ? ageOf(last.epoch, range, at) : range ? "no value" : "no value yet");
    setAttribute(this.root, "data-state", last ? this._state(at) : "empty");
    setAttribute(this.root, "data-points", String(this.stream.layer.series.length));
    setAttribute(this.root, "data-loaded", String(this.stream.layer.state === "loaded"));
    setAttribute(this.root, "data-on", String(last?.value === true));
  }

  /** @param {number} at */
  _state(at) {
    const { last, kind, rhythm } = this.stream;
    if (this.board.state === "reconnecting" || this.board.state === "stale") return "stale";
    // States and texts are sent when they change: their silence says nothing.
    if (kind !== "number" || !last || !rhythm.interval || !this.board.viewport.live) return "fresh";
    return at - last.epoch > Math.max(QUIET_INTERVALS * rhythm.interval, QUIET_MIN_S) ? "quiet" : "fresh";
  }

  /** @param {any} value */
  _text(value) {
    if (value === undefined) return "–";
    if (typeof value === "boolean") return value ? "on" : "off";
    return typeof value === "number" ? formatNumber(value, decimalsFor(this.stream.decimals, this._spread)) 
      : withEmoji(String(value));
  }

  /**
   * The point under the crosshair, or else the extent of what is on view.
   * @param {Span} span
   */
  _paintExtent([from, to]) {
    const { series } = this.stream.layer;
    const { kind } = this.stream;
    if (this._cursor !== null && this._cursor >= 0 && this._cursor < series.length) {
      setAttribute(this._extent, "data-cursor", "true");
      const time = formatTime(series.epochs[this._cursor], to - from);
      setText(this._extent, `${this._text(series.values[this._cursor])} at\u00a0${time.replaceAll(" ", "\u00a0")}`);
      return;
    }
    setAttribute(this._extent, "data-cursor", "false");
    if (kind === "number") setText(this._extent, this._range(from, to));
    if (kind === "boolean") setText(this._extent, this._shareOn(from, to));
  }

  /**
   * @param {number} from
   * @param {number} to
   */
  _range(from, to) {
    const { epochs, values } = this.stream.layer.series;
    let [least, greatest] = [Infinity, -Infinity];
    for (let i = lowerBound(epochs, from); i < values.length && (this.board.viewport.live || epochs[i] <= to); i++) {
      if (values[i] < least) least = values[i];
      if (values[i] > greatest) greatest = values[i];
    }
    this._spread = Math.max(greatest - least, 0);
    return least >= greatest ? "" : `${this._text(least)} – ${this._text(greatest)}`;
  }

  /**
   * @param {number} from
   * @param {number} to
   */
  _shareOn(from, to) {
    let [on, known] = [0, 0];
    for (const state of states(this.stream, from, to, this.board.knownUntil)) {
      known += state.to - state.from;
      if (state.on) on += state.to - state.from;
    }
    return known ? `on ${Math.round((100 * on) / known)} %` : "";
  }

  /**
   * @param {number} at
   * @param {Span} span
   */
  _describe(at, span) {
    if (at - this._described < DESCRIBE_S) return;
    this._described = at;
    const { name, unit } = this.stream;
    const last = this.stream.lastOnView(this.board.viewport.range);
    const parts = [withEmoji(name), `${this._text(last?.value)} ${unit}`.trim()];
    if (this._extent.textContent) parts.push(this._extent.textContent);
    parts.push(`${formatTime(span[0], span[1] - span[0])} to ${formatTime(span[1], span[1] - span[0])}`);
    setAttribute(this._chart, "aria-label", parts.join(", "));
  }

  /** @param {KeyboardEvent} event */
  _onKey(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -20, PageDown: 20 }[event.key];
    if (step) {
      this.plot?.moveCursor(step);
      event.preventDefault();
    } else if (event.key === "Escape") {
      this.board.jumpToLive();
    }
  }
}

/** @param {string} text */
const lengthOf = ({ length }) => (length > LONGER_CHARS ? "longer" : length > LONG_CHARS ? "long" : "usual");

/**
 * How old a value is; while time stands still, when it was.
 * @param {number} epoch
 * @param {Span | null} range that is held
 * @param {number} at now
 */
const ageOf = (epoch, range, at) => (range ? formatTime(epoch, at - epoch) : formatAge(at - epoch));
