/**
 * Which time the page shows: a window that ends now and moves with the clock, or a range that stands still.
 * The URL's hash says it, so that what one sees can be sent to somebody else.
 */

/** @import { Span, StreamSummary } from "./types.js" */

export const WINDOWS = [
  { id: "5m", label: "5 min", seconds: 300 },
  { id: "1h", label: "1 h", seconds: 3600 },
  { id: "24h", label: "24 h", seconds: 86_400 },
  { id: "7d", label: "7 d", seconds: 604_800 },
];

/** A window in which a stream has fewer readings than this is as good as empty. */
const FEW_READINGS = 3;

/** Zooming deeper than this shows less than one sees without. */
const MIN_RANGE = 1;

export class Viewport {
  constructor() {
    /** What is shown when the address names no window. */
    this.firstWindow = WINDOWS[0];
    this.window = this.firstWindow;
    /** @type {Span | null} the range that stands still; null while live */
    this.range = null;
  }

  get live() {
    return this.range === null;
  }

  /**
   * @param {number} now epoch seconds
   * @returns {Span}
   */
  span(now) {
    return this.range ?? [now - this.window.seconds, now];
  }

  /**
   * @param {Span} range
   * @returns {boolean} whether it was a range to hold
   */
  hold([from, to]) {
    if (!(to - from >= MIN_RANGE)) return false;
    this.range = [from, to];
    return true;
  }

  /** @returns {string} the hash, without `#` */
  toHash() {
    const query = new URLSearchParams({ w: this.window.id });
    if (this.range) {
      query.set("from", this.range[0].toFixed(1));
      query.set("to", this.range[1].toFixed(1));
    }
    return query.toString();
  }

  /** @param {string} hash with or without `#`; what is not understood is ignored */
  readHash(hash) {
    const query = new URLSearchParams(hash.replace(/^#/, ""));
    this.window = WINDOWS.find(({ id }) => id === query.get("w")) ?? this.firstWindow;
    this.range = null;
    const [from, to] = [Number(query.get("from")), Number(query.get("to"))];
    if (from > 0) this.hold([from, to]);
  }
}

/**
 * The smallest window in which half of the numbers have a few readings: a page of empty charts tells nothing.
 * @param {StreamSummary[]} streams
 * @param {number} now epoch seconds
 */
export function windowFor(streams, now) {
  const reaches = streams
    .filter(({ kind, last }) => kind === "number" && last)
    .map(({ last, interval }) => now - (last?.epoch ?? now) + FEW_READINGS * (interval ?? 0))
    .sort((a, b) => a - b);
  const median = reaches[(reaches.length - 1) >> 1] ?? 0;
  return WINDOWS.find(({ seconds }) => seconds >= median) ?? WINDOWS[WINDOWS.length - 1];
}
