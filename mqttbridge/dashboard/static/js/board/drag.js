/** Moving and resizing tiles with the mouse or a finger, cell by cell. */

/** @import { Placed } from "./grid.js" */

import { kindOf } from "../tiles/registry.js";
import { COLUMNS, move, resize } from "./grid.js";

/** So near to the window's edge the page scrolls along. */
const EDGE_PX = 56;
const SCROLL_PX = 14;

/**
 * Follow the pointer until it is let go; Esc takes it back.
 * @param {PointerEvent} down
 * @param {"move" | "resize"} what
 * @param {Placed[]} tiles in their places
 * @param {Placed} tile that is held
 * @param {(tiles: Placed[]) => void} onPreview as it would be
 * @param {(tiles: Placed[] | null) => void} onEnd as it is to be; null: as it was
 */
export function drag(down, what, tiles, tile, onPreview, onEnd) {
  const handle = /** @type {HTMLElement} */ (down.currentTarget);
  const grid = /** @type {HTMLElement} */ (handle.closest(".tiles"));
  const { columnGap, gridAutoRows } = getComputedStyle(grid);
  const gap = parseFloat(columnGap);
  const cell = { width: (grid.clientWidth + gap) / COLUMNS, height: parseFloat(gridAutoRows) + gap };
  const start = { x: down.pageX, y: down.pageY };
  const least = kindOf(tile.type)?.size ?? { minW: 1, minH: 1 };
  let [column, row] = [0, 0];
  /** @type {Placed[] | null} */
  let preview = null;
  const abort = new AbortController();
  const { signal } = abort;
  handle.setPointerCapture(down.pointerId);
  down.preventDefault();

  /** @param {Placed[] | null} result */
  const end = (result) => {
    abort.abort();
    onEnd(result);
  };
  handle.addEventListener("pointermove", (event) => {
    if (event.clientY < EDGE_PX) scrollBy(0, -SCROLL_PX);
    else if (event.clientY > innerHeight - EDGE_PX) scrollBy(0, SCROLL_PX);
    const [right, below] = [Math.round((event.pageX - start.x) / cell.width), Math.round((event.pageY - start.y) / cell.height)];
    if (right === column && below === row) return;
    [column, row] = [right, below];
    preview = what === "move" ? move(tiles, tile.id, tile.x + column, tile.y + row)
      : resize(tiles, tile.id, tile.w + column, tile.h + row, least);
    onPreview(preview);
  }, { signal });
  handle.addEventListener("pointerup", () => end(preview), { signal });
  handle.addEventListener("pointercancel", () => end(null), { signal });
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    end(null);
  }, { signal, capture: true });
}
