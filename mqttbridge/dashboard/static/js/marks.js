/** Two cursors in time, and what each stream did between them. */

/** @import { Board } from "./board.js" */
/** @import { StreamStatistics } from "./types.js" */

import { ApiError, fetchSummary } from "./api.js";

/** Moving a cursor asks for the figures when it rests. */
const REST_MS = 200;

export class Marks {
  /** @param {Board} board */
  constructor(board) {
    this.board = board;
    /** Whether a click on a chart sets a cursor. */
    this.measuring = board.viewport.marks.length > 0;
    /** Counts changes, so that a chart knows whether it must draw. */
    this.version = 0;
    /** @type {Record<string, StreamStatistics> | null} by stream; null while not known */
    this.statistics = null;
    /** Why they are not known, in the server's words. */
    this.problem = "";
    this._abort = new AbortController();
    this._rest = 0;
    if (this.between) this._ask();
  }

  /** @returns {readonly number[]} epoch seconds, as they were set */
  get times() {
    return this.board.viewport.marks;
  }

  /** @returns {[number, number] | null} the two cursors, the earlier first */
  get between() {
    if (this.times.length < 2) return null;
    const [a, b] = this.times;
    return a < b ? [a, b] : [b, a];
  }

  toggle() {
    this.measuring = !this.measuring;
    if (!this.measuring) this._set([]);
    else this._changed();
  }

  clear() {
    this._set([]);
  }

  /**
   * Set the first cursor, then the second; after that, move the nearer one.
   * @param {number} at epoch seconds
   */
  pick(at) {
    if (!this.measuring) return;
    const [a, b] = this.times;
    if (b === undefined) this._set([...this.times, at]);
    else this._set(Math.abs(at - a) < Math.abs(at - b) ? [at, b] : [a, at]);
  }

  /**
   * Set the first or the second cursor.
   * @param {0 | 1} which
   * @param {number} at
   */
  place(which, at) {
    this.measuring = true;
    const [a, b] = this.times;
    if (which === 1 && a !== undefined) this._set([a, at]);
    else this._set(b === undefined ? [at] : [at, b]);
  }

  /** The address changed: its cursors are those. */
  reread() {
    this.measuring ||= this.times.length > 0;
    this._learn();
  }

  /** @param {number[]} times */
  _set(times) {
    this.board.viewport.marks = times;
    this._learn();
    this.board.say();
  }

  _learn() {
    this.statistics = null;
    this.problem = "";
    this._abort.abort();
    clearTimeout(this._rest);
    if (this.between) this._rest = setTimeout(() => this._ask(), REST_MS);
    this._changed();
  }

  async _ask() {
    if (!this.between) return;
    const { signal } = (this._abort = new AbortController());
    try {
      const [from, to] = this.between;
      const answer = await fetchSummary(this.board.bucket, from, to, signal);
      if (!signal.aborted) this.statistics = answer.streams;
    } catch (error) {
      if (signal.aborted) return;
      this.problem = error instanceof ApiError ? error.message : String(error);
    }
    this._changed();
  }

  _changed() {
    this.version++;
    this.board.changed();
  }
}
