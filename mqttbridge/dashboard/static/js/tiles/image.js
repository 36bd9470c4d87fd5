/** A picture whose address is the stream's value, or is given. Which hosts may be shown is the server's say. */

/** @import { TileType, TileView } from "../types.js" */
/** @import { Tile } from "./frame.js" */

import { el, setText } from "../dom.js";
import { t } from "../i18n.js";

/** @type {TileType} */
export const image = {
  options: [
    { name: "url", kind: "text", label: "tiles.image.url" },
    { name: "every", kind: "number", label: "tiles.image.every" },
  ],
  history: false,
  create: (parent, tile) => new Picture(parent, tile),
};

const SCHEMES = new Set(["http:", "https:", "data:"]);

/** @implements {TileView} */
class Picture {
  /**
   * @param {HTMLElement} parent
   * @param {Tile} tile
   */
  constructor(parent, tile) {
    this.tile = tile;
    this._problem = el("p", { class: "tile-problem" });
    this._image = /** @type {HTMLImageElement} */ (el("img", { class: "tile-image", alt: "", referrerpolicy: "no-referrer", decoding: "async" }));
    this._image.addEventListener("error", () => this._say(t("tiles.image.failed", { url: shorten(this._url) })));
    this._image.addEventListener("load", () => this._say(""));
    this.root = el("div", { class: "picture-frame" }, this._image, this._problem);
    parent.append(this.root);
    this._url = "";
    this._fetched = 0;
  }

  /** @param {number} at */
  paint(at) {
    const { config } = this.tile;
    const said = this.tile.streams.length ? String(this.tile.last()?.value ?? "") : String(config.options.url ?? "");
    const every = Number(config.options.every) || 0;
    const due = every > 0 && at - this._fetched >= Math.max(every, 1);
    if (said === this._url && !due) return;
    this._url = said;
    this._fetched = at;
    const url = addressIn(said);
    if (!url) return this._say(said ? t("tiles.image.noAddress", { value: shorten(said) }) : t("tiles.image.nothing"));
    if (due && url.protocol !== "data:") url.searchParams.set("_", String(Math.floor(at)));
    this._image.src = url.href;
    this._image.alt = this.tile.title;
  }

  resize() {}

  destroy() {
    this._image.removeAttribute("src");
    this.root.remove();
  }

  describe() {
    return this._problem.textContent || t("tiles.image.inWords", { title: this.tile.title });
  }

  /** @param {string} problem "" for none */
  _say(problem) {
    setText(this._problem, problem);
    this._image.hidden = problem !== "";
  }
}

/** @param {string} said */
function addressIn(said) {
  try {
    const url = new URL(said, location.href);
    const picture = url.protocol !== "data:" || /^data:image\/(png|jpeg|gif|webp|avif)[;,]/.test(said);
    return said && SCHEMES.has(url.protocol) && picture ? url : null;
  } catch {
    return null;
  }
}

/** @param {string} text */
const shorten = (text) => (text.length > 80 ? `${text.slice(0, 79)}…` : text);
