/** A number over time. */

/** @import { Span, TileType } from "../types.js" */
/** @import { Stream } from "../stream.js" */
/** @import { Tile } from "./frame.js" */

import { linePlot } from "../charts/line.js";
import { lowerBound } from "../series.js";
import { ChartView } from "./chart-view.js";

/** @type {TileType} */
export const line = {
  options: [],
  create: (parent, tile) =>
    new ChartView(parent, tile, {
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
