/** How one bucket's streams stand, for whoever draws them. */

/** @import { Level, Standing } from "./types.js" */

/** Worst first. */
const STATES = ["firing", "pending", "unknown", "ok"];
const LEVELS = ["critical", "warning", "info"];

export class AlertStates {
  constructor() {
    /** @type {Map<string, Standing>} by stream */
    this._standings = new Map();
    /** @type {Set<() => void>} */
    this._subscribers = new Set();
  }

  /**
   * Call back when a state may have changed.
   * @param {() => void} callback
   */
  subscribe(callback) {
    this._subscribers.add(callback);
  }

  /**
   * How the worst of some streams stands under the worst of its rules; null where none is watched.
   * @param {string[]} streams
   * @returns {Standing | null}
   */
  of(streams) {
    const found = streams.map((stream) => this._standings.get(stream)).filter((one) => one !== undefined);
    return found.length ? found.reduce((worst, one) => (badness(one) < badness(worst) ? one : worst)) : null;
  }

  /** @param {Standing[]} standings all of them, a stream each */
  take(standings) {
    this._standings = new Map(standings.map((one) => [one.stream, one]));
    for (const callback of this._subscribers) callback();
  }
}

/** @param {Standing} one */
const badness = ({ state, level }) => STATES.indexOf(state) * LEVELS.length + LEVELS.indexOf(level);
