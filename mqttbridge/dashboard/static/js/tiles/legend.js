/** The names of a chart's lines, each with its colour and its value: the last, or that under the crosshair. */

/** @import { Tile } from "./frame.js" */

import { el, setAttribute, setText } from "../dom.js";
import { withEmoji } from "../emoji.js";

export class Legend {
  /**
   * @param {HTMLElement} parent
   * @param {Tile} tile
   * @param {string[]} colours by stream
   */
  constructor(parent, tile, colours) {
    this.tile = tile;
    const { streams } = tile;
    const device = streams.every((stream) => stream.device === streams[0].device);
    const field = streams.every((stream) => stream.field === streams[0].field);
    this._values = streams.map(() => el("b", { class: "legend-value" }));
    const entries = streams.map((stream, i) => {
      const name = withEmoji(device ? stream.field : (field && stream.device) || stream.name);
      const key = el("i", { class: "legend-key" });
      key.style.background = colours[i];
      return el("li", { title: stream.name }, key, el("span", { class: "legend-name", dir: "auto" }, name), this._values[i]);
    });
    this.root = el("ul", { class: "legend" }, ...entries);
    parent.append(this.root);
  }

  /** @param {((index: number) => unknown) | null} pointed gives each stream's value under the crosshair, if there is one */
  paint(pointed) {
    setAttribute(this.root, "data-cursor", String(pointed !== null));
    this.tile.streams.forEach((stream, i) => {
      const value = pointed ? pointed(i) : this.tile.last(stream)?.value;
      const unit = this.tile.config.unit || stream.unit;
      setText(this._values[i], value === undefined || value === null ? "–" : `${this.tile.format(value, stream)} ${unit}`.trim());
    });
  }

  /** What it says, in words. */
  get words() {
    return [...this.root.children].map(({ textContent }) => textContent).join(", ");
  }
}
