/** From where to where a gauge goes: as chosen, as its unit says, or else by the values on view. */

/** @import { Tile } from "./frame.js" */

/** Units whose whole range is known. */
const BY_UNIT = /** @type {Record<string, [number, number]>} */ ({
  "%": [0, 100],
  "°": [0, 360],
  "%RH": [0, 100],
});

/** What a temperature gauge shows when nobody chose: rooms and weather in most places. */
const BY_TEMPERATURE = /** @type {Record<string, [number, number]>} */ ({ "°C": [-10, 40], "°F": [10, 110], K: [260, 320] });

/**
 * @param {Tile} tile
 * @returns {[number, number]} the second is greater
 */
export function scaleOf(tile) {
  const { min, max } = tile.config;
  let [low, high] = BY_UNIT[tile.unit] ?? BY_TEMPERATURE[tile.unit] ?? [0, 0];
  for (const stream of tile.streams) {
    for (const value of [...stream.layer.series.values, tile.last(stream)?.value]) {
      if (typeof value !== "number" || !Number.isFinite(value)) continue;
      if (value < low) low = niceBelow(value);
      if (value > high) high = niceAbove(value);
    }
  }
  const from = min ?? Math.min(low, max ?? low);
  const to = max ?? Math.max(high, min ?? high);
  return from < to ? [from, to] : [from, from + 1];
}

/** @param {number} value above 0 */
function niceAbove(value) {
  if (value <= 0) return 0;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 2.5, 5, 10].map((step) => step * power).find((edge) => edge >= value) ?? value;
}

/** @param {number} value */
const niceBelow = (value) => (value >= 0 ? 0 : -niceAbove(-value));

/**
 * Where a value stands on a scale, from 0 to 1.
 * @param {number} value
 * @param {[number, number]} scale
 */
export const shareOf = (value, [from, to]) => Math.min(1, Math.max(0, (value - from) / (to - from)));
