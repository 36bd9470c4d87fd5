/** Many streams' last values in rows. */

/** @import { TileType, TileView } from "../types.js" */
/** @import { Tile } from "./frame.js" */
/** @import { Stream } from "../stream.js" */

import { el, setAttribute, setText } from "../dom.js";
import { withEmoji } from "../emoji.js";
import { formatAge } from "../format.js";
import { t } from "../i18n.js";

/** @type {TileType} */
export const table = {
  options: [],
  history: false,
  create: (parent, tile) => new Table(parent, tile),
};

/** @implements {TileView} */
class Table {
  /**
   * @param {HTMLElement} parent
   * @param {Tile} tile
   */
  constructor(parent, tile) {
    this.tile = tile;
    this._rows = tile.streams.map((stream) => new Row(tile, stream));
    const heads = ["stream", "value", "age"].map((name) => el("th", { scope: "col" }, t(`tiles.table.${name}`)));
    this.root = el("div", { class: "tile-table", tabindex: "0" },
      el("table", {}, el("thead", {}, el("tr", {}, ...heads)), el("tbody", {}, ...this._rows.map(({ root }) => root))));
    parent.append(this.root);
  }

  /** @param {number} at */
  paint(at) {
    for (const row of this._rows) row.paint(at);
  }

  resize() {}

  destroy() {
    this.root.remove();
  }

  describe() {
    return t("tiles.table.inWords", { count: this._rows.length });
  }
}

class Row {
  /**
   * @param {Tile} tile
   * @param {Stream} stream
   */
  constructor(tile, stream) {
    this.tile = tile;
    this.stream = stream;
    this._value = el("td", { class: "tile-cell", dir: "auto" });
    this._age = el("td", { class: "tile-cell-age" });
    const name = tile.streams.every(({ device }) => device === stream.device) ? stream.field : stream.name;
    this.root = el("tr", {}, el("th", { scope: "row", dir: "auto", title: stream.name }, withEmoji(name)), this._value, this._age);
  }

  /** @param {number} at */
  paint(at) {
    const last = this.tile.last(this.stream);
    const unit = this.stream.kind === "number" ? this.tile.config.unit || this.stream.unit : "";
    setText(this._value, `${this.tile.format(last?.value, this.stream)} ${unit}`.trim());
    setAttribute(this.root, "data-level", this.tile.levelOf(last?.value) ?? "");
    setText(this._age, last ? formatAge(at - last.epoch) : "");
  }
}
