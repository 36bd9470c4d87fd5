/** Of a stretch so long that its points cannot be told apart: the least, mean and greatest of each cell of time. */

/** @import { StatisticsAnswer } from "./types.js" */
/** @import { Series } from "./series.js" */

import { upperBound } from "./series.js";

/** From this length on, seconds, the server answers from its rollups; shorter ones are drawn point by point. */
export const ROLLED_UP_S = 2 * 86_400;

/** A cell that is missing is a silence. */
const GAP_CELLS = 1.6;

export class Rollup {
  /**
   * @param {StatisticsAnswer} answer
   * @param {number} until epoch seconds: what came later is in no cell
   */
  constructor({ width, epochs, counts, minima, maxima, sums }, until) {
    this.width = width;
    this.until = until;
    /** The middles of the cells; the last one has just begun. */
    this.epochs = epochs.map((start) => (start + Math.min(start + width, Math.max(until, start))) / 2);
    this.least = minima;
    this.greatest = maxima;
    this.means = sums.map((sum, i) => sum / counts[i]);
    this._cache = { series: /** @type {Series | null} */ (null), length: -1, last: 0, line: { epochs: this.epochs, values: this.means, gap: 0 } };
  }

  get length() {
    return this.epochs.length;
  }

  /**
   * The means, and from the last point that is in them on the points themselves.
   * @param {Series} series
   * @param {number} gap seconds of silence, of the stream's own rhythm
   * @returns {{epochs: number[], values: number[], gap: number}}
   */
  line(series, gap) {
    const { _cache: cache } = this;
    const last = series.epochs.at(-1) ?? 0;
    if (cache.series !== series || cache.length !== series.length || cache.last !== last) {
      let from = Math.max(upperBound(series.epochs, this.until) - 1, 0);
      while (from < series.length && series.epochs[from] <= (this.epochs.at(-1) ?? -Infinity)) from++;
      const line = { epochs: [...this.epochs, ...series.epochs.slice(from)], values: [...this.means, ...series.values.slice(from)], gap: 0 };
      this._cache = { series, length: series.length, last, line };
    }
    return { ...this._cache.line, gap: Math.max(gap, GAP_CELLS * this.width) };
  }
}
