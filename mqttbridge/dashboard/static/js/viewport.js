/**
 * Which time the page shows: a window that ends now and moves with the clock, or a range that stands still.
 * The URL's hash says it, so that what one sees can be sent to somebody else.
 *
 *   #w=1h                     the last hour, moving
 *   #from=-6h                 the last six hours, moving
 *   #from=-6h&to=-1h          relative to when the page was opened or refreshed
 *   #w=1h&from=...&to=...     a range: epoch seconds or ISO 8601; `w` is the window to go back to
 *   &compare=1d               with the time before, shifted; &marks=...,... two cursors
 */

/** @import { Span, StreamSummary } from "./types.js" */

import { now } from "./clock.js";
import { t } from "./i18n.js";
import { MAX_SPAN, parseDuration, parseMoment } from "./moment.js";

/** @typedef {{id: string, label: string, seconds: number}} Window */

/** @type {Window[]} those that have a button */
export const WINDOWS = [
  { id: "5m", seconds: 300, get label() { return t("common.minutes", { count: 5 }); } },
  { id: "1h", seconds: 3600, get label() { return t("common.hours", { count: 1 }); } },
  { id: "24h", seconds: 86_400, get label() { return t("common.hours", { count: 24 }); } },
  { id: "7d", seconds: 604_800, get label() { return t("common.days", { count: 7 }); } },
];

/** How far back a comparison may look. */
export const COMPARISONS = ["1d", "1w"];

/** A window in which a stream has fewer readings than this is as good as empty. */
const FEW_READINGS = 3;

/** Zooming deeper than this shows less than one sees without. */
const MIN_RANGE = 1;

/**
 * @param {string | null} id such as "1h"; any length of time is a window
 * @returns {Window | null}
 */
export function windowOf(id) {
  const known = WINDOWS.find((window) => window.id === id);
  if (known || !id) return known ?? null;
  const seconds = parseDuration(id);
  return seconds === null || seconds < MIN_RANGE ? null : { id, label: id, seconds };
}

export class Viewport {
  constructor() {
    /** What is shown when the address names no window. */
    this.firstWindow = WINDOWS[0];
    this.window = this.firstWindow;
    /** @type {Span | null} the range that stands still; null while live */
    this.range = null;
    /** @type {[string, string] | null} how the range was written, while it is relative to now */
    this.relative = null;
    /** Whether a hand is moving the range right now: it is drawn, but not fetched. */
    this.gliding = false;
    /** What to compare with, as in COMPARISONS; "" for nothing. */
    this.compare = "";
    /** @type {number[]} up to two cursors, epoch seconds */
    this.marks = [];
  }

  get live() {
    return this.range === null;
  }

  /**
   * @param {number} at epoch seconds
   * @returns {Span}
   */
  span(at) {
    return this.range ?? [at - this.window.seconds, at];
  }

  /**
   * @param {Span} range
   * @returns {boolean} whether it was a range to hold
   */
  hold([from, to]) {
    if (!(to - from >= MIN_RANGE) || to - from > MAX_SPAN || !(from > 0)) return false;
    this.range = [from, to];
    this.relative = null;
    return true;
  }

  /** @returns {string} the hash, without `#` */
  toHash() {
    const query = new URLSearchParams({ w: this.window.id });
    if (this.range) {
      query.set("from", this.relative?.[0] ?? this.range[0].toFixed(1));
      query.set("to", this.relative?.[1] ?? this.range[1].toFixed(1));
    }
    if (this.compare) query.set("compare", this.compare);
    if (this.marks.length) query.set("marks", this.marks.map((at) => at.toFixed(3)).join(","));
    return query.toString().replaceAll("%2C", ",");
  }

  /** @param {string} hash with or without `#`; what is not understood is ignored */
  readHash(hash) {
    const query = new URLSearchParams(hash.replace(/^#/, ""));
    const [at, from, to] = [now(), query.get("from"), query.get("to")];
    const [first, last] = [parseMoment(from ?? "", at), parseMoment(to ?? "now", at)];
    const lasting = last?.relative === "now" && first?.relative ? windowOf(first.relative.slice(1)) : null;
    this.window = windowOf(query.get("w")) ?? lasting ?? this.firstWindow;
    this.range = this.relative = null;
    if (lasting) this.window = lasting;
    else if (first && last && this.hold([first.at, last.at]) && (first.relative || last.relative)) {
      this.relative = [from ?? "", to ?? "now"];
    }
    const compare = query.get("compare") ?? "";
    this.compare = COMPARISONS.includes(compare) ? compare : "";
    this.marks = (query.get("marks") ?? "").split(",").map(Number).filter((mark) => mark > 0).slice(0, 2);
  }

  /** A range that is relative to now, for the now that is. */
  renew() {
    if (!this.relative) return;
    const [from, to] = this.relative.map((text) => parseMoment(text, now()));
    const written = this.relative;
    if (from && to && this.hold([from.at, to.at])) this.relative = written;
  }
}

/** @param {string} hash whether it says which time to show */
export function namesTime(hash) {
  const query = new URLSearchParams(hash.replace(/^#/, ""));
  return query.has("w") || query.has("from");
}

/**
 * The range with its middle where it was.
 * @param {Span} span
 * @param {number} factor above 1: more time
 * @param {number} [share] of the span that stays where it is: 0 its beginning, 1 its end
 * @returns {Span}
 */
export function zoomed([from, to], factor, share = 0.5) {
  const fixed = from + (to - from) * share;
  return [fixed - (fixed - from) * factor, fixed + (to - fixed) * factor];
}

/**
 * @param {Span} span
 * @param {number} share of its length; positive: later
 * @returns {Span}
 */
export function panned([from, to], share) {
  const by = (to - from) * share;
  return [from + by, to + by];
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
