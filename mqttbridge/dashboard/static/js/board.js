/**
 * The model of one bucket's page: its streams, the time on view, the connection. Views subscribe to it.
 *
 * Snapshot and deltas join without a gap or a duplicate. The first snapshot names the frame it ends with, and
 * the live connection starts there. Every later snapshot (a tile scrolled into view) is asked for when the
 * connection is open already: frames that come meanwhile wait, and those the snapshot holds are left out.
 */

/** @import { Kind, LiveFrame, PointsAnswer, Span, StreamSummary, Trouble } from "./types.js" */
/** @import { FrameId } from "./live.js" */

import { AlertStates } from "./alerts/states.js";
import { ApiError, fetchStreams, liveUrl } from "./api.js";
import { now, serverTime } from "./clock.js";
import { Comparison } from "./comparison.js";
import { History } from "./history.js";
import { LiveConnection, parseFrameId } from "./live.js";
import { Expression, Stream } from "./stream.js";
import { Marks } from "./marks.js";
import { Rollup } from "./rollup.js";
import { namesTime, Viewport, windowFor, windowOf } from "./viewport.js";

/** How often to look again for a server that does not answer. */
const LOOK_AGAIN_MS = 3000;

/** New streams often come together: what else is known of them is asked for once. */
const ASK_AFTER_MS = 2000;

/** Tiles that draw points ask for them at once; a board without one is connected all the same. */
const CONNECT_AFTER_MS = 1000;

/** Out of touch for this long, what is on view is called stale. */
const STALE_MS = 10_000;

/** A hand that moves the range rests for so long before it is fetched. */
const GLIDE_REST_MS = 220;

/** A hostile publisher could name streams without end; a page holds this many. */
const MAX_STREAMS = 5000;

export class Board {
  /** @param {string} bucket */
  constructor(bucket) {
    this.bucket = bucket;
    this.title = bucket;
    /** @type {Map<string, Stream>} */
    this.streams = new Map();
    /** @type {Map<string, Expression>} by their text; those that a tile asked for */
    this.expressions = new Map();
    this.alerts = new AlertStates();
    this.viewport = new Viewport();
    this.viewport.readHash(location.hash);
    /** What the address says of the time on view; a step of the browser's history each. */
    this._hash = this.viewport.toHash();
    /** Whether the list of streams is known. */
    this.loaded = false;
    /** @type {"" | "denied" | "failed"} why it is not */
    this.problem = "";
    /** @type {Trouble | null} of the bridge itself: nothing comes in, though the page is connected to it */
    this.trouble = null;
    /** @type {Set<() => void>} */
    this._subscribers = new Set();
    this._telling = false;
    this._lookAgain = 0;
    this._askOfNew = 0;
    this._gliding = 0;
    /** What else a view fetches when the viewer says so. */
    this.onRefresh = () => {};
    /** What was fetched is here, to be drawn. */
    this.onHistory = () => {};
    /** Paints all tiles, for a picture of the whole: the view's painter. */
    this.paintAll = () => ({ painted: () => true, release: () => {} });
    /** @type {(version: number | null) => void} another version of the board may be there; null: who knows which */
    this.onArranged = () => {};
    /** @type {Set<() => void>} */
    this._watchers = new Set();
    this.marks = new Marks(this);
    this.comparison = new Comparison(this);
    this.history = new History(bucket, {
      range: () => ({ span: this.viewport.range, window: this.viewport.window.seconds }),
      serial: () => !this.live.started,
      onAnswer: (streams, answer) => this._onAnswer(streams, answer),
      onFailure: () => this._changed(),
    });
    /** Where the live stream goes on from the list of streams. */
    this._known = "";
    this.live = new LiveConnection((lastEventId) => liveUrl(bucket, lastEventId), {
      onNote: (name, content) => this._onNote(name, content),
      onFrame: (frame, id) => this._onFrame(frame, id),
      onResync: () => this._onResync(),
      onState: (state) => {
        // The first values may have come between the answer that there are none and the connection.
        if (state === "live" && this.loaded && this.streams.size === 0) this.start();
        this._changed();
      },
    });
    addEventListener("hashchange", () => this._onHash());
  }

  /**
   * Call back when streams came, or the state of anything but their values changed.
   * @param {() => void} callback
   */
  subscribe(callback) {
    this._subscribers.add(callback);
  }

  /**
   * Call back when values came in.
   * @param {() => void} callback
   */
  watch(callback) {
    this._watchers.add(callback);
  }

  /** @param {Trouble | null} trouble */
  noteTrouble(trouble) {
    this.trouble = trouble;
    this._changed();
  }

  /** Names are drawn otherwise now. */
  noteNames() {
    this._changed();
  }

