/** Something the page asks the server for again and again, and whether what it has is still true. */

import { ApiError } from "./api.js";
import { serverTime } from "./clock.js";

/** Out of touch for this long, what is on view is called stale. */
const STALE_MS = 10_000;

/** @template Answer */
export class Polled {
  /**
   * @param {() => Promise<Answer>} ask
   * @param {number} pauseMs
   * @param {() => void} onChange after each answer, and each failure
   */
  constructor(ask, pauseMs, onChange) {
    this._ask = ask;
    this._pauseMs = pauseMs;
    this._onChange = onChange;
    this._timer = 0;
    this._stopped = false;
    this._asking = false;
    this._askAgain = false;
    /** @type {Answer | null} */
    this.answer = null;
    /** @type {"" | "denied" | "missing" | "failed"} what the last attempt came to */
    this.problem = "";
    /** When the server was heard last, by `Date.now()`. */
    this.heardAt = Date.now();
    this._onVisibility = () => document.hidden || this.poll();
  }

  start() {
    document.addEventListener("visibilitychange", this._onVisibility);
    this.poll();
  }

  stop() {
    this._stopped = true;
    clearTimeout(this._timer);
    document.removeEventListener("visibilitychange", this._onVisibility);
  }

  /** Ask now, or as soon as what was asked is answered, which may be of before; and from then on at the pace. */
  async poll() {
    clearTimeout(this._timer);
    this._askAgain = this._asking;
    if (this._asking) return;
    this._asking = true;
    try {
      this.answer = await this._ask();
      this.heardAt = Date.now();
      this.problem = "";
    } catch (error) {
      const status = error instanceof ApiError ? error.status : 0;
      this.problem = status === 401 || status === 403 ? "denied" : status === 404 ? "missing" : "failed";
    }
    this._asking = false;
    if (this._stopped) return;
    this._onChange();
    clearTimeout(this._timer);
    if (this._askAgain) this.poll();
    else if (!document.hidden) this._timer = setTimeout(() => this.poll(), this._pauseMs);
  }

  /** @returns {"connecting" | "live" | "reconnecting" | "stale"} */
  get state() {
    if (this.problem === "failed") return Date.now() - this.heardAt > STALE_MS ? "stale" : "reconnecting";
    return this.answer === null ? "connecting" : "live";
  }

  /** When what is on view was true last, epoch seconds. */
  get knownUntil() {
    return serverTime(this.heardAt);
  }
}
