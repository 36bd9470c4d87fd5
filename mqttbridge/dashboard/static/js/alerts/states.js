/** How one bucket's streams stand, for whoever draws them: asked for now and then while the page is seen. */

/** @import { BucketAlert, Level, StateName } from "./types.js" */

import { fetchBucketAlerts } from "../api.js";

const POLL_MS = 5000;

/** Worst first. */
const STATES = ["firing", "pending", "unknown", "ok"];
const LEVELS = ["critical", "warning", "info"];

/** @typedef {{state: StateName, level: Level, name: string, silenced: boolean}} Standing */

export class AlertStates {
  /** @param {string} bucket */
  constructor(bucket) {
    this.bucket = bucket;
    /** @type {Map<string, Standing>} by stream, the worst of its rules */
    this._standings = new Map();
    /** @type {Set<() => void>} */
    this._subscribers = new Set();
    this._timer = 0;
    this._onSeen = () => document.hidden || this._look();
  }

  /** Look now and from now on. */
  start() {
    document.addEventListener("visibilitychange", this._onSeen);
    this._look();
  }

  stop() {
    document.removeEventListener("visibilitychange", this._onSeen);
    clearTimeout(this._timer);
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

  async _look() {
    clearTimeout(this._timer);
    try {
      const { states } = await fetchBucketAlerts(this.bucket);
      this._take(states);
    } catch {
      // The board says itself when the server does not answer; what was known stays on view.
    }
    if (!document.hidden) this._timer = setTimeout(() => this._look(), POLL_MS);
  }

  /** @param {BucketAlert[]} states */
  _take(states) {
    const found = new Map();
    for (const one of states) {
      const before = found.get(one.stream);
      if (!before || badness(one) < badness(before)) found.set(one.stream, one);
    }
    this._standings = found;
    for (const callback of this._subscribers) callback();
  }
}

/** @param {Standing} one */
const badness = ({ state, level }) => STATES.indexOf(state) * LEVELS.length + LEVELS.indexOf(level);
