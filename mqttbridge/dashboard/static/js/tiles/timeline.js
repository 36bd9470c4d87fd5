/** What state several things were in, each a row over the same time. */

/** @import { Span, TileType, TileView, Value } from "../types.js" */
/** @import { Tile } from "./frame.js" */
/** @import { Stream } from "../stream.js" */

import { el, setText } from "../dom.js";
import { withEmoji } from "../emoji.js";
import { formatTime } from "../format.js";
import { t } from "../i18n.js";
import { colourIn, colourOf, hueName } from "./colours.js";

const FONT = '11px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
const GAP_PX = 5;
const MOST_ROW_PX = 40;
const LEAST_LABEL_PX = 30;

/** @type {TileType} */
export const timeline = {
  options: [],
  create: (parent, tile) => new Timeline(parent, tile),
};

/** @typedef {{from: number, to: number, value: Value}} Period */

/** @implements {TileView} */
class Timeline {
  /**
   * @param {HTMLElement} parent
   * @param {Tile} tile
   */
  constructor(parent, tile) {
    this.tile = tile;
    this._names = el("div", { class: "timeline-names" });
    const device = tile.streams.every((stream) => stream.device === tile.streams[0].device);
    this._names.append(...tile.streams.map((stream) => el("span", { dir: "auto", title: stream.name }, withEmoji(device ? stream.field : stream.name))));
    this._canvas = /** @type {HTMLCanvasElement} */ (el("canvas", { class: "timeline-canvas" }));
    this._note = el("p", { class: "timeline-note" });
    this.labelled = el("div", { class: "timeline", role: "img" }, this._names, this._canvas);
    parent.append(this.labelled, this._note);
    this._canvas.addEventListener("pointermove", (event) => this._point(event));
    this._canvas.addEventListener("pointerleave", () => setText(this._note, this._edges()));
    this._hues = [0, 1, 2, 3, 4, 5].map((number) => colourOf(tile.root, hueName(number)));
    this._on = tile.colour(0);
    this._soft = colourIn(tile.root, "--grid");
    /** @type {Map<Value, string>} */
    this._colours = new Map();
    this._drawn = "";
    /** @type {Span} */
    this.span = [0, 1];
  }

  /**
   * @param {number} _at
   * @param {Span} span
   */
  paint(_at, span) {
    const pixel = (span[1] - span[0]) / (this._canvas.clientWidth || 1);
    const drawn = [...this.tile.streams.map(({ version }) => version), Math.floor(span[0] / pixel), Math.floor(span[1] / pixel)].join();
    if (drawn === this._drawn) return;
    this._drawn = drawn;
    this.span = span;
    this._draw();
    if (!this._canvas.matches(":hover")) setText(this._note, this._edges());
  }

  resize() {
    this._drawn = "";
  }

  destroy() {
    this.labelled.remove();
    this._note.remove();
  }

  describe() {
    return this.tile.streams.map((stream) => `${withEmoji(stream.name)}: ${this.tile.text(stream)}`).join(", ");
  }

  _edges() {
    const [from, to] = this.span;
    return t("tiles.spanInWords", { since: formatTime(from, to - from), until: formatTime(to, to - from) });
  }

  /** @param {Stream} stream @returns {Period[]} */
  _periods(stream) {
    return periods(stream, this.span, this.tile.board.knownUntil);
  }

  _draw() {
    const ratio = devicePixelRatio || 1;
    const { clientWidth: width, clientHeight: height } = this._canvas;
    this._canvas.width = Math.round(width * ratio);
    this._canvas.height = Math.round(height * ratio);
    const ctx = this._canvas.getContext("2d");
    if (!ctx || !width) return;
    ctx.scale(ratio, ratio);
    ctx.font = FONT;
    ctx.textBaseline = "middle";
    const [from, to] = this.span;
    const each = height / this.tile.streams.length;
    const thick = Math.min(each - GAP_PX, MOST_ROW_PX);
    this.tile.streams.forEach((stream, row) => {
      const y = row * each + (each - thick) / 2;
      for (const period of this._periods(stream)) {
        const x = ((period.from - from) / (to - from)) * width;
        const wide = Math.max(((period.to - period.from) / (to - from)) * width, 1);
        ctx.fillStyle = this._colourOf(period.value);
        ctx.beginPath();
        ctx.roundRect(x, y, Math.max(wide - 1, 1), thick, Math.min(4, wide / 2));
        ctx.fill();
        if (wide < LEAST_LABEL_PX || period.value === false) continue;
        const text = this.tile.format(period.value, stream);
        ctx.fillStyle = inkOn(ctx.fillStyle);
        ctx.save();
        ctx.beginPath();
        ctx.rect(x, y, wide - 4, thick);
        ctx.clip();
        ctx.fillText(text, x + 6, y + thick / 2 + 0.5);
        ctx.restore();
      }
    });
  }

  /**
   * The same word has the same colour, in every row.
   * @param {Value} value
   */
  _colourOf(value) {
    if (value === true) return this._on;
    if (value === false) return this._soft;
    const level = this.tile.levelOf(value);
    if (level) return colourOf(this.tile.root, `level-${level}`);
    let colour = this._colours.get(value);
    if (!colour) this._colours.set(value, (colour = this._hues[this._colours.size % this._hues.length]));
    return colour;
  }

  /** @param {PointerEvent} event */
  _point({ offsetX, offsetY }) {
    const { clientWidth, clientHeight } = this._canvas;
    const stream = this.tile.streams[Math.floor((offsetY / clientHeight) * this.tile.streams.length)];
    const [from, to] = this.span;
    const at = from + (offsetX / clientWidth) * (to - from);
    const period = stream && this._periods(stream).find((one) => one.from <= at && at < one.to);
    setText(this._note, period
      ? t("tiles.timeline.period", {
        value: this.tile.format(period.value, stream), since: formatTime(period.from, to - from), until: formatTime(period.to, to - from),
      })
      : this._edges());
  }
}

/**
 * Runs of one value; each holds until the next word, a number no longer than its stream's usual silence.
 * @param {Stream} stream
 * @param {Span} span
 * @param {number} knownUntil epoch seconds
 * @returns {Period[]}
 */
export function periods(stream, [from, to], knownUntil) {
  const { epochs, values } = stream.layer.series;
  const end = Math.min(to, knownUntil);
  /** @type {Period[]} */
  const found = [];
  for (let i = 0; i < epochs.length; i++) {
    const holds = Math.min(epochs[i + 1] ?? end, stream.kind === "number" ? epochs[i] + stream.gap : Infinity);
    const before = found.at(-1);
    if (before && before.value === values[i] && before.to >= epochs[i]) before.to = holds;
    else found.push({ from: epochs[i], to: holds, value: values[i] });
  }
  return found
    .map((period) => ({ ...period, from: Math.max(period.from, from), to: Math.min(period.to, end) }))
    .filter((period) => period.to > period.from);
}

/**
 * Black or white, whichever is read better on a colour.
 * @param {string | CanvasGradient | CanvasPattern} colour as a canvas gives it: #rrggbb
 */
function inkOn(colour) {
  const [r, g, b] = String(colour).match(/[0-9a-f]{2}/gi)?.map((two) => parseInt(two, 16)) ?? [0, 0, 0];
  return 0.299 * r + 0.587 * g + 0.114 * b > 140 ? "#10161d" : "#ffffff";
}
