/** The figure's live feed: each connection begins with the whole figure, so none has to resume. */

/** @import { FigureFrame } from "./model.js" */

import { syncClock } from "../clock.js";

/** Silence after which the connection is opened anew: pings pass unseen, so a dead line looks like a calm one. */
const SILENCE_MS = 60_000;
const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 5000;

/** @typedef {"connecting" | "live" | "reconnecting" | "denied" | "unknown"} FeedState */

export class FigureFeed {
  /**
   * @param {string} figure
   * @param {{
   *   onFigure: (frame: FigureFrame) => void,
   *   onChange: (frame: FigureFrame) => void,
   *   onState: (state: FeedState) => void,
   * }} handlers
   */
  constructor(figure, handlers) {
    this.url = `/api/v1/figures/${encodeURIComponent(figure)}`;
    this.handlers = handlers;
    this._failures = 0;
    this._heardAt = 0;
    /** @type {EventSource | null} */
    this._source = null;
    this._retryTimer = 0;
    document.addEventListener("visibilitychange", () => (document.hidden ? this._close() : this._open()));
    addEventListener("pagehide", () => this._close());
    addEventListener("pageshow", (event) => event.persisted && this._open());
    setInterval(() => this._watch(), 5000);
  }

  start() {
    this.handlers.onState("connecting");
    if (!document.hidden) this._open();
  }

  _open() {
    this._close();
    const source = new EventSource(`${this.url}/live`);
    this._source = source;
    this._heardAt = performance.now();
    source.addEventListener("figure", (event) => this.handlers.onFigure(this._heard(event)));
    source.addEventListener("change", (event) => this.handlers.onChange(this._heard(event)));
    // The browser's own way of reconnecting gives up on some answers (503) and hammers on others.
    source.addEventListener("error", () => this._retry());
  }

  /** @param {MessageEvent<string>} event */
  _heard(event) {
    this._failures = 0;
    this._heardAt = performance.now();
    const data = JSON.parse(event.data);
    syncClock(data.now);
    this.handlers.onState("live");
    return data;
  }

  async _retry() {
    this._close();
    this.handlers.onState(await this._why());
    if (document.hidden) return;
    const pause = Math.min(RETRY_MIN_MS * 1.7 ** this._failures, RETRY_MAX_MS);
    this._failures += 1;
    clearTimeout(this._retryTimer);
    this._retryTimer = setTimeout(() => this._open(), pause * (0.5 + Math.random()));
  }

  /**
   * An EventSource does not say why it failed.
   * @returns {Promise<FeedState>}
   */
  async _why() {
    try {
      const { status } = await fetch(this.url, { cache: "no-store", signal: AbortSignal.timeout(5000) });
      if (status === 404) return "unknown";
      if (status === 401 || status === 403) return "denied";
    } catch {
      // Not even an answer: it is reconnecting.
    }
    return "reconnecting";
  }

  _watch() {
    if (this._source && performance.now() - this._heardAt > SILENCE_MS) this._open();
  }

  _close() {
    clearTimeout(this._retryTimer);
    this._source?.close();
    this._source = null;
  }
}
