/** Words of one's own, in Markdown. */

/** @import { TileType } from "../types.js" */

import { el } from "../dom.js";
import { t } from "../i18n.js";
import { markdown } from "../markdown.js";

/** @type {TileType} */
export const note = {
  options: [{ name: "text", kind: "longtext", label: "tiles.note.text" }],
  history: false,
  create(parent, tile) {
    const text = String(tile.config.options.text ?? "");
    const root = el("div", { class: "note", dir: "auto", tabindex: "0" }, ...(text.trim() ? markdown(text) : [el("p", {}, t("tiles.note.empty"))]));
    parent.append(root);
    return { paint() {}, resize() {}, destroy: () => root.remove(), describe: () => root.textContent ?? "", labelled: root };
  },
};
