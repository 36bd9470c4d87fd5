/** The one axis of time that all waves share, with the time under the crosshair. */

/** @import { Board } from "../board.js" */

import { handlersOf } from "../charts/handlers.js";
import { Plot } from "../charts/plot.js";
import { now } from "../clock.js";
import { el, setAttribute, setText } from "../dom.js";
import { formatTime } from "../format.js";
import { Stream } from "../stream.js";
import { LANE } from "./wave.js";

export class Axis {
  /**
   * @param {HTMLElement} root
   * @param {Board} board
   */
  constructor(root, board) {
    this.root = root;
    this.board = board;
    /** @type {Plot | null} */
    this.plot = null;
    this._time = el("p", { class: "waves-time" });
    this._chart = el("div", { class: "chart", "aria-hidden": "true" }, el("i", { class: "chart-ink" }));
    root.append(this._time, this._chart);
  }

  get shown() {
    return this.plot !== null;
  }

  paint() {
    const none = new Stream("", "number", "", 1);
    this.plot ??= new Plot(this._chart, none, { ...handlersOf(this.board, () => {}), marks: () => [] }, {
      series: { show: false }, yRange: () => [0, 1], yAxis: { show: false, size: 0 }, cursorPoint: false, lane: LANE, timeAxis: true,
    });
    const at = now();
    const [from, to] = this.board.viewport.span(at);
    this.plot.paint([from, to]);
    const cursor = this.plot.cursorTime;
    setText(this._time, cursor === null ? "" : formatTime(cursor, Math.max(to - from, at - cursor)));
    setAttribute(this.root, "data-cursor", String(cursor !== null));
  }

  resized() {
    this.plot?.resize();
  }

  hide() {
    this.plot?.destroy();
    this.plot = null;
  }
}
