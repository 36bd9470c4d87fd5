/** What was said last, and the few things before it. */

/** @import { TileType } from "../types.js" */

import { TextLog } from "../charts/log.js";
import { ChartView } from "./chart-view.js";

/** @type {TileType} */
export const log = {
  options: [],
  create: (parent, tile) => new ChartView(parent, tile, { plot: (chart, stream) => new TextLog(chart, stream) }),
};
