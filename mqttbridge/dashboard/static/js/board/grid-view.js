/** Tiles where somebody put them; on a narrow page one below the other, in reading order. */

/** @import { Page } from "./page.js" */
/** @import { Placed } from "./grid.js" */

import { html } from "../../vendor/htm-preact.module.js";
import { t } from "../i18n.js";
import { TileView } from "./tile-view.js";

/** Below this width the tiles flow in reading order, as css/board.css says. */
export const NARROW = matchMedia("(max-width: 900px)");

/**
 * @param {{page: Page, tiles: Placed[], tools?: (tile: Placed) => any, lifted?: string, dragged?: string}} props `tools`
 *   lie over a tile while the board is arranged; `lifted` is the id of the one that is changed, `dragged` of the one that is
 *   held
 */
export function GridView({ page, tiles, tools, lifted, dragged }) {
  // Set through the DOM (an object, not a text): the content security policy forbids style attributes in HTML.
  const place = (/** @type {Placed} */ { x, y, w, h }) => ({ "--x": x + 1, "--y": y + 1, "--w": w, "--h": h });
  return html`
    <h2 class="visually-hidden">${t("board.tiles")}</h2>
    <div class="tiles">
      ${tiles.map((tile) => html`
        <div class="cell" key=${tile.id} data-lifted=${String(tile.id === lifted)} data-dragged=${String(tile.id === dragged)} style=${place(tile)}>
          <${TileView} config=${tile} page=${page} alone=${true} />
          ${tools?.(tile)}
        </div>`)}
    </div>`;
}
