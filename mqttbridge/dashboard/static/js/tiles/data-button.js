/** The way from a tile to its values as a table: a button in its corner, and the key T. */

/** @import { Tile } from "./frame.js" */

import { el } from "../dom.js";
import { t } from "../i18n.js";
import { svg } from "./svg.js";

const TABLE = "M2.5 3h11v10h-11zM2.5 6.5h11M2.5 9.8h11M6.5 3v10";

const icon = () => svg("svg", {
  class: "icon", viewBox: "0 0 16 16", width: 14, height: 14, "aria-hidden": "true", fill: "none",
  stroke: "currentColor", "stroke-width": 1.5, "stroke-linejoin": "round",
}, svg("path", { d: TABLE }));

/** @param {Tile} tile */
async function show(tile) {
  if (tile.streams.length === 0) return;
  const { showData } = await import("./data-table.js");
  showData(tile);
}

/**
 * @param {Tile} tile
 * @returns {HTMLElement}
 */
export function dataButton(tile) {
  const title = t("tiles.data.title", { name: tile.title });
  const button = el("button", { class: "tile-data", type: "button", title, "aria-label": title }, icon());
  button.addEventListener("click", () => show(tile));
  return button;
}

/** @param {Tile} tile */
export function listenForTable(tile) {
  tile.root.addEventListener("keydown", (event) => {
    const typing = event.target instanceof Element && event.target.matches("input, textarea, select");
    if (event.key.toLowerCase() !== "t" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    show(tile);
  });
}
