/**
 * The rows of the table, newest first, fetched as far as one scrolls; and those that come in, put on top.
 *
 * A page goes on from the row that was seen last, by its time and stream, so nothing is missed or doubled however
 * many come in meanwhile. What comes in late, with a time before the newest row's, is seen when one fetches again.
 */

/** @import { Value } from "../types.js" */
/** @import { RowsQuery } from "../api.js" */

import { ApiError, fetchRows } from "../api.js";
import { now } from "../clock.js";

/** The first page is small, so that it is there at once. */
const FIRST_PAGE = 200;
const PAGE = 2000;

/** So many a page of a browser holds without trouble; who looks for more filters, or takes a file. */
export const MOST_ROWS = 500_000;

/** Values come in many times a second; the table looks this often. */
const TAIL_MS = 500;

/** Of a flood that came in while nobody looked, so many pages at once. */
const TAIL_PAGES = 20;

/** A filter that hardly anything passes: so many empty pages in a row before one is asked whether to go on. */
const EMPTY_PAGES = 20;

/** @typedef {{epoch: number, stream: string, value: Value}} Row */

export class Rows {
  /**
   * @param {string} bucket
   * @param {() => void} onChange
   */
  constructor(bucket, onChange) {
    this.bucket = bucket;
    this._onChange = onChange;
    /** @type {Row[]} fetched by scrolling, newest first */
    this._older = [];
    /** @type {Row[]} came in since, oldest first */
    this._newer = [];
    /** @type {Record<string, string>} by stream */
    this.units = {};
    /** Whether a page is on its way. */
    this.loading = false;
    /** What went wrong, in words. */
    this.problem = "";
    /** Whether there may be older rows than those here. */
    this.more = false;
    /** Whether a search was long, and stopped to ask. */
    this.stopped = false;
    /** @type {RowsQuery} */
    this._asked = {};
    this._cursor = "";
    this._abort = new AbortController();
    this._tailAbort = new AbortController();
    this._tailTimer = 0;
    this._tailing = false;
  }

  /** How many came in since the rows were loaded. */
  get newCount() {
    return this._newer.length;
  }

  get length() {
    return this._newer.length + this._older.length;
  }

  /**
   * @param {number} index 0 is the newest
   * @returns {Row}
   */
  at(index) {
    const newer = this._newer.length;
    return index < newer ? this._newer[newer - 1 - index] : this._older[index - newer];
  }

  /**
   * Begin anew.
   * @param {RowsQuery} asked
   */
  load(asked) {
    this._abort.abort();
    this._tailAbort.abort();
    clearTimeout(this._tailTimer);
    this._abort = new AbortController();
    this._tailAbort = new AbortController();
    this._tailing = false;
    this._tailTimer = 0;
    this._asked = asked;
    this._older = [];
    this._newer = [];
    this._cursor = "";
    this.more = true;
    this.stopped = false;
    this.problem = "";
    this.loading = false;
    this._fetch(FIRST_PAGE);
  }

  /** Fetch the next older rows, unless they are on their way or there are none. */
  older() {
    if (this.loading || !this.more || this.problem || this.stopped || this.length >= MOST_ROWS) return;
    this._fetch(PAGE);
  }

  /** Go on after a problem, or in a long search. */
  goOn() {
    this.problem = "";
    this.stopped = false;
    this.older();
  }

  /** Values came in: fetch them, soon. */
  tail() {
    if (this._tailing || this._tailTimer || this.length >= MOST_ROWS) return;
    this._tailTimer = setTimeout(() => {
      this._tailTimer = 0;
      this._fetchNewer();
    }, TAIL_MS);
  }

  /** @param {number} limit */
  async _fetch(limit) {
    const { signal } = this._abort;
    this.loading = true;
    this._onChange();
    try {
      for (let empty = 0; this.more; ) {
        const answer = await fetchRows(this.bucket, { ...this._asked, order: "desc", limit, cursor: this._cursor }, signal);
        if (signal.aborted) return;
        this._learn(answer.units);
        for (const [epoch, stream, value] of answer.rows) this._older.push({ epoch, stream, value });
        this._cursor = answer.next ?? "";
        this.more = answer.next !== null;
        if (answer.rows.length) break;
        if (++empty === EMPTY_PAGES && this.more) {
          this.stopped = true;
          break;
        }
      }
    } catch (error) {
      if (signal.aborted) return;
      this.problem = error instanceof ApiError ? error.message : String(error);
    }
    this.loading = false;
    this._onChange();
  }

  async _fetchNewer() {
    const { signal } = this._tailAbort;
    this._tailing = true;
    try {
      for (let page = 0; page < TAIL_PAGES && this.length < MOST_ROWS; page++) {
        const newest = this.length ? this.at(0) : null;
        const cursor = newest ? `${Math.round(newest.epoch * 1e6)}:${newest.stream}` : "";
        const answer = await fetchRows(this.bucket, { ...this._asked, order: "asc", limit: PAGE, cursor }, signal);
        if (signal.aborted) return;
        this._learn(answer.units);
        for (const [epoch, stream, value] of answer.rows) this._newer.push({ epoch, stream, value });
        if (answer.rows.length) this._onChange();
        if (answer.next === null || !answer.rows.length) break;
      }
    } catch {
      // The state of the connection says so already; the next values ask again.
    }
    if (!signal.aborted) this._tailing = false;
  }

  /** @param {Record<string, string>} units */
  _learn(units) {
    Object.assign(this.units, units);
  }
}

/**
 * @param {number} seconds a window's length
 * @returns {number} where it begins now
 */
export const windowStart = (seconds) => now() - seconds;
