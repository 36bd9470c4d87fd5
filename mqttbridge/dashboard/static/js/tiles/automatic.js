/** The tiles that streams get by themselves. */

/** @import { TileConfig } from "../types.js" */
/** @import { Stream } from "../stream.js" */

import { isLatitude, longitudeOf } from "./positions.js";
import { kindOf, KINDS, newTile, typesFor } from "./registry.js";

/** So many states of one device are easier to read as rows of one tile. */
const STATES_TOGETHER = 3;

/**
 * One device's tiles: a map for its latitude and longitude, one timeline for several states, a tile for each other stream.
 * @param {Stream[]} streams of one device, in the order that they are to stand in
 * @returns {TileConfig[]}
 */
export function automaticTiles(streams) {
  /** @type {Map<Stream, Stream[]>} what stands together, by the first of them */
  const together = new Map();
  for (const stream of streams.filter(({ kind, field }) => kind === "number" && isLatitude(field))) {
    const longitude = longitudeOf(stream, streams);
    if (longitude) together.set(stream, [stream, longitude]);
  }
  const states = streams.filter(({ kind, device }) => kind === "boolean" && device !== "");
  if (states.length >= STATES_TOGETHER) together.set(states[0], states);
  const others = new Set([...together.values()].flatMap(([, ...rest]) => rest));
  return streams.filter((stream) => !others.has(stream)).map((stream) => {
    const group = together.get(stream) ?? [stream];
    return newTile(kindFor(group), idOf(stream), group.map(({ name }) => name));
  });
}

/** @param {Stream[]} group */
function kindFor([stream, ...others]) {
  const type = others.length === 0 ? typesFor(stream)[0]?.type : stream.kind === "number" ? "map" : "timeline";
  return kindOf(type ?? "") ?? KINDS[0];
}

/**
 * The same id each time, so that the tile stays the same when somebody begins to arrange.
 * @param {Stream} stream
 */
function idOf({ kind, name }) {
  let [high, low] = [0xdeadbeef, 0x41c6ce57];
  for (const character of `${kind} ${name}`) {
    const code = character.codePointAt(0) ?? 0;
    high = Math.imul(high ^ code, 2654435761);
    low = Math.imul(low ^ code, 1597334677);
  }
  return `auto-${(high >>> 0).toString(36)}${(low >>> 0).toString(36)}`;
}
