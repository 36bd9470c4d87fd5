/** One stream on the page: what it is, what it said last, its live points and those of a range that is held. */

/** @import { Kind, Last, Points, Span, Value } from "./types.js" */
/** @import { FrameId } from "./live.js" */
/** @import { Rollup } from "./rollup.js" */

import { decimalsOf } from "./format.js";
import { Rhythm } from "./rhythm.js";
import { GAP_INTERVALS, Series, upperBound } from "./series.js";

/** So many of the newest values tell how many decimals a stream is sent with. */
const DECIMALS_FROM = 100;

/** @typedef {"missing" | "asked" | "loaded"} LayerState */

/** Points of one span of time, and whether they have been fetched. */
export class Layer {
  /**
   * @param {Kind} kind
   * @param {number} window seconds
   */
  constructor(kind, window) {
    this.series = new Series(kind, window);
    /** @type {Rollup | null} of a span so long that its line goes through means */
    this.rollup = null;
    /** @type {LayerState} */
    this.state = "missing";
    /** When to ask again after a failure, by `performance.now()`. */
    this.retryAt = 0;
  }
}

export class Stream {
  /**
   * @param {string} name
   * @param {Kind} kind
   * @param {string} unit
   * @param {number} window seconds
   */
  constructor(name, kind, unit, window) {
    this.name = name;
    this.kind = kind;
    this.unit = unit;
    /** What its device says that it is, as `temperature` or `door`; "" where none did. */
    this.deviceClass = "";
    /** Whether its values are worked out of others': its name is an expression then. */
    this.derived = false;
    /** Why it has no values, in words; "" when it has. */
    this.problem = "";
    /** @type {Last | null} */
    this.last = null;
    /** The most decimals seen: see formatNumber. */
    this.decimals = 0;
    this.rhythm = new Rhythm();
    this.live = new Layer(kind, window);
    /** @type {Layer | null} */
    this.held = null;
    /** Counts changes, so that a tile knows whether it must draw. */
    this.version = 0;
    /** @type {FrameId} the snapshot that the live points began with */
    this._snapshot = { boot: "", seq: -1 };
    /** @type {{id: FrameId, points: Points}[]} frames that came while the snapshot was on its way */
    this._pending = [];
  }

  /** The part before the last dot: streams that share it are one device's. */
  get device() {
    return this.name.slice(0, Math.max(0, this.name.lastIndexOf(".")));
  }

  /** The part after the last dot. */
  get field() {
    return this.name.slice(this.name.lastIndexOf(".") + 1) || this.name;
  }

  /** The layer that is on view. */
  get layer() {
    return this.held ?? this.live;
  }

  /** Seconds of silence that are drawn as a gap. */
  get gap() {
    return Math.max(this.layer.series.gap, GAP_INTERVALS * this.rhythm.interval);
  }

  /**
   * What a line goes through, and its own gap: the points, or means where there are too many.
   * @returns {{epochs: number[], values: any[], gap: number}}
   */
  get line() {
    const { rollup, series } = this.layer;
    if (rollup) return rollup.line(series, GAP_INTERVALS * this.rhythm.interval);
    return { epochs: series.epochs, values: series.values, gap: this.gap };
  }

  /**
   * The last value of what is on view: of a range that is held, the value at its end.
   * @param {Span | null} range
   * @returns {Last | null}
   */
  lastOnView(range) {
    if (!range || !this.held) return this.last;
    const { epochs, values } = this.held.series;
    const at = upperBound(epochs, range[1]) - 1;
    return at < 0 ? null : { value: values[at], epoch: epochs[at] };
  }

  /**
   * Live points are no longer complete (another window, a server that restarted): draw them until new ones come.
   * @param {number} window seconds
   */
  invalidate(window) {
    const { series: old, rollup } = this.live;
    this.live = new Layer(this.kind, window);
    this.live.series.replace(old.epochs, old.values);
    this.live.rollup = rollup;
    this._pending = [];
  }

  /**
   * Stand still at a range, drawing what is known of it until it is fetched.
   * @param {Span} range
   * @param {boolean} complete whether the points on view are all there is to know
   */
  hold([from, to], complete) {
    const state = this.layer.state;
    const { rollup } = this.layer;
    const series = this.layer.series.copy();
    this.held = new Layer(this.kind, to - from);
    this.held.rollup = rollup;
    this.held.series.replace(series.epochs, series.values);
    if (complete && state === "loaded") this.held.state = "loaded";
    this.version++;
  }

  /** Go back to the live points, which went on arriving. */
  release() {
    this.held = null;
    this.version++;
  }

  /** @param {Last | null} last */
  remember(last) {
    if (!last || (this.last && last.epoch < this.last.epoch)) return;
    this.last = last;
    this.rhythm.hear(last.epoch);
    this._learnDecimals([last.value]);
    this.version++;
  }

  /**
   * The snapshot of the live window.
   * @param {Points | undefined} points
   * @param {FrameId} id frames up to this one are in it
   * @param {Rollup | null} [rollup]
   */
  load(points, id, rollup = null) {
    this.live.rollup = rollup;
    this.live.series.replace(points?.epochs ?? [], points?.values ?? []);
    this.live.state = "loaded";
    this._snapshot = id;
    if (points) this._learn(points);
    for (const { id: frameId, points: later } of this._pending) this._append(later, frameId);
    this._pending = [];
    this.version++;
  }

  /**
   * The points of the range that is held.
   * @param {Points | undefined} points
   * @param {Rollup | null} [rollup]
   */
  loadHeld(points, rollup = null) {
    if (!this.held) return;
    this.held.rollup = rollup;
    this.held.series.replace(points?.epochs ?? [], points?.values ?? []);
    this.held.state = "loaded";
    this.version++;
  }

  /**
   * A live frame's points. Streams that were never asked for need none: their snapshot will hold them.
   * @param {Points} points
   * @param {FrameId} id
   */
  receive(points, id) {
    this._learn(points);
    if (this.live.state === "loaded") this._append(points, id);
    else if (this.live.state === "asked") this._pending.push({ id, points });
    this.version++;
  }

  /**
   * @param {Points} points
   * @param {FrameId} id
   */
  _append(points, id) {
    if (id.boot === this._snapshot.boot && id.seq <= this._snapshot.seq) return;
    this.live.series.add(points.epochs, points.values);
  }

  /** @param {Value[]} values */
  _learnDecimals(values) {
    for (const value of values) {
      if (typeof value === "number") this.decimals = Math.max(this.decimals, decimalsOf(value));
    }
  }

  /** @param {Points} points */
  _learn(points) {
    if (points.unit) this.unit = points.unit;
    this._learnDecimals(points.values.slice(-DECIMALS_FROM));
    const end = points.epochs.length - 1;
    if (end < 0) return;
    this.remember({ value: points.values[end], epoch: points.epochs[end] });
  }
}

/** A tile's expression: the server works its values out of other streams. */
export class Expression extends Stream {
  /**
   * @param {string} text beginning with `=`
   * @param {Kind} kind of its values, as far as it is known
   * @param {number} window seconds
   */
  constructor(text, kind, window) {
    super(text, kind, "", window);
    this.derived = true;
  }

  get device() {
    return "";
  }

  get field() {
    return this.name;
  }
}
