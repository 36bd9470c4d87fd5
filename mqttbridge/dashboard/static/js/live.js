/**
 * The page's one connection to the live stream (server-sent events).
 *
 * It resumes where it broke off (`last_event_id`), so nothing is missed or doubled; what the server can no
 * longer replay, it answers with `resync`. A browser allows six connections a server, shared by all tabs: a tab
 * that is not seen lets go of its own, at once when another tab wants one.
 */

/** @import { LiveFrame } from "./types.js" */

import { syncClock } from "./clock.js";
import { followUpgrade } from "./upgrade.js";

/** A tab that is hidden for this long lets go of its connection. */
const HIDDEN_MS = 30_000;

/** Silence after which the connection is opened anew: pings pass unseen, so a dead line looks like a calm one. */
const SILENCE_MS = 60_000;

/** What is told beside points: of each, what it says last holds, and every connection begins with it. */
const NOTES = ["alerts", "board"];

/** How long an attempt may take to say hello. */
const HELLO_MS = 10_000;

const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 5000;

/** @typedef {"connecting" | "live" | "reconnecting" | "asleep"} LiveState */

/** @typedef {{boot: string, seq: number}} FrameId */

/**
 * @param {string} id `<boot>-<seq>`
 * @returns {FrameId}
 */
export function parseFrameId(id) {
  const dash = id.lastIndexOf("-");
  return { boot: id.slice(0, dash), seq: Number(id.slice(dash + 1)) };
}

export class LiveConnection {
  /**
   * @param {(lastEventId: string) => string} address "" for frames from now on
   * @param {{
   *   onNote: (name: string, content: any) => void,
   *   onFrame?: (frame: LiveFrame, id: FrameId) => void,
   *   onResync?: () => void,
   *   onState?: (state: LiveState) => void,
   * }} handlers a note's content is undefined where there is none, and null where there is none any more
   */
  constructor(address, handlers) {
    this.address = address;
    this.handlers = handlers;
    /** @type {LiveState} */
    this.state = "connecting";
    /** When the server was last heard, by `Date.now()`. */
    this.heardAt = Date.now();
    this._lastEventId = "";
    this._failures = 0;
    /** @type {EventSource | null} */
    this._source = null;
    this._retryTimer = 0;
    this._helloTimer = 0;
    this._hiddenTimer = 0;
    this._tabs = new BroadcastChannel("mqttbridge.live");
    this._tabs.onmessage = () => document.hidden && this._sleep();
    document.addEventListener("visibilitychange", () => this._onVisibility());
    addEventListener("pagehide", () => this._sleep());
    addEventListener("pageshow", (event) => event.persisted && this._wake());
    addEventListener("online", () => this.state === "reconnecting" && this._open());
    setInterval(() => this._watch(), 5000);
  }

  /** Whether frames follow those already seen. */
  get started() {
    return this._lastEventId !== "";
  }

  /**
   * Open the stream with the deltas that follow a snapshot.
   * @param {string} snapshotId the snapshot's `live`; "" when there is none: frames begin now
   */
  start(snapshotId) {
    this._lastEventId = snapshotId;
    if (document.hidden) this._onVisibility();
    this._open();
  }

  _open() {
    this._close();
    this._tabs.postMessage("opening");
    const source = new EventSource(this.address(this._lastEventId));
    this._source = source;
    this._helloTimer = setTimeout(() => this._retry(), HELLO_MS);
    source.addEventListener("hello", (event) => {
      const said = this._heard(event);
      for (const name of NOTES) this.handlers.onNote(name, said[name]);
    });
    for (const name of NOTES) {
      source.addEventListener(name, (event) => this.handlers.onNote(name, this._heard(event)[name]));
    }
    source.addEventListener("points", (event) => {
      const frame = this._heard(event);
      this.handlers.onFrame?.(frame, parseFrameId(event.lastEventId));
    });
    source.addEventListener("resync", (event) => {
      this._heard(event);
      this.handlers.onResync?.();
    });
    // The browser's own way of reconnecting gives up on some answers (503) and hammers on others.
    source.addEventListener("error", () => this._retry());
  }

  /** @param {MessageEvent<string>} event */
  _heard(event) {
    clearTimeout(this._helloTimer);
    this._failures = 0;
    this.heardAt = Date.now();
    if (event.lastEventId) {
      if (this.started && parseFrameId(event.lastEventId).boot !== parseFrameId(this._lastEventId).boot) followUpgrade();
      this._lastEventId = event.lastEventId;
    }
    const data = JSON.parse(event.data);
    syncClock(data.now);
    this._setState("live");
    return data;
  }

  _retry() {
    this._close();
    this._setState("reconnecting");
    const pause = Math.min(RETRY_MIN_MS * 1.7 ** this._failures, RETRY_MAX_MS);
    this._failures += 1;
    // Jittered, so that all the viewers of a server that restarts do not come back at the same instant.
    this._retryTimer = setTimeout(() => this._open(), pause * (0.5 + Math.random()));
  }

  _close() {
    clearTimeout(this._retryTimer);
    clearTimeout(this._helloTimer);
    this._source?.close();
    this._source = null;
  }

  _watch() {
    if (this._source && this.state === "live" && Date.now() - this.heardAt > SILENCE_MS) {
      this.heardAt = Date.now();
      this._open();
    }
  }

  _onVisibility() {
    clearTimeout(this._hiddenTimer);
    if (document.hidden) this._hiddenTimer = setTimeout(() => this._sleep(), HIDDEN_MS);
    else this._wake();
  }

  _sleep() {
    if (!this.started || this.state === "asleep") return;
    this._close();
    this._setState("asleep");
  }

  _wake() {
    if (this.state !== "asleep") return;
    this._setState("connecting");
    this._open();
  }

  /** @param {LiveState} state */
  _setState(state) {
    if (state === this.state) return;
    this.state = state;
    this.handlers.onState?.(state);
  }
}
