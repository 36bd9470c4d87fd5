/** Moving and resizing tiles with the mouse or a finger. */

/** @import { Placed } from "./grid.js" */

import { kindOf } from "../tiles/registry.js";
import { COLUMNS, move, reorderTo, resize } from "./grid.js";

/** So near to an end of what is seen the page scrolls along. */
const EDGE_PX = 56;
const SCROLL_PX = 9;

/** A finger that rests so long on a tile lifts it; one that moves before that scrolls the page. */
const HOLD_MS = 350;
const STILL_PX = 8;

let dragging = false;

/**
 * The page does not scroll under a finger that holds a tile. To be listened to from the start: a browser asks nobody who
 * comes while the finger is down.
 * @param {TouchEvent} event
 */
export const keepStill = (event) => dragging && event.preventDefault();

/**
 * Where the pointer is now, how the tiles would stand; null: as before.
 * @typedef {(event: PointerEvent) => Placed[] | null} Answer
 */

/**
 * Follow the pointer until it is let go; Esc takes it back.
 * @param {PointerEvent} down on something that lies over a tile
 * @param {Answer} answer
 * @param {(tiles: Placed[]) => void} onPreview as it would be
 * @param {(tiles: Placed[] | null) => void} onEnd as it is to be; null: as it was
 */
export function drag(down, answer, onPreview, onEnd) {
  const cell = cellOf(down.target);
  const bar = document.querySelector(".edit-bar");
  /** @type {Placed[] | null} */
  let preview = null;
  let last = down;
  let frame = 0;
  const abort = new AbortController();
  const { signal } = abort;
  cell.setPointerCapture(down.pointerId);
  down.preventDefault();
  dragging = true;

  const follow = () => {
    const next = answer(last);
    if (next) onPreview(preview = next);
  };
  const scroll = () => {
    const top = Math.max(0, bar?.getBoundingClientRect().bottom ?? 0) + EDGE_PX / 2;
    const step = last.clientY < top ? -SCROLL_PX : last.clientY > innerHeight - EDGE_PX ? SCROLL_PX : 0;
    frame = step === 0 ? 0 : requestAnimationFrame(scroll);
    if (step === 0) return;
    scrollBy(0, step);
    follow();
  };
  /** @param {Placed[] | null} result */
  const end = (result) => {
    abort.abort();
    cancelAnimationFrame(frame);
    dragging = false;
    onEnd(result);
  };
  cell.addEventListener("pointermove", (event) => {
    last = event;
    follow();
    if (frame === 0) scroll();
  }, { signal });
  cell.addEventListener("pointerup", () => end(preview), { signal });
  cell.addEventListener("pointercancel", () => end(null), { signal });
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    end(null);
  }, { signal, capture: true });
}

/**
 * Over the grid: cell by cell.
 * @param {PointerEvent} down
 * @param {"move" | "resize" | "height"} what
 * @param {Placed[]} tiles in their places
 * @param {Placed} tile that is held
 * @returns {Answer}
 */
export function byCells(down, what, tiles, tile) {
  const grid = /** @type {HTMLElement} */ (cellOf(down.target).parentElement);
  const { columnGap, gridAutoRows } = getComputedStyle(grid);
  const gap = parseFloat(columnGap);
  const cell = { width: (grid.clientWidth + gap) / COLUMNS, height: parseFloat(gridAutoRows) + gap };
  const least = kindOf(tile.type)?.size ?? { minW: 1, minH: 1 };
  const from = { x: down.clientX + scrollX, y: down.clientY + scrollY };
  let [column, row] = [0, 0];
  return ({ clientX, clientY }) => {
    const right = what === "height" ? 0 : Math.round((clientX + scrollX - from.x) / cell.width);
    const below = Math.round((clientY + scrollY - from.y) / cell.height);
    if (right === column && below === row) return null;
    [column, row] = [right, below];
    return what === "move" ? move(tiles, tile.id, tile.x + column, tile.y + row)
      : resize(tiles, tile.id, tile.w + column, tile.h + row, least);
  };
}

/**
 * Where tiles flow in reading order: past the middle of another one the held one takes its place.
 * @param {PointerEvent} down
 * @param {Placed[]} tiles in reading order
 * @param {Placed} tile that is held
 * @returns {Answer}
 */
export function byOrder(down, tiles, tile) {
  const held = cellOf(down.target);
  let order = tiles.map(({ id }) => id);
  return ({ clientX, clientY }) => {
    const over = document.elementsFromPoint(clientX, clientY).map((element) => element.closest(".cell")).find((cell) => cell && cell !== held);
    const id = over?.querySelector("[data-tile]")?.getAttribute("data-tile") ?? "";
    const [at, to] = [order.indexOf(tile.id), order.indexOf(id)];
    if (!over || to < 0) return null;
    const { top, height, left, width } = over.getBoundingClientRect();
    const mine = held.getBoundingClientRect();
    const beside = Math.abs(mine.top - top) < 2;
    const past = beside ? clientX - (left + width / 2) : clientY - (top + height / 2);
    if (past * (to - at) < 0) return null;
    const next = reorderTo(tiles, tile.id, to);
    order = next.map((one) => one.id);
    return next;
  };
}

/**
 * Call back when a finger rests on a tile; not when it moves on, or goes.
 * @param {PointerEvent} down
 * @param {() => void} then
 */
export function afterHolding(down, then) {
  const abort = new AbortController();
  const { signal } = abort;
  const timer = setTimeout(() => (abort.abort(), then()), HOLD_MS);
  signal.addEventListener("abort", () => clearTimeout(timer));
  const cell = cellOf(down.target);
  cell.addEventListener("pointermove", ({ clientX, clientY }) => {
    if (Math.hypot(clientX - down.clientX, clientY - down.clientY) > STILL_PX) abort.abort();
  }, { signal });
  for (const over of ["pointerup", "pointercancel"]) cell.addEventListener(over, () => abort.abort(), { signal });
}

/** @param {EventTarget | null} target */
const cellOf = (target) => /** @type {HTMLElement} */ (/** @type {Element} */ (target).closest(".cell"));
