/** The same streams a day or a week before, shifted so that they lie under what is on view. */

/** @import { Span } from "./types.js" */
/** @import { Board } from "./board.js" */
/** @import { Stream } from "./stream.js" */
/** @import { Series } from "./series.js" */

import { now } from "./clock.js";
import { History } from "./history.js";
import { parseDuration } from "./moment.js";
import { Layer } from "./stream.js";

/** While the page moves with the clock, so much of a window is fetched ahead. */
const AHEAD = 0.25;

/** Past this change of length, another resolution is wanted. */
const RESOLUTION = 1.5;

/** What is fetched of one stream: it has what History asks of a stream. */
class Earlier {
  /** @param {Stream} stream */
  constructor({ name, kind }) {
    this.name = name;
    this.kind = kind;
    this.layer = new Layer(kind, 1);
  }
}

export class Comparison {
  /** @param {Board} board */
  constructor(board) {
    this.board = board;
    /** Counts changes, so that a chart knows whether it must draw. */
    this.version = 0;
    /** @type {Map<string, Earlier>} */
    this._earlier = new Map();
    /** @type {Span} what is fetched, as shifted */
    this._reach = [0, 0];
    this._compared = "";
    this._history = new History(board.bucket, {
      range: () => ({ span: /** @type {Span} */ (this._reach.map((at) => at - this.seconds)), window: 0 }),
      serial: () => false,
      onAnswer: (earlier, answer) => {
        for (const one of earlier) {
          const points = answer.series[one.name];
          one.layer.series.replace((points?.epochs ?? []).map((at) => at + this.seconds), points?.values ?? []);
          one.layer.state = "loaded";
        }
        this.version++;
      },
      onFailure: () => {},
    });
  }

  /** How far back it looks, in seconds; 0 where nothing is compared. */
  get seconds() {
    return parseDuration(this.board.viewport.compare) ?? 0;
  }

  /**
   * A stream's earlier points as far as they are here; asks for those that are not.
   * @param {Stream} stream
   * @returns {Series | null} null where nothing is compared
   */
  of(stream) {
    if (!this.seconds || stream.kind === "text") return null;
    this._reachFor(this.board.viewport.span(now()));
    let earlier = this._earlier.get(stream.name);
    if (!earlier || earlier.kind !== stream.kind) {
      earlier = new Earlier(stream);
      earlier.layer.series.window = this._reach[1] - this._reach[0];
      this._earlier.set(stream.name, earlier);
    }
    this._history.want(/** @type {any} */ (earlier));
    return earlier.layer.series;
  }

  /** @param {Span} span on view */
  _reachFor([from, to]) {
    const { viewport } = this.board;
    if (viewport.gliding) return;
    const [length, fetched] = [to - from, this._reach[1] - this._reach[0]];
    const covered = from >= this._reach[0] && to <= this._reach[1] && fetched <= length * (1 + AHEAD) * RESOLUTION;
    if (covered && this._compared === viewport.compare) return;
    this._compared = viewport.compare;
    this._reach = [from, viewport.live ? to + length * AHEAD : to];
    this._history.clear();
    for (const { layer } of this._earlier.values()) {
      layer.state = "missing";
      layer.series.window = this._reach[1] - this._reach[0];
    }
  }
}
