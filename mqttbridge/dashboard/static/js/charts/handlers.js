/** What a chart's hand movements do to the page's time, and what of the page's model it draws along. */

/** @import { Board } from "../board.js" */
/** @import { PlotHandlers } from "./plot.js" */

/**
 * @param {Board} board
 * @param {(index: number | null) => void} onCursor the point under the crosshair
 * @returns {PlotHandlers}
 */
export const handlersOf = (board, onCursor) => ({
  onCursor,
  onZoom: (span) => board.zoom(span),
  onGlide: (span) => board.glide(span),
  onReset: () => board.jumpToLive(),
  onPick: (at) => board.marks.pick(at),
  knownUntil: () => board.knownUntil,
  marks: () => board.marks.times,
  earlier: (stream) => board.comparison.of(stream),
  overlay: () => board.marks.version + board.comparison.version,
});
