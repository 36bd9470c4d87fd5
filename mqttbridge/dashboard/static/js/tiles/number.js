/** A number to be read from across the room, with where it came from under it. */

/** @import { Span, TileType, TileView } from "../types.js" */
/** @import { Tile } from "./frame.js" */

import { el, setAttribute, setText } from "../dom.js";
import { withEmoji } from "../emoji.js";
import { formatNumber } from "../format.js";
import { t } from "../i18n.js";
import { lowerBound } from "../series.js";
import { svg } from "./svg.js";

const [WIDTH, HEIGHT] = [200, 40];

/** @type {TileType} */
export const number = {
  options: [],
  create: (parent, tile) => new BigNumber(parent, tile),
};

/** @implements {TileView} */
class BigNumber {
  /**
   * @param {HTMLElement} parent
   * @param {Tile} tile
   */
  constructor(parent, tile) {
    this.tile = tile;
    this._value = el("span", { class: "tile-number", dir: "auto" });
    this._unit = el("span", { class: "tile-unit" });
    this._change = el("p", { class: "big-change" });
    this._line = svg("path", { class: "spark-line" });
    this._area = svg("path", { class: "spark-area" });
    const spark = svg("svg", { class: "spark", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" },
      this._area, this._line);
    this.labelled = el("div", { class: "big", role: "img" }, el("p", { class: "big-value" }, this._value, this._unit), this._change);
    this.labelled.append(spark);
    parent.append(this.labelled);
    this._drawn = "";
  }

  /**
   * @param {number} _at
   * @param {Span} span
   */
  paint(_at, span) {
    const { tile } = this;
    const [stream] = tile.streams;
    const text = tile.text();
    setText(this._value, text);
    setAttribute(this._value, "data-length", text.length > 9 ? "longer" : text.length > 6 ? "long" : "usual");
    setText(this._unit, tile.unit);
    const pixel = Math.max((span[1] - span[0]) / WIDTH, 0.001);
    const drawn = `${stream.version} ${Math.floor(span[0] / pixel)} ${span[1] - span[0]}`;
    if (drawn === this._drawn) return;
    this._drawn = drawn;
    this._spark(span);
    setText(this._change, this._inWords(span));
  }

  resize() {}

  destroy() {
    this.labelled.remove();
  }

  describe() {
    const { tile } = this;
    return [withEmoji(tile.streams[0].name), `${tile.text()} ${tile.unit}`.trim(), this._change.textContent].filter(Boolean).join(", ");
  }

  /** @param {Span} span */
  _spark([from, to]) {
    const { epochs, values } = this.tile.streams[0].layer.series;
    const first = Math.max(0, lowerBound(epochs, from) - 1);
    const shown = values.slice(first).filter((value) => Number.isFinite(value));
    const [least, greatest] = shown.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [Infinity, -Infinity]);
    const height = greatest - least || 1;
    const points = [];
    for (let i = first; i < values.length && epochs[i] <= to; i++) {
      const x = Math.max(0, ((epochs[i] - from) / (to - from)) * WIDTH);
      points.push(`${x.toFixed(1)} ${(HEIGHT - 3 - ((values[i] - least) / height) * (HEIGHT - 6)).toFixed(1)}`);
    }
    const line = points.length > 1 ? `M${points.join("L")}` : "";
    this._line.setAttribute("d", line);
    const [start, end] = [points[0]?.split(" ")[0], points.at(-1)?.split(" ")[0]];
    this._area.setAttribute("d", line && `${line}L${end} ${HEIGHT}L${start} ${HEIGHT}Z`);
  }

  /**
   * How it changed over the time on view.
   * @param {Span} span
   */
  _inWords([from, to]) {
    const { tile } = this;
    const { epochs, values } = tile.streams[0].layer.series;
    const first = values[Math.max(0, lowerBound(epochs, from) - 1)];
    const last = tile.last()?.value;
    if (typeof first !== "number" || typeof last !== "number" || epochs.length < 2) return "";
    const change = last - first;
    const amount = `${change > 0 ? "+" : change < 0 ? "−" : "±"}${tile.format(Math.abs(change))} ${tile.unit}`.trim();
    const share = first === 0 || tile.unit === "%" ? "" : ` (${formatNumber(Math.abs((100 * change) / first), 1)} %)`;
    return t("tiles.number.change", { change: amount + share, time: inWords(to - from) });
  }
}

/** @param {number} seconds */
function inWords(seconds) {
  const [count, unit] = seconds < 3500 ? [seconds / 60, "minutes"] : seconds < 172_800 ? [seconds / 3600, "hours"] : [seconds / 86_400, "days"];
  return t(`tiles.number.${unit}`, { count: Math.round(count) });
}
