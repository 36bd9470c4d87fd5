/** Bars: several streams beside each other, or one stream summed up by the hour, the day, or what the time on view asks for. */

/** @import { Span, TileType, TileView } from "../types.js" */
/** @import { Tile } from "./frame.js" */

import { el, setText } from "../dom.js";
import { withEmoji } from "../emoji.js";
import { formatTime } from "../format.js";
import { t } from "../i18n.js";
import { upperBound } from "../series.js";
import { dateFormat } from "../zone.js";
import { shareOf } from "./scale.js";

/** Widths of a bar in time, in seconds; the first that gives no more than MOST bars is taken. */
const WIDTHS = [10, 30, 60, 300, 900, 3600, 10_800, 21_600, 86_400, 604_800, 2_592_000];
const MOST = 24;

const DAY = 86_400;
const CLOCK = /** @type {const} */ ({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const DATE = /** @type {const} */ ({ day: "numeric", month: "short" });

/** @type {TileType} */
export const bar = {
  options: [
    {
      name: "of", kind: "choice", label: "tiles.bar.of", initial: "mean",
      choices: [
        { value: "mean", label: "tiles.bar.mean" }, { value: "greatest", label: "tiles.bar.greatest" },
        { value: "least", label: "tiles.bar.least" }, { value: "change", label: "tiles.bar.change" },
        { value: "count", label: "tiles.bar.count" },
      ],
    },
  ],
  create: (parent, tile) => new Bars(parent, tile),
};

/** @typedef {{label: string, mark?: string, value: number | null, text: string, level: string}} Bar */

/** @implements {TileView} */
class Bars {
  /**
   * @param {HTMLElement} parent
   * @param {Tile} tile
   */
  constructor(parent, tile) {
    this.tile = tile;
    this.labelled = el("div", { role: "img", tabindex: "0", "aria-label": tile.title, class: tile.streams.length > 1 ? "bars bars-across" : "bars bars-up" });
    parent.append(this.labelled);
    this._drawn = "";
    /** @type {Bar[]} */
    this._bars = [];
  }

  /**
   * @param {number} _at
   * @param {Span} span
   */
  paint(_at, span) {
    this._bars = this.tile.streams.length > 1 ? this._beside() : this._overTime(span);
    const drawn = JSON.stringify(this._bars);
    if (drawn === this._drawn) return;
    this._drawn = drawn;
    const { min, max } = this.tile.config;
    const values = this._bars.map(({ value }) => value).filter((value) => value !== null);
    const scale = /** @type {[number, number]} */ ([min ?? Math.min(0, ...values), max ?? Math.max(0, ...values)]);
    if (scale[1] <= scale[0]) scale[1] = scale[0] + 1;
    this.labelled.replaceChildren(...this._bars.map((one) => barElement(one, scale)));
  }

  resize() {}

  destroy() {
    this.labelled.remove();
  }

  describe() {
    return this._bars.map(({ label, text }) => `${label}: ${text}`).join(", ");
  }

  /** @returns {Bar[]} one a stream, of last values */
  _beside() {
    const { tile } = this;
    const device = tile.streams.every((stream) => stream.device === tile.streams[0].device);
    const field = tile.streams.every((stream) => stream.field === tile.streams[0].field);
    return tile.streams.map((stream) => {
      const value = tile.last(stream)?.value;
      return {
        label: withEmoji(device ? stream.field : field ? stream.device : stream.name),
        value: typeof value === "number" ? value : null,
        text: `${tile.text(stream)} ${tile.config.unit || stream.unit}`.trim(),
        level: tile.levelOf(value) ?? "",
      };
    });
  }

  /**
   * @param {Span} span
   * @returns {Bar[]} one a piece of time
   */
  _overTime([from, to]) {
    const { tile } = this;
    const { epochs, values } = tile.streams[0].layer.series;
    const width = WIDTHS.find((seconds) => (to - from) / seconds <= MOST) ?? (to - from) / MOST;
    // Whole hours and days are those of the reader's clock.
    const offset = new Date(to * 1000).getTimezoneOffset() * 60;
    const bars = [];
    for (let start = Math.floor((from - offset) / width) * width + offset; start < to; start += width) {
      const end = start + width;
      const [first, last] = [upperBound(epochs, start - 1e-6), upperBound(epochs, end - 1e-6)];
      const value = summary(tile.config.options.of ?? "mean", epochs, values, first, last, end);
      const count = tile.config.options.of === "count";
      bars.push({
        label: formatTime(start, to - from),
        mark: dateFormat(width < DAY ? CLOCK : DATE).format(start * 1000),
        value,
        text: value === null ? t("tiles.noValue") : count ? String(value) : `${tile.format(value)} ${tile.unit}`.trim(),
        level: count ? "" : tile.levelOf(value) ?? "",
      });
    }
    return bars;
  }
}

/**
 * @param {string} of
 * @param {number[]} epochs
 * @param {number[]} values
 * @param {number} first
 * @param {number} last index, exclusive
 * @param {number} end epoch
 * @returns {number | null}
 */
function summary(of, epochs, values, first, last, end) {
  const inside = values.slice(first, last);
  if (!inside.length) return of === "count" ? 0 : null;
  if (of === "count") return inside.length;
  if (of === "greatest") return inside.reduce((a, b) => Math.max(a, b));
  if (of === "least") return inside.reduce((a, b) => Math.min(a, b));
  // What a counter counted: from the last value before, so that nothing falls between two bars.
  if (of === "change") return inside[inside.length - 1] - values[Math.max(first - 1, 0)];
  // By time, since of a long span only telling points are here, and they lie unevenly.
  let [sum, time] = [0, 0];
  for (let i = first; i < last; i++) {
    const held = (i + 1 < last ? epochs[i + 1] : Math.min(end, epochs[epochs.length - 1])) - epochs[i];
    sum += values[i] * held;
    time += held;
  }
  return time > 0 ? sum / time : inside.reduce((a, b) => a + b) / inside.length;
}

/**
 * @param {Bar} bar
 * @param {[number, number]} scale
 */
function barElement({ label, mark = label, value, text, level }, scale) {
  const ink = el("i", { class: `bar-ink${level && ` level-${level}`}` });
  const zero = shareOf(0, scale);
  const at = value === null ? zero : shareOf(value, scale);
  ink.style.setProperty("--from", `${(100 * Math.min(zero, at)).toFixed(2)}%`);
  ink.style.setProperty("--length", `${(100 * Math.abs(at - zero)).toFixed(2)}%`);
  const name = el("span", { class: "bar-label", dir: "auto" });
  const number = el("span", { class: "bar-value" });
  setText(name, mark);
  setText(number, text);
  return el("div", { class: "bars-one", title: `${label}: ${text}` }, name, el("span", { class: "bar-track" }, ink), number);
}