  /** @returns {"connecting" | "live" | "reconnecting" | "stale"} */
  get state() {
    const { state, heardAt } = this.live;
    if (this.problem === "failed") return "reconnecting";
    if (state === "live") return "live";
    if (state === "reconnecting") return Date.now() - heardAt > STALE_MS ? "stale" : "reconnecting";
    return "connecting";
  }

  /** Until when what is on view is true: now, or when the server was heard last. Epoch seconds. */
  get knownUntil() {
    return this.state === "live" ? now() : serverTime(this.live.heardAt);
  }

  /**
   * The stream that a tile's entry names, or the expression that it is.
   * @param {string} name
   * @returns {Stream | undefined}
   */
  find(name) {
    if (!name.startsWith("=")) return this.streams.get(name);
    return this.expressions.get(name) ?? this._express(name, "number");
  }

  /**
   * @param {string} text
   * @param {Kind} kind
   */
  _express(text, kind) {
    const expression = new Expression(text, kind, this.viewport.window.seconds);
    if (this.viewport.range) expression.hold(this.viewport.range, false);
    this.expressions.set(text, expression);
    return expression;
  }

  /** @returns {Stream[]} expressions too */
  _all() {
    return [...this.streams.values(), ...this.expressions.values()];
  }

  /** Fetch the list of streams; their points follow as tiles come into view. */
  async start() {
    try {
      const answer = await fetchStreams(this.bucket);
      this.title = answer.bucket.name || this.bucket;
      this._known = answer.live;
      this.loaded = true;
      this.problem = "";
      if (this.streams.size === 0) this._chooseWindow(answer.streams);
      for (const summary of answer.streams) this._meet(summary);
      if (this.streams.size) setTimeout(() => this.live.started || this.live.start(answer.live), CONNECT_AFTER_MS);
    } catch (error) {
      const status = error instanceof ApiError ? error.status : 0;
      this.loaded = status === 404;
      this.problem = status === 404 ? "" : status === 401 || status === 403 ? "denied" : "failed";
    }
    this._changed();
    clearTimeout(this._lookAgain);
    if (this.problem === "failed" && this.streams.size === 0) {
      this._lookAgain = setTimeout(() => this.start(), LOOK_AGAIN_MS);
    }
    // A bucket without streams has no snapshot to go on from: its first values come by the live stream.
    if (this.loaded && this.streams.size === 0 && this.live.state !== "live") this.live.start("");
  }

  /** @param {StreamSummary[]} streams the first that are known */
  _chooseWindow(streams) {
    this.viewport.firstWindow = windowFor(streams, now());
    if (namesTime(location.hash)) return;
    this.viewport.window = this.viewport.firstWindow;
    this._hash = this.viewport.toHash();
  }

  /** @param {string} id a length of time, as "1h" */
  showWindow(id) {
    this.viewport.window = windowOf(id) ?? this.viewport.window;
    this.viewport.range = this.viewport.relative = null;
    this._refetch();
  }

  pause() {
    const span = this.viewport.span(now());
    this.history.clear();
    this.viewport.hold(span);
    for (const stream of this._all()) stream.hold(span, true);
    this._moved();
  }

  /** @param {Span} span */
  zoom(span) {
    if (this._hold(span)) this._moved();
  }

  /**
   * Go along with a hand that moves the range: what is known is drawn, the rest is fetched when the hand rests.
   * @param {Span} span
   */
  glide(span) {
    if (!this.viewport.gliding && !this._hold(this.viewport.span(now()))) return;
    this.viewport.hold(span);
    this.viewport.gliding = true;
    clearTimeout(this._gliding);
    this._gliding = setTimeout(() => {
      this.viewport.gliding = false;
      if (this.viewport.range) this.zoom(this.viewport.range);
    }, GLIDE_REST_MS);
    this._changed();
  }

  /**
   * A range as it was written, absolute or relative to now.
   * @param {string} from as `parseMoment` reads it
   * @param {string} to
   */
  showRange(from, to) {
    const rest = new URLSearchParams(this.viewport.toHash());
    rest.set("from", from);
    rest.set("to", to);
    this.viewport.readHash(rest.toString());
    this._refetch();
    if (this.viewport.range) this._reload();
  }

  /** @param {string} compare one of COMPARISONS, or "" */
  compareWith(compare) {
    this.viewport.compare = compare;
    this.comparison.version++;
    this._moved();
  }

  /**
   * @param {Span} span
   * @returns {boolean} whether it was a range to hold
   */
  _hold(span) {
    if (!this.viewport.hold(span)) return false;
    this.history.clear();
    for (const stream of this._all()) stream.hold(span, false);
    return true;
  }

  jumpToLive() {
    if (this.viewport.live) return;
    this.history.clear();
    this.viewport.range = this.viewport.relative = null;
    for (const stream of this._all()) stream.release();
    this._moved();
  }

  /** Fetch again what is on view. */
  refresh() {
    this.viewport.renew();
    this._reload();
    this.start();
    this.onRefresh();
  }

