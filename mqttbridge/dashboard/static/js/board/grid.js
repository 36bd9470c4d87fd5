/**
 * Where tiles stand: a grid of twelve columns, filled upwards. Pure: lists of tiles in, new lists out, in reading order.
 *
 * @import { TileConfig } from "../types.js"
 */

export const COLUMNS = 12;

/** @typedef {TileConfig & {x: number, y: number}} Placed */

/**
 * Everything in its place: no two tiles over one another, no room left above one; those without a place at the end.
 * @param {TileConfig[]} tiles
 * @returns {Placed[]}
 */
export function arrange(tiles) {
  const placed = compact(tiles.filter(isPlaced).map(fitted));
  for (const tile of tiles) if (!isPlaced(tile)) placed.push({ ...fitted(tile), ...roomAtTheEnd(placed, tile) });
  return placed.sort(byReading);
}

/**
 * A tile goes somewhere, and what is in its way goes down.
 * @param {Placed[]} tiles
 * @param {string} id
 * @param {number} x
 * @param {number} y
 */
export function move(tiles, id, x, y) {
  return change(tiles, id, (tile) => ({ ...tile, x: clamp(x, 0, COLUMNS - tile.w), y: Math.max(0, y) }));
}

/**
 * @param {Placed[]} tiles
 * @param {string} id
 * @param {number} w
 * @param {number} h
 * @param {{minW: number, minH: number}} least
 */
export function resize(tiles, id, w, h, { minW, minH }) {
  return change(tiles, id, (tile) => ({ ...tile, w: clamp(w, Math.min(minW, COLUMNS - tile.x), COLUMNS - tile.x), h: clamp(h, minH, 100) }));
}

/**
 * A tile comes one earlier or later in reading order: it changes places with its neighbour, or goes before it.
 * @param {Placed[]} tiles in reading order
 * @param {string} id
 * @param {-1 | 1} step
 */
export function reorder(tiles, id, step) {
  const at = tiles.findIndex((tile) => tile.id === id);
  const [first, second] = step < 0 ? [tiles[at - 1], tiles[at]] : [tiles[at], tiles[at + 1]];
  if (!first || !second) return tiles;
  // The later of the two shall be the earlier one.
  const swapped = settle(tiles.map((tile) =>
    tile === first ? { ...first, x: Math.min(second.x, COLUMNS - first.w), y: second.y }
      : tile === second ? { ...second, x: Math.min(first.x, COLUMNS - second.w), y: first.y } : tile), second.id);
  return comesBefore(swapped, second.id, first.id) ? swapped : move(tiles, second.id, first.x, first.y);
}

/**
 * A tile comes to a place in reading order, past those between, one by one.
 * @param {Placed[]} tiles in reading order
 * @param {string} id
 * @param {number} index
 */
export function reorderTo(tiles, id, index) {
  const at = (/** @type {Placed[]} */ list) => list.findIndex((tile) => tile.id === id);
  const step = index < at(tiles) ? -1 : 1;
  let placed = tiles;
  for (let left = Math.abs(index - at(tiles)); left > 0 && (index - at(placed)) * step > 0; left--) placed = reorder(placed, id, step);
  return placed;
}

/**
 * @param {Placed[]} tiles
 * @param {string} id
 * @param {(tile: Placed) => Placed} how
 */
const change = (tiles, id, how) => settle(tiles.map((tile) => (tile.id === id ? how(tile) : tile)), id);

/**
 * One tile holds its place, the others make room; then all move up.
 * @param {Placed[]} tiles
 * @param {string} id
 */
function settle(tiles, id) {
  const held = tiles.find((tile) => tile.id === id);
  if (!held) return tiles;
  const skyline = new Array(COLUMNS).fill(0);
  const others = tiles.filter((tile) => tile !== held).sort(byReading).map((tile) => {
    let y = heightOver(skyline, tile);
    if (overlaps({ ...tile, y }, held)) y = Math.max(y, held.y + held.h);
    raise(skyline, tile, y + tile.h);
    return { ...tile, y };
  });
  // Of two in one place, the one that was put there is the upper.
  return compact([held, ...others]);
}

/**
 * @param {Placed[]} tiles
 * @returns {Placed[]} each as far up as those before it let it
 */
function compact(tiles) {
  const skyline = new Array(COLUMNS).fill(0);
  return [...tiles].sort(byReading).map((tile) => {
    const y = heightOver(skyline, tile);
    raise(skyline, tile, y + tile.h);
    return y === tile.y ? tile : { ...tile, y };
  }).sort(byReading);
}

/**
 * The first free place beside or below the last tile.
 * @param {Placed[]} placed
 * @param {TileConfig} tile
 */
function roomAtTheEnd(placed, { w, h }) {
  const skyline = new Array(COLUMNS).fill(0);
  for (const tile of placed) raise(skyline, tile, Math.max(tile.y + tile.h, heightOver(skyline, tile)));
  const from = placed.reduce((most, { y }) => Math.max(most, y), 0);
  for (let y = from; ; y++) {
    for (let x = 0; x + w <= COLUMNS; x++) if (heightOver(skyline, { x, w }) <= y) return { x, y, w, h };
  }
}

/**
 * @param {number[]} skyline
 * @param {{x: number, w: number}} tile
 */
const heightOver = (skyline, { x, w }) => Math.max(...skyline.slice(x, x + w));

/**
 * @param {number[]} skyline
 * @param {{x: number, w: number}} tile
 * @param {number} height
 */
const raise = (skyline, { x, w }, height) => skyline.fill(height, x, x + w);

/**
 * @param {Placed[]} tiles
 * @param {string} one
 * @param {string} other
 */
const comesBefore = (tiles, one, other) =>
  tiles.findIndex(({ id }) => id === one) < tiles.findIndex(({ id }) => id === other);

/**
 * @param {Placed} a
 * @param {Placed} b
 */
const overlaps = (a, b) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;

/**
 * @param {Placed} a
 * @param {Placed} b
 */
const byReading = (a, b) => a.y - b.y || a.x - b.x;

/**
 * @param {TileConfig} tile
 * @returns {tile is Placed}
 */
function isPlaced(tile) {
  return tile.x !== null && tile.y !== null;
}

/**
 * @template {TileConfig} T
 * @param {T} tile
 * @returns {T}
 */
const fitted = (tile) => {
  const w = clamp(tile.w, 1, COLUMNS);
  return { ...tile, w, h: Math.max(1, tile.h), ...(tile.x === null ? {} : { x: clamp(tile.x, 0, COLUMNS - w) }) };
};

/**
 * @param {number} value
 * @param {number} least
 * @param {number} most
 */
const clamp = (value, least, most) => Math.min(Math.max(value, least), most);
