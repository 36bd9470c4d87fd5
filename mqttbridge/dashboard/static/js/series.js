/**
 * The points of one stream in the page's window: ascending in time, one value a time, bounded in number.
 */

/** @import { Kind, Value } from "./types.js" */

import { upperQuartile } from "./rhythm.js";

/** A tile is some 400 pixels wide: more points than this cannot be seen, and cost a phone its battery. */
export const MAX_POINTS = 2000;

/** Cells of the thinning grid across a window; each keeps at most 4 points, so thinning ends below MAX_POINTS. */
const CELLS = 400;

/** Trimming cuts points off in lots, since cutting an array's front moves the rest of it. */
const TRIM_LOT = 64;

/** Text is read, not plotted: the last few are enough. */
const MAX_TEXTS = 100;

/**
 * Points before the window that stay. A line comes from one; a text from its first point, the last of another
 * text that proves it to be the first, and that text's own first.
 */
const POINTS_BEFORE = { number: 1, boolean: 1, text: 3 };

/** Silence of this many usual intervals is a gap. */
export const GAP_INTERVALS = 5;

export class Series {
  /**
   * @param {Kind} kind
   * @param {number} window seconds that it spans; decides how finely it is thinned
   */
  constructor(kind, window) {
    this.kind = kind;
    this.window = window;
    /** @type {number[]} */
    this.epochs = [];
    /** @type {any[]} */
    this.values = [];
    /** Counts changes of what was there; points at the end are none. */
    this.rewrites = 0;
    this._gap = 0;
    this._gapAt = -1;
  }

  get length() {
    return this.epochs.length;
  }

  /**
   * Start anew from a snapshot.
   * @param {number[]} epochs ascending
   * @param {Value[]} values
   */
  replace(epochs, values) {
    this.epochs = epochs.slice();
    this.values = values.slice();
    this.rewrites++;
    this._gapAt = -1;
    this._bound();
  }

  /**
   * Add points; a time that is here already gets the new value, as in the store.
   * @param {number[]} epochs
   * @param {Value[]} values
   */
  add(epochs, values) {
    for (let i = 0; i < epochs.length; i++) this._put(epochs[i], values[i]);
    this._bound();
  }

  /**
   * Forget what lies before `from`, except what the line or the log comes from.
   * @param {number} from epoch seconds
   */
  trim(from) {
    const cut = () => lowerBound(this.epochs, from) - POINTS_BEFORE[this.kind];
    if (cut() < TRIM_LOT) return;
    // Among repeats the first point of a text would be cut off.
    if (this.kind === "text") this._keep(changes(this.values));
    this._keepFrom(Math.max(cut(), 0));
  }

  /** @returns {Series} */
  copy() {
    const series = new Series(this.kind, this.window);
    series.replace(this.epochs, this.values);
    return series;
  }

  /**
   * Seconds of silence that are drawn as a gap. From the upper quartile of the intervals rather than their
   * median, because devices that report in bursts have a median of nearly nothing.
   */
  get gap() {
    if (this._gapAt < 0 || Math.abs(this.length - this._gapAt) >= 32) {
      this._gapAt = this.length;
      this._gap = Math.max(GAP_INTERVALS * usualInterval(this.epochs), 2.5 * (this.window / CELLS), 1);
    }
    return this._gap;
  }

  /**
   * @param {number} epoch
   * @param {Value} value
   */
  _put(epoch, value) {
    const { epochs, values } = this;
    const last = epochs.length - 1;
    if (last < 0 || epoch > epochs[last]) {
      epochs.push(epoch);
      values.push(value);
      return;
    }
    this.rewrites++;
    const at = lowerBound(epochs, epoch);
    if (epochs[at] === epoch) {
      values[at] = value;
    } else {
      epochs.splice(at, 0, epoch);
      values.splice(at, 0, value);
    }
  }

  _bound() {
    const most = this.kind === "text" ? MAX_TEXTS + TRIM_LOT : MAX_POINTS;
    if (this.length <= most) return;
    this._keep(this.kind === "number" ? m4(this.epochs, this.values, this.window / CELLS) : changes(this.values));
    // A window that was outlived (a page asleep) or a state that never rests: the newest are what counts.
    if (this.length > most) this._keepFrom(this.length - most + TRIM_LOT);
  }

  /** @param {number[]} indexes ascending */
  _keep(indexes) {
    this.epochs = indexes.map((i) => this.epochs[i]);
    this.values = indexes.map((i) => this.values[i]);
    this.rewrites++;
    this._gapAt = -1;
  }

  /** @param {number} cut */
  _keepFrom(cut) {
    this.epochs.splice(0, cut);
    this.values.splice(0, cut);
  }
}

/**
 * The first index whose time is not before `epoch`.
 * @param {number[]} epochs ascending
 * @param {number} epoch
 */
export function lowerBound(epochs, epoch) {
  let low = 0;
  let high = epochs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (epochs[middle] < epoch) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * The first index whose time is after `epoch`.
 * @param {number[]} epochs ascending
 * @param {number} epoch
 */
export function upperBound(epochs, epoch) {
  let end = lowerBound(epochs, epoch);
  while (end < epochs.length && epochs[end] === epoch) end++;
  return end;
}

/**
 * Indexes of the first, least, greatest and last point of each cell of an absolute time grid (M4): what a line
 * chart draws of them is the same, and thinning twice changes nothing.
 * @param {number[]} epochs
 * @param {number[]} values
 * @param {number} width seconds of a cell
 */
export function m4(epochs, values, width) {
  const keep = [];
  for (let start = 0, end = 0; start < epochs.length; start = end) {
    const cell = Math.floor(epochs[start] / width);
    let least = start;
    let greatest = start;
    for (end = start; end < epochs.length && Math.floor(epochs[end] / width) === cell; end++) {
      if (values[end] < values[least]) least = end;
      if (values[end] > values[greatest]) greatest = end;
    }
    keep.push(...new Set([start, least, greatest, end - 1].sort((a, b) => a - b)));
  }
  return keep;
}

/**
 * Indexes of the first and last value of each run of equal ones.
 * @param {Value[]} values
 */
function changes(values) {
  const keep = [];
  for (let i = 0; i < values.length; i++) {
    if (values[i] !== values[i - 1] || values[i] !== values[i + 1]) keep.push(i);
  }
  return keep;
}

/** @param {number[]} epochs */
function usualInterval(epochs) {
  const intervals = [];
  for (let i = Math.max(1, epochs.length - 100); i < epochs.length; i++) intervals.push(epochs[i] - epochs[i - 1]);
  return intervals.length < 2 ? 0 : upperQuartile(intervals);
}
