/** Which tile stands where: streams of one device together, the same fields in the same order and colour. */

/** @import { Stream } from "./stream.js" */

import { currentLocale } from "./i18n.js";
import { HUES } from "./tiles/colours.js";

const MIN_TILE_PX = 272;
const MAX_TILE_PX = 470;

/** @typedef {{device: string, streams: Stream[]}} Group */

/**
 * @param {Iterable<Stream>} streams
 * @returns {Group[]} by device; streams without one come first
 */
export function groupByDevice(streams) {
  /** @type {Map<string, Stream[]>} */
  const devices = new Map();
  for (const stream of streams) {
    const group = devices.get(stream.device);
    if (group) group.push(stream);
    else devices.set(stream.device, [stream]);
  }
  const natural = new Intl.Collator(currentLocale(), { numeric: true });
  return [...devices]
    .sort(([a], [b]) => natural.compare(a, b))
    .map(([device, group]) => ({ device, streams: group.sort((a, b) => aside(a) - aside(b) || natural.compare(a.field, b.field)) }));
}

/** What a device says about itself rather than about the world: it stands after what it measures. */
const OF_ITSELF = /(^|[^a-z])(battery|batt|availability|linkquality|link_quality|rssi|lqi|uptime|last_seen)([^a-z]|$)/i;

/** @param {Stream} stream */
const aside = ({ field }) => Number(OF_ITSELF.test(field));

/** A colour for each field, so that all temperatures look alike; once given, it stays while the page is open. */
export class Hues {
  constructor() {
    /** @type {Map<string, number>} */
    this._given = new Map();
  }

  /** @param {string} field */
  of(field) {
    const given = this._given.get(field) ?? this._given.size % HUES;
    this._given.set(field, given);
    return given;
  }
}

/**
 * How many columns leave the fewest holes.
 * @param {number} width of the board, in pixels
 * @param {number[]} sizes tiles of each group
 */
export function columnsFor(width, sizes) {
  const most = Math.max(1, Math.floor(width / MIN_TILE_PX));
  const fewest = Math.min(most, Math.max(1, Math.ceil(width / MAX_TILE_PX)));
  let best = { columns: most, waste: Infinity };
  for (let columns = most; columns >= fewest; columns--) {
    const waste = wasteOf(columns, sizes);
    if (waste < best.waste) best = { columns, waste };
  }
  return best.columns;
}

/**
 * The share of cells that stay empty, when a group goes into an earlier row's rest if it fits there.
 * @param {number} columns
 * @param {number[]} sizes
 */
function wasteOf(columns, sizes) {
  let rows = 0;
  let tiles = 0;
  /** rests[n]: rows with n cells left */
  const rests = new Array(columns + 1).fill(0);
  for (const size of sizes) {
    tiles += size;
    if (size >= columns) {
      rows += Math.ceil(size / columns);
      continue;
    }
    let rest = size;
    while (rest <= columns && !rests[rest]) rest++;
    if (rest <= columns) {
      rests[rest]--;
    } else {
      rest = columns;
      rows++;
    }
    rests[rest - size]++;
  }
  return 1 - tiles / (rows * columns);
}
