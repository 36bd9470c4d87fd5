/** How the values on view are spread: for what share of the time each range of values held. */

/** @import { Span, TileType, TileView } from "../types.js" */
/** @import { Tile } from "./frame.js" */

import { el } from "../dom.js";
import { withEmoji } from "../emoji.js";
import { formatNumber, formatTick } from "../format.js";
import { t } from "../i18n.js";
import { lowerBound } from "../series.js";

const BINS = 16;
const STEPS = [1, 2, 2.5, 5, 10];

/** @type {TileType} */
export const histogram = {
  options: [],
  create: (parent, tile) => new Histogram(parent, tile),
};

/** @implements {TileView} */
class Histogram {
  /**
   * @param {HTMLElement} parent
   * @param {Tile} tile
   */
  constructor(parent, tile) {
    this.tile = tile;
    this.labelled = el("div", { role: "img", class: "histogram" });
    parent.append(this.labelled);
    this._drawn = "";
    this._words = "";
  }

  /**
   * @param {number} at
   * @param {Span} span
   */
  paint(at, span) {
    const { tile } = this;
    const [stream] = tile.streams;
    const drawn = `${stream.version} ${Math.floor(span[0] / 2)} ${Math.floor(span[1] / 2)}`;
    if (drawn === this._drawn) return;
    this._drawn = drawn;
    const bins = spread(stream.layer.series, span, Math.min(span[1], tile.board.knownUntil, at), stream.gap);
    const most = Math.max(...bins.map(({ share }) => share), 0);
    const label = (/** @type {number} */ value) => formatTick(value, bins.length ? bins[0].to - bins[0].from : 1);
    this._words = bins.filter(({ share }) => share > 0)
      .map(({ from, to, share }) => t("tiles.histogram.bin", { from: label(from), to: label(to), percent: Math.round(100 * share) })).join(", ");
    this.labelled.replaceChildren(
      el("div", { class: "histogram-bins" }, ...bins.map(({ from, to, share }) => {
        const title = t("tiles.histogram.bin", { from: label(from), to: label(to), percent: formatNumber(100 * share, 1) });
        const bin = el("i", { class: "histogram-bin", title });
        bin.style.setProperty("--share", String(most ? share / most : 0));
        return bin;
      })),
      el("div", { class: "histogram-axis" }, ...(bins.length
        ? [el("span", {}, label(bins[0].from)), el("span", {}, tile.unit), el("span", {}, label(bins[bins.length - 1].to))]
        : [el("span", {}, t("tiles.noValue"))])),
    );
  }

  resize() {}

  destroy() {
    this.labelled.remove();
  }

  describe() {
    return `${withEmoji(this.tile.streams[0].name)}, ${this._words || t("tiles.noValue")}`;
  }
}

/**
 * Each value counts for as long as it held, so that it does not matter how often a stream speaks, or how much of it was
 * left out on the way here.
 * @param {{epochs: number[], values: number[]}} series
 * @param {Span} span
 * @param {number} end until when the last value holds
 * @param {number} gap silence longer than this belongs to no value
 * @returns {{from: number, to: number, share: number}[]} bins of equal width with edges one can read
 */
export function spread({ epochs, values }, [from, to], end, gap) {
  /** @type {[value: number, seconds: number][]} */
  const held = [];
  for (let i = Math.max(0, lowerBound(epochs, from) - 1); i < epochs.length && epochs[i] <= to; i++) {
    const until = Math.min(epochs[i + 1] ?? end, epochs[i] + gap, end);
    const seconds = until - Math.max(epochs[i], from);
    if (seconds > 0 && Number.isFinite(values[i])) held.push([values[i], seconds]);
  }
  if (!held.length) return [];
  const [least, greatest] = held.reduce(([a, b], [value]) => [Math.min(a, value), Math.max(b, value)], [Infinity, -Infinity]);
  const wanted = Math.max((greatest - least) / BINS, Math.abs(greatest) * 1e-9, 1e-9);
  const power = 10 ** Math.floor(Math.log10(wanted));
  const width = (STEPS.find((step) => step * power >= wanted * 0.999) ?? 10) * power;
  const first = Math.floor(least / width);
  const bins = Array.from({ length: Math.floor(greatest / width) - first + 1 }, (_, i) => ({
    from: (first + i) * width, to: (first + i + 1) * width, share: 0,
  }));
  const total = held.reduce((sum, [, seconds]) => sum + seconds, 0);
  for (const [value, seconds] of held) bins[Math.min(Math.floor(value / width) - first, bins.length - 1)].share += seconds / total;
  return bins;
}
