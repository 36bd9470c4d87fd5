/** How often a stream speaks: whether its silence is news does not depend on the window that one looks at. */

/** Readings so close together are one burst, as on the server. */
const BURST_S = 5;

/** The usual pause is that of so many between bursts; fewer than the least say nothing. */
const PAUSES = 12;
const LEAST_PAUSES = 3;

export class Rhythm {
  constructor() {
    /** @type {number[]} */
    this._pauses = [];
    this._burst = 0;
    /** The usual seconds between readings; 0 while too few are known. */
    this.interval = 0;
  }

  /**
   * What the server knows of the time before the page was opened.
   * @param {number | null | undefined} interval seconds
   */
  learn(interval) {
    if (!interval) return;
    this._pauses = new Array(PAUSES).fill(interval);
    this.interval = interval;
  }

  /** @param {number} epoch a reading's time */
  hear(epoch) {
    const pause = epoch - this._burst;
    if (pause < BURST_S) return;
    if (this._burst) {
      this._pauses.push(pause);
      if (this._pauses.length > PAUSES) this._pauses.shift();
    }
    this._burst = epoch;
    if (this._pauses.length >= LEAST_PAUSES) this.interval = upperQuartile(this._pauses);
  }
}

/** @param {number[]} numbers at least one */
export function upperQuartile(numbers) {
  const sorted = numbers.slice().sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length * 0.75)];
}
