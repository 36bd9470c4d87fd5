/** Numbers over time: one with its value above it, or several under a legend. */

/** @import { Span, TileType, TileView } from "../types.js" */
/** @import { Stream } from "../stream.js" */
/** @import { Tile } from "./frame.js" */

import { announce } from "../announce.js";
import { handlersOf } from "../charts/handlers.js";
import { linePlot } from "../charts/line.js";
import { linesPlot } from "../charts/lines.js";
import { el } from "../dom.js";
import { formatTime } from "../format.js";
import { t } from "../i18n.js";
import { lowerBound } from "../series.js";
import { ChartView } from "./chart-view.js";
import { Legend } from "./legend.js";

/** @type {TileType} */
export const line = {
  options: [],
  create: (parent, tile) =>
    tile.streams.length > 1
      ? new LinesView(parent, tile)
      : new ChartView(parent, tile, {
        plot: (chart, stream, handlers) =>
          linePlot(chart, stream, handlers, { min: tile.config.min, max: tile.config.max, marks: tile.marks() }),
        extent: (stream, span) => extent(tile, stream, span),
      }),
};

/**
 * From the least to the greatest value on view.
 * @param {Tile} tile
 * @param {Stream} stream
 * @param {Span} span
 */
function extent(tile, stream, [from, to]) {
  const { epochs, values } = stream.layer.series;
  let [least, greatest] = [Infinity, -Infinity];
  for (let i = lowerBound(epochs, from); i < values.length && (tile.board.viewport.live || epochs[i] <= to); i++) {
    if (values[i] < least) least = values[i];
    if (values[i] > greatest) greatest = values[i];
  }
  tile.spread = Math.max(greatest - least, 0);
  return least >= greatest ? "" : `${tile.format(least)} – ${tile.format(greatest)}`;
}

/** @implements {TileView} */
class LinesView {
  /**
   * @param {HTMLElement} parent
   * @param {Tile} tile
   */
  constructor(parent, tile) {
    this.tile = tile;
    const colours = tile.streams.map((_, i) => tile.colour(i));
    this._legend = new Legend(parent, tile, colours);
    this.labelled = el("div", { class: "chart", role: "img", tabindex: "0", "aria-label": tile.title }, el("i", { class: "chart-ink" }));
    this.labelled.addEventListener("keydown", (event) => this._onKey(event));
    parent.append(this.labelled);
    this._pointed = false;
    const handlers = handlersOf(tile.board, (index) => {
      this._pointed = index !== null;
    });
    this.plot = linesPlot(this.labelled, tile.streams, handlers, { min: tile.config.min, max: tile.config.max, marks: tile.marks(), colours });
    /** @type {Span} */
    this.span = [0, 0];
  }

  /**
   * @param {number} _at
   * @param {Span} span
   */
  paint(_at, span) {
    this.span = span;
    this.plot.paint(span);
    const { cursor, data } = this.plot.uplot;
    this._legend.paint(this._pointed ? (i) => data[i + 1][cursor.idxs?.[i + 1] ?? -1] : null);
  }

  resize() {
    this.plot.resize();
  }

  destroy() {
    this.plot.destroy();
    this._legend.root.remove();
    this.labelled.remove();
  }

  describe() {
    const [from, to] = this.span;
    const [since, until] = [formatTime(from, to - from), formatTime(to, to - from)];
    return [this.tile.title, this._legend.words, t("tiles.spanInWords", { since, until })].join(", ");
  }

  /** @param {KeyboardEvent} event */
  _onKey(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -20, PageDown: 20 }[event.key];
    if (step) {
      this.plot.moveCursor(step);
      announce(() => this._legend.words);
      event.preventDefault();
    } else if (event.key === "Escape") {
      this.tile.board.jumpToLive();
    }
  }
}
