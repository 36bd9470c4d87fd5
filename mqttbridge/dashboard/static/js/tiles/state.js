/** On or off over time. */

/** @import { Span, TileType } from "../types.js" */
/** @import { Stream } from "../stream.js" */
/** @import { Tile } from "./frame.js" */

import { bandPlot, states } from "../charts/band.js";
import { t } from "../i18n.js";
import { sayState } from "../said.js";
import { ChartView } from "./chart-view.js";

/** @type {TileType} */
export const state = {
  options: [],
  create: (parent, tile) =>
    new ChartView(parent, tile, { plot: bandPlot, extent: (stream, span) => shareOn(tile, stream, span) }),
};

/**
 * @param {Tile} tile
 * @param {Stream} stream
 * @param {Span} span
 */
function shareOn(tile, stream, [from, to]) {
  let [on, known] = [0, 0];
  for (const one of states(stream, from, to, tile.board.knownUntil)) {
    known += one.to - one.from;
    if (one.on) on += one.to - one.from;
  }
  return known ? t("tiles.shareOn", { state: sayState(true, stream), percent: Math.round((100 * on) / known) }) : "";
}
