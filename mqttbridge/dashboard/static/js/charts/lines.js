/** Several numbers over one time, each a line of its own colour. */

/** @import { Stream } from "../stream.js" */
/** @import { PlotHandlers } from "./plot.js" */
/** @import { LineLook } from "./line.js" */

import uPlot from "../../vendor/uPlot.esm.js";
import { drawMarks, drawReach, earlierExtentOf, extentOf, valueAxis, widest, within, yRange } from "./line.js";
import { drawEarlier } from "./overlay.js";
import { linePaths } from "./path.js";
import { Plot } from "./plot.js";

/**
 * @param {HTMLElement} parent
 * @param {Stream[]} streams
 * @param {PlotHandlers} handlers
 * @param {LineLook & {colours: string[]}} look
 */
export function linesPlot(parent, streams, handlers, { min = null, max = null, marks = [], colours }) {
  return new Plot(parent, streams[0], handlers, {
    series: streams.map((stream, i) => ({
      stroke: colours[i],
      width: 1.6,
      paths: (plot) => linePaths(plot, stream.line, stream.line.gap),
      points: { show: false },
    })),
    // Times that another stream has and this one lacks come as undefined, which a line passes over.
    data: () => uPlot.join(streams.map(({ line }) => [line.epochs, line.values])),
    version: () => streams.map(({ version }) => version).join(),
    yRange: ([from, to]) => {
      const extents = streams.map((stream) => extentOf(stream, from, to));
      const before = streams.map((stream) => earlierExtentOf(handlers.earlier?.(stream), from, to));
      const decimals = Math.max(...streams.map((stream) => stream.decimals));
      return within(yRange(...widest([...extents, ...before]), decimals), min, max);
    },
    yAxis: valueAxis,
    cursorIndex: (plot, series, nearest) => nearestWithValue(plot.data[series], nearest),
    hooks: {
      drawAxes: [(plot) => drawMarks(plot, marks), (plot) => {
        for (const [i, stream] of streams.entries()) {
          drawReach(plot, stream, colours[i]);
          const earlier = handlers.earlier?.(stream);
          if (earlier) drawEarlier(plot, earlier, colours[i]);
        }
      }],
    },
  });
}

/**
 * The index nearest to a time's that a series has a value at.
 * @param {ArrayLike<number | null | undefined>} values
 * @param {number} index
 */
function nearestWithValue(values, index) {
  for (let distance = 0; distance < values.length; distance++) {
    if (values[index - distance] !== undefined) return index - distance;
    if (values[index + distance] !== undefined) return index + distance;
  }
  return index;
}
