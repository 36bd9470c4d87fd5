/** What gauges and the like have in common: one last value, drawn anew when it or its scale changes. */

/** @import { Span, TileView } from "../types.js" */
/** @import { Tile } from "./frame.js" */

import { el } from "../dom.js";
import { withEmoji } from "../emoji.js";
import { scaleOf } from "./scale.js";

/** @implements {TileView} */
export class LastValueView {
  /**
   * @param {HTMLElement} parent
   * @param {Tile} tile
   * @param {(root: HTMLElement) => (value: number | null, scale: [number, number], text: string) => void} draw makes the
   *   picture, and gives what brings it up to date
   */
  constructor(parent, tile, draw) {
    this.tile = tile;
    this.labelled = el("div", { class: `gauge gauge-${tile.config.type}`, role: "img" });
    parent.append(this.labelled);
    this._update = draw(this.labelled);
    this._drawn = "";
  }

  paint() {
    const { tile } = this;
    const last = tile.last();
    const value = typeof last?.value === "number" ? last.value : null;
    const scale = scaleOf(tile);
    const drawn = [value, ...scale, tile.unit, ...tile.streams.map((stream) => tile.text(stream))].join();
    if (drawn === this._drawn) return;
    this._drawn = drawn;
    this._update(value, scale, tile.text());
  }

  resize() {}

  destroy() {
    this.labelled.remove();
  }

  describe() {
    const { tile } = this;
    return [withEmoji(tile.streams[0].name), `${tile.text()} ${tile.unit}`.trim()].join(", ");
  }
}
