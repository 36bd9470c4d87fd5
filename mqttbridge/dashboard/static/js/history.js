/** Fetches the history of the streams that are on view, some at a time, nearest wish first. */

/** @import { PointsAnswer, Span } from "./types.js" */
/** @import { Layer, Stream } from "./stream.js" */

import { fetchPoints } from "./api.js";
import { ROLLED_UP_S } from "./rollup.js";

/** Cells asked for a series: about a tile's width in pixels. */
const POINTS = 400;

/** Streams in one request, and the length of their names: an answer stays small, its URL below any limit. */
const MAX_STREAMS = 32;
const MAX_NAMES_LENGTH = 1500;

/** At most so many requests at once: browsers allow six connections a server, and the live stream is one. */
const MAX_REQUESTS = 2;

const RETRY_MS = 2000;

export class History {
  /**
   * @param {string} bucket
   * @param {{
   *   range: () => {span: Span | null, window: number},
   *   serial: () => boolean,
   *   onAnswer: (streams: Stream[], answer: PointsAnswer) => void,
   *   onFailure: (error: unknown) => void,
   * }} board `span` is the range held, or null while live; `serial` says to wait for one answer before the next
   */
  constructor(bucket, board) {
    this.bucket = bucket;
    this.board = board;
    /** @type {Set<Stream>} */
    this._wanted = new Set();
    /** @type {Set<Layer>} wished for, and not here yet */
    this._asked = new Set();
    this._running = 0;
    this._abort = new AbortController();
    this._scheduled = false;
  }

  /**
   * Ask for a stream's points, unless they are here or on their way.
   * @param {Stream} stream
   */
  want(stream) {
    const { layer } = stream;
    if (layer.state !== "missing" || performance.now() < layer.retryAt) return;
    layer.state = "asked";
    this._asked.add(layer);
    this._wanted.add(stream);
    this._schedule();
  }

  /** Forget every wish: the range has changed, and those on view will ask again. */
  clear() {
    this._abort.abort();
    this._abort = new AbortController();
    for (const layer of this._asked) layer.state = "missing";
    this._asked.clear();
    this._wanted.clear();
    this._running = 0;
  }

  _schedule() {
    if (this._scheduled) return;
    this._scheduled = true;
    queueMicrotask(() => {
      this._scheduled = false;
      while (this._wanted.size && this._running < (this.board.serial() ? 1 : MAX_REQUESTS)) {
        this._fetch(this._take(), this._abort.signal);
      }
    });
  }

  _take() {
    const streams = [];
    let length = 0;
    for (const stream of this._wanted) {
      length += stream.name.length;
      if (streams.length && (streams.length === MAX_STREAMS || length > MAX_NAMES_LENGTH)) break;
      streams.push(stream);
    }
    for (const stream of streams) this._wanted.delete(stream);
    return streams;
  }

  /**
   * @param {Stream[]} streams
   * @param {AbortSignal} signal
   */
  async _fetch(streams, signal) {
    const { span, window } = this.board.range();
    const layers = streams.map((stream) => stream.layer);
    this._running += 1;
    try {
      const range = span ? { after: span[0], before: span[1] } : { after: -window };
      const names = streams.filter((stream) => !stream.derived).map((stream) => stream.name);
      const expressions = streams.filter((stream) => stream.derived).map((stream) => stream.name);
      const long = (span ? span[1] - span[0] : window) >= ROLLED_UP_S;
      const statistics = long && streams.some(({ kind, derived }) => kind === "number" && !derived);
      const answer = await fetchPoints(this.bucket, names, { ...range, points: POINTS, statistics }, signal, expressions);
      if (!signal.aborted) this.board.onAnswer(streams, answer);
    } catch (error) {
      if (signal.aborted) return;
      for (const layer of layers) {
        layer.state = "missing";
        layer.retryAt = performance.now() + RETRY_MS;
      }
      this.board.onFailure(error);
    } finally {
      if (!signal.aborted) {
        for (const layer of layers) this._asked.delete(layer);
        this._running -= 1;
        this._schedule();
      }
    }
  }
}