  /** Fetch what is on view, whether it moves or stands still. */
  _reload() {
    const { range, relative } = this.viewport;
    if (!range) this._refetch();
    else if (this._hold(range)) {
      this.viewport.relative = relative;
      this._moved();
    }
  }

  _refetch() {
    this.history.clear();
    for (const stream of this._all()) {
      stream.release();
      stream.invalidate(this.viewport.window.seconds);
    }
    this._moved();
  }

  _moved() {
    const hash = this.viewport.toHash();
    if (hash !== this._hash) history.pushState(null, "", `#${hash}`);
    this._hash = hash;
    this._changed();
  }

  /** Put what is on view into the address, without a step of the browser's history. */
  say() {
    this._hash = this.viewport.toHash();
    history.replaceState(null, "", `#${this._hash}`);
  }

  _onHash() {
    this.viewport.readHash(location.hash);
    this._hash = this.viewport.toHash();
    const { range } = this.viewport;
    this._refetch();
    if (range) this._reload();
    this.marks.reread();
  }

  /**
   * @param {string} name
   * @param {any} content
   */
  _onNote(name, content) {
    if (name === "alerts") this.alerts.take(content ?? []);
    else if (name === "board" && content !== undefined) this.onArranged(content);
  }

  _onResync() {
    const { range } = this.viewport;
    this.onArranged(null);
    this.history.clear();
    for (const stream of this._all()) stream.invalidate(this.viewport.window.seconds);
    if (range) this._reload();
    this.start();
  }

  /**
   * @param {Stream[]} streams
   * @param {PointsAnswer} answer
   */
  _onAnswer(streams, answer) {
    const id = parseFrameId(answer.live);
    for (const stream of streams) {
      const points = (stream.derived ? answer.derived : answer.series)?.[stream.name];
      if (stream.derived) {
        stream.problem = answer.errors?.[stream.name] ?? "";
        // Its first values tell what kind they are; they are fetched again for that.
        if (points?.epochs.length && points.kind !== stream.kind) this._express(stream.name, points.kind);
      }
      const cells = stream.kind === "number" ? answer.statistics?.[stream.name] : undefined;
      const rollup = cells?.epochs.length ? new Rollup(cells, answer.before) : null;
      if (this.viewport.range) stream.loadHeld(points, rollup);
      else stream.load(points, id, rollup);
    }
    // From the list of streams on: one that began since is in no answer of points.
    if (!this.live.started) this.live.start(this._known || answer.live);
    this.onHistory();
  }

  /**
   * @param {LiveFrame} frame
   * @param {FrameId} id
   */
  _onFrame(frame, id) {
    const from = now() - this.viewport.window.seconds;
    if (this.streams.size === 0) this.start();
    for (const [name, points] of Object.entries(frame.series)) {
      let stream = this.streams.get(name);
      if (!stream || stream.kind !== points.kind) {
        stream = this._meet({ stream: name, kind: points.kind, unit: points.unit, last: null });
        this._askOfNew ||= setTimeout(() => this._learnOfNew(), ASK_AFTER_MS);
      }
      stream?.receive(points, id);
      stream?.live.series.trim(from);
    }
    for (const [text, points] of Object.entries(frame.derived ?? {})) {
      const expression = this.expressions.get(text);
      if (expression?.kind !== points.kind) continue;
      expression.receive(points, id);
      expression.live.series.trim(from);
    }
    for (const callback of this._watchers) callback();
  }

  /** What a frame does not say of streams that it brings: what devices say they are. */
  async _learnOfNew() {
    this._askOfNew = 0;
    const { streams } = await fetchStreams(this.bucket).catch(() => ({ streams: [] }));
    for (const summary of streams) this._meet(summary);
    this._changed();
  }

  /** @param {StreamSummary} summary */
  _meet({ stream: name, kind, unit, device_class: deviceClass, last, interval }) {
    let stream = this.streams.get(name);
    if (!stream || stream.kind !== kind) {
      if (!stream && this.streams.size >= MAX_STREAMS) return undefined;
      stream = new Stream(name, kind, unit, this.viewport.window.seconds);
      if (this.viewport.range) stream.hold(this.viewport.range, false);
      this.streams.set(name, stream);
      for (const expression of this.expressions.values()) {
        // It may have waited for this one.
        if (expression.problem) expression.invalidate(this.viewport.window.seconds);
      }
      this._changed();
    }
    if (unit) stream.unit = unit;
    if (deviceClass) stream.deviceClass = deviceClass;
    stream.rhythm.learn(interval);
    stream.remember(last);
    return stream;
  }

  /** A part of the model changed. */
  changed() {
    this._changed();
  }

  /** Tell the subscribers, once for all that changes in this turn. */
  _changed() {
    if (this._telling) return;
    this._telling = true;
    queueMicrotask(() => {
      this._telling = false;
      for (const callback of this._subscribers) callback();
    });
  }
}
