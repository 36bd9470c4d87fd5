/** One stream among many on one axis of time: its name, the value under the crosshair, its chart. */

/** @import { Board } from "../board.js" */
/** @import { Stream } from "../stream.js" */
/** @import { Plot } from "../charts/plot.js" */

import { announce } from "../announce.js";
import { bandPlot } from "../charts/band.js";
import { handlersOf } from "../charts/handlers.js";
import { linePlot } from "../charts/line.js";
import { textPlot } from "../charts/texts.js";
import { now } from "../clock.js";
import { el, setAttribute, setText } from "../dom.js";
import { withEmoji } from "../emoji.js";
import { decimalsFor, formatNumber, formatTime } from "../format.js";
import { t } from "../i18n.js";
import { sayState } from "../said.js";
import { figuresOf } from "../time/measure-panel.js";

/** Where the charts begin, so that all times lie above each other. */
export const LANE = 58;

/** How often the words that screen readers find are brought up to date. */
const DESCRIBE_S = 10;

const PLOTS = { number: linePlot, boolean: bandPlot, text: textPlot };

export class Wave {
  /**
   * @param {HTMLElement} root
   * @param {Stream} stream
   * @param {Board} board
   */
  constructor(root, stream, board) {
    this.root = root;
    this.stream = stream;
    this.board = board;
    /** @type {Plot | null} */
    this.plot = null;
    /** @type {number | null} the point under the crosshair */
    this._cursor = null;
    this._described = 0;
    this._value = el("span", { class: "wave-value", dir: "auto" });
    this._figures = el("p", { class: "wave-figures" });
    this._chart = el("div", { class: "chart wave-chart", role: "img", tabindex: "0", "aria-label": withEmoji(stream.name) }, el("i", { class: "chart-ink" }));
    this._chart.addEventListener("keydown", (event) => this._onKey(event));
    const name = el("h2", { dir: "auto", title: stream.name }, withEmoji(stream.name));
    root.append(el("div", { class: "wave-head" }, name, el("p", {}, this._value), this._figures), this._chart);
    setAttribute(root, "data-stream", stream.name);
    setAttribute(root, "data-kind", stream.kind);
  }

  get shown() {
    return this.plot !== null;
  }

  prepare() {
    this.board.history.want(this.stream);
  }

  paint() {
    const { board, stream } = this;
    this.plot ??= PLOTS[stream.kind](this._chart, stream, handlersOf(board, (index) => {
      this._cursor = index;
    }), { lane: LANE });
    this.prepare();
    const at = now();
    const span = board.viewport.span(at);
    this.plot.paint(span);
    this._paintValue();
    this._paintFigures();
    setAttribute(this.root, "data-loaded", String(stream.layer.state === "loaded"));
    setAttribute(this.root, "data-points", String(stream.layer.series.length));
    this._describe(at, span[1] - span[0]);
  }

  resized() {
    this.plot?.resize();
  }

  hide() {
    this.plot?.destroy();
    this.plot = null;
    this._cursor = null;
  }

  /** The value under the crosshair, or else the last one. */
  _paintValue() {
    const { epochs, values } = this.stream.line;
    const pointed = this._cursor !== null && this._cursor >= 0 && this._cursor < epochs.length;
    const value = pointed ? values[/** @type {number} */ (this._cursor)] : this.stream.lastOnView(this.board.viewport.range)?.value;
    setText(this._value, this._words(value));
    setAttribute(this._value, "data-cursor", String(pointed));
  }

  _paintFigures() {
    const { marks } = this.board;
    const one = marks.statistics?.[this.stream.name];
    if (!one) {
      setText(this._figures, marks.statistics ? t("waves.nothing") : "");
      return;
    }
    const { count, least, mean, greatest } = figuresOf(this.board, this.stream.name, one);
    const range = least && greatest ? t("waves.range", { least, greatest }) : "";
    setText(this._figures, [mean && t("waves.mean", { mean }), range, t("waves.count", { count: one.count, shown: count })].filter(Boolean).join(" · "));
  }

  /** @param {any} value */
  _words(value) {
    const { stream } = this;
    if (value === undefined) return "–";
    if (typeof value === "boolean") return sayState(value, stream);
    if (typeof value !== "number") return withEmoji(String(value));
    return `${formatNumber(value, decimalsFor(stream.decimals, 0))}${stream.unit ? `\u00a0${stream.unit}` : ""}`;
  }

  /**
   * @param {number} at
   * @param {number} reach seconds on view
   */
  _describe(at, reach) {
    if (at - this._described < DESCRIBE_S) return;
    this._described = at;
    const last = this.stream.lastOnView(this.board.viewport.range);
    const time = last ? formatTime(last.epoch, reach) : "";
    setAttribute(this._chart, "aria-label", t("waves.chart", { name: withEmoji(this.stream.name), value: this._words(last?.value), time }));
  }

  /** @param {KeyboardEvent} event */
  _onKey(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -20, PageDown: 20 }[event.key];
    const cursor = this.plot?.cursorTime ?? null;
    if (step) {
      this.plot?.moveCursor(step);
      announce(() => this._value.textContent ?? "");
      event.preventDefault();
    } else if ((event.key === "a" || event.key === "b") && cursor !== null) {
      this.board.marks.place(event.key === "a" ? 0 : 1, cursor);
    } else if (event.key === "Escape") {
      this.board.jumpToLive();
    }
  }
}
