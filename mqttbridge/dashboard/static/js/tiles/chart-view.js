/** A tile of one stream with its last value above a chart over the page's span of time. */

/** @import { Span, TileView } from "../types.js" */
/** @import { Stream } from "../stream.js" */
/** @import { Tile } from "./frame.js" */
/** @import { PlotHandlers } from "../charts/plot.js" */

import { announce } from "../announce.js";
import { handlersOf } from "../charts/handlers.js";
import { el } from "../dom.js";
import { withEmoji } from "../emoji.js";
import { formatTime } from "../format.js";
import { t } from "../i18n.js";
import { Reading } from "./reading.js";

/**
 * @typedef {{paint: (span: Span) => void, resize: () => void, moveCursor: (step: number) => void, destroy: () => void}} Chart
 * @typedef {object} ChartLook
 * @property {(parent: HTMLElement, stream: Stream, handlers: PlotHandlers) => Chart} plot
 * @property {(stream: Stream, span: Span) => string} [extent] a word about what is on view
 */

/** @implements {TileView} */
export class ChartView {
  /**
   * @param {HTMLElement} parent
   * @param {Tile} tile
   * @param {ChartLook} look
   */
  constructor(parent, tile, look) {
    this.tile = tile;
    this.look = look;
    this.stream = tile.streams[0];
    /** @type {Span} */
    this.span = [0, 0];
    /** @type {number | null} the point under the crosshair */
    this._cursor = null;
    this.reading = new Reading(parent);
    this.reading.show(tile.text(), tile.unit); // the chart takes the room that is left
    this.labelled = el("div", { class: "chart", role: "img", tabindex: "0", "aria-label": tile.title }, el("i", { class: "chart-ink" }));
    this.labelled.addEventListener("keydown", (event) => this._onKey(event));
    parent.append(this.labelled);
    this.reading.show(tile.text(), tile.unit); // it takes its room before the chart does
    this.plot = look.plot(this.labelled, this.stream, handlersOf(tile.board, (index) => {
      this._cursor = index;
    }));
  }

  /**
   * @param {number} _at
   * @param {Span} span
   */
  paint(_at, span) {
    this.span = span;
    this.plot.paint(span);
    this._paintExtent(span);
    this.reading.show(this.tile.text(), this.tile.unit);
  }

  resize() {
    this.plot.resize();
  }

  destroy() {
    this.plot.destroy();
    this.reading.root.remove();
    this.labelled.remove();
  }

  describe() {
    const [from, to] = this.span;
    const [since, until] = [formatTime(from, to - from), formatTime(to, to - from)];
    const value = `${this.tile.text()} ${this.tile.unit}`.trim();
    return [withEmoji(this.stream.name), value, this.reading.extent, t("tiles.spanInWords", { since, until })]
      .filter(Boolean).join(", ");
  }

  /**
   * The point under the crosshair, or else a word about all that is on view.
   * @param {Span} span
   */
  _paintExtent(span) {
    const { line, layer: { rollup } } = this.stream;
    if (this._cursor === null || this._cursor < 0 || this._cursor >= line.epochs.length) {
      this.reading.showExtent(this.look.extent?.(this.stream, span) ?? "");
      return;
    }
    const time = formatTime(line.epochs[this._cursor], span[1] - span[0]).replaceAll(" ", "\u00a0");
    const value = this.tile.format(line.values[this._cursor]);
    const [least, greatest] = [rollup?.least[this._cursor], rollup?.greatest[this._cursor]].map((one) => this.tile.format(one));
    const rolledUp = rollup !== null && this._cursor < rollup.length;
    this.reading.showExtent(t(rolledUp ? "tiles.meanAt" : "tiles.valueAt", { value, least, greatest, time }), true);
  }

  /** @param {KeyboardEvent} event */
  _onKey(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -20, PageDown: 20 }[event.key];
    if (step) {
      this.plot.moveCursor(step);
      announce(() => this.reading.extent);
      event.preventDefault();
    } else if (event.key === "Escape") {
      this.tile.board.jumpToLive();
    }
  }
}
