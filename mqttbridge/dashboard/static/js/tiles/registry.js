/**
 * Every type of tile: what the automatic board, the menu and the editor must know of it before its module is loaded.
 *
 * `suits` says how well a type suits a stream. The best is what the automatic board takes:
 * 0 not at all · 1 to 39 one may choose it · 40 to 60 the usual one for the stream's kind · 61 to 100 one that knows
 * the stream by its name or unit (a battery in %, a position). What its device says that it is goes before all of that.
 */

/** @import { TileConfig, TileKind, TileType } from "../types.js" */
/** @import { Stream } from "../stream.js" */

import { typeByClass } from "./device-classes.js";
import { isLatitude, isLongitude, isPosition } from "./positions.js";

/** Streams in per cent that are something's contents. */
const VESSELS = /(^|[^a-z])(battery|batt|soc|level|fill|tank|fuel|water_level|charge)([^a-z]|$)/i;

/** Units of what only ever grows: where it stands matters more than its way there. */
const COUNTED = /^(Wh|kWh|MWh|m³|m3)$/;

const PICTURE = /^(https?:\/\/\S+\.(png|jpe?g|gif|webp|avif)(\?\S*)?|data:image\/\S+)$/i;

/** @type {TileKind[]} */
export const KINDS = [
  {
    type: "line",
    kinds: ["number"],
    most: Infinity,
    size: { w: 3, h: 3, minW: 2, minH: 2 },
    icon: "M2 11.5 5.5 7l3 2.5L14 4",
    suits: ({ kind }) => (kind === "number" ? 50 : 0),
    load: async () => (await import("./line.js")).line,
  },
  {
    type: "state",
    kinds: ["boolean"],
    most: 1,
    size: { w: 3, h: 3, minW: 2, minH: 2 },
    icon: "M2 6h4v4h4V6h4",
    suits: ({ kind }) => (kind === "boolean" ? 50 : 0),
    load: async () => (await import("./state.js")).state,
  },
  {
    type: "log",
    kinds: ["text", "boolean", "number"],
    most: 1,
    size: { w: 3, h: 3, minW: 2, minH: 2 },
    icon: "M3 4h10M3 8h10M3 12h6",
    suits: ({ kind }) => (kind === "text" ? 50 : 5),
    load: async () => (await import("./log.js")).log,
  },
  {
    type: "number",
    kinds: ["number"],
    most: 1,
    size: { w: 2, h: 2, minW: 2, minH: 2 },
    icon: "M5 4v8M3.5 5.5 5 4M9 4h3v4H9v4h3",
    suits: ({ kind, unit }) => (kind !== "number" ? 0 : COUNTED.test(unit) ? 65 : 30),
    load: async () => (await import("./number.js")).number,
  },
  {
    type: "gauge",
    kinds: ["number"],
    most: 1,
    size: { w: 3, h: 3, minW: 2, minH: 2 },
    icon: "M3 12a6 6 0 1 1 10 0M8 9l2.5-3.5",
    suits: ({ kind }) => (kind === "number" ? 20 : 0),
    load: async () => (await import("./gauge.js")).gauge,
  },
  {
    type: "thermostat",
    kinds: ["number"],
    most: 2,
    size: { w: 3, h: 3, minW: 2, minH: 2 },
    icon: "M6.5 9V4a1.5 1.5 0 0 1 3 0v5a3 3 0 1 1-3 0M8 6v5",
    suits: ({ kind, unit }) => (kind !== "number" ? 0 : unit === "°C" || unit === "°F" ? 35 : 8),
    load: async () => (await import("./thermostat.js")).thermostat,
  },
  {
    type: "liquid",
    kinds: ["number"],
    most: 1,
    size: { w: 2, h: 3, minW: 2, minH: 2 },
    icon: "M4 3h8v8a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2zM4 8c2-1.2 2 1.2 4 0s2 1.2 4 0",
    suits: ({ kind, unit, field }) =>
      kind !== "number" ? 0 : unit !== "%" ? 6 : VESSELS.test(field) ? 75 : 28,
    load: async () => (await import("./liquid.js")).liquid,
  },
  {
    type: "bar",
    kinds: ["number"],
    most: Infinity,
    size: { w: 3, h: 3, minW: 2, minH: 2 },
    icon: "M3 13V8M6.5 13V3M10 13V6M13.5 13v-3",
    suits: ({ kind }) => (kind === "number" ? 18 : 0),
    load: async () => (await import("./bar.js")).bar,
  },
  {
    type: "histogram",
    kinds: ["number"],
    most: 1,
    size: { w: 3, h: 3, minW: 2, minH: 2 },
    icon: "M2.5 13h11M4 13v-3h2v3M6 13V5h2v8M8 13V3h2v10M10 13V9h2v4",
    suits: ({ kind }) => (kind === "number" ? 15 : 0),
    load: async () => (await import("./histogram.js")).histogram,
  },
  {
    type: "timeline",
    kinds: ["boolean", "text", "number"],
    most: Infinity,
    size: { w: 6, h: 3, minW: 3, minH: 2 },
    icon: "M2 4h5v3H2zM8 4h6v3H8zM2 9h8v3H2zM11 9h3v3h-3z",
    suits: ({ kind }) => (kind === "boolean" ? 30 : kind === "text" ? 25 : 3),
    load: async () => (await import("./timeline.js")).timeline,
  },
  {
    type: "table",
    kinds: ["number", "boolean", "text"],
    most: Infinity,
    size: { w: 4, h: 4, minW: 2, minH: 2 },
    icon: "M2.5 3.5h11v9h-11zM2.5 6.5h11M6.5 6.5v6",
    suits: () => 12,
    load: async () => (await import("./table.js")).table,
  },
  {
    type: "map",
    kinds: ["text", "number"],
    most: Infinity,
    size: { w: 4, h: 4, minW: 3, minH: 3 },
    icon: "M8 14s4.5-4.2 4.5-7.5a4.5 4.5 0 0 0-9 0C3.5 9.8 8 14 8 14zM8 8.2a1.7 1.7 0 1 0 0-3.4 1.7 1.7 0 0 0 0 3.4",
    suits: ({ kind, field, last }) =>
      kind === "text" ? (isPosition(last?.value) ? 85 : 2) : isLatitude(field) || isLongitude(field) ? 10 : 0,
    load: async () => (await import("./map.js")).map,
  },
  {
    type: "image",
    kinds: ["text"],
    most: 1,
    alone: true,
    size: { w: 4, h: 4, minW: 2, minH: 2 },
    icon: "M2.5 3.5h11v9h-11zM3 11l3-3 2.5 2.5L11 8l2.5 2.5M6 6.2h.1",
    suits: ({ kind, last }) => (kind === "text" ? (PICTURE.test(String(last?.value ?? "")) ? 70 : 4) : 0),
    load: async () => (await import("./image.js")).image,
  },
  {
    type: "note",
    kinds: [],
    most: 0,
    size: { w: 3, h: 2, minW: 2, minH: 1 },
    icon: "M4 2.5h6l2.5 2.5v8.5h-8.5zM6 7h4M6 10h3",
    suits: () => 0,
    load: async () => (await import("./note.js")).note,
  },
  {
    type: "button",
    kinds: ["boolean", "number", "text"],
    most: 1,
    alone: true,
    size: { w: 2, h: 2, minW: 2, minH: 1 },
    icon: "M3 6h10v4.5H3zM6 8.2h4",
    suits: () => 2,
    load: async () => (await import("./controls.js")).button,
  },
  {
    type: "switch",
    kinds: ["boolean", "text", "number"],
    most: 1,
    alone: true,
    size: { w: 2, h: 2, minW: 2, minH: 1 },
    icon: "M5.5 5h5a3 3 0 0 1 0 6h-5a3 3 0 0 1 0-6M10.5 6.5v3",
    suits: ({ kind }) => (kind === "boolean" ? 14 : 2),
    load: async () => (await import("./controls.js")).toggle,
  },
  {
    type: "slider",
    kinds: ["number"],
    most: 1,
    alone: true,
    size: { w: 3, h: 2, minW: 2, minH: 1 },
    icon: "M2 8h12M9.5 5.5v5",
    suits: ({ kind }) => (kind === "number" ? 5 : 0),
    load: async () => (await import("./controls.js")).slider,
  },
  {
    type: "field",
    kinds: ["text", "number", "boolean"],
    most: 1,
    alone: true,
    size: { w: 3, h: 2, minW: 2, minH: 1 },
    icon: "M2.5 5h11v6h-11zM5 7v2",
    suits: ({ kind }) => (kind === "text" ? 5 : 2),
    load: async () => (await import("./controls.js")).field,
  },
];

const BY_TYPE = new Map(KINDS.map((kind) => [kind.type, kind]));

/** @type {Map<string, TileType | null>} null while it is on its way */
const loaded = new Map();

/** How long a module that could not be fetched is left alone. */
const RETRY_MS = 3000;

/**
 * @param {string} type
 * @returns {TileKind | undefined} a document may come from a later version, with types that are not known here
 */
export const kindOf = (type) => BY_TYPE.get(type);

/**
 * A type's module if it is here; if not, it is sent for.
 * @param {string} type
 * @returns {TileType | null}
 */
export function typeNow(type) {
  const known = loaded.get(type);
  if (known === undefined) loadType(type);
  return known ?? null;
}

/**
 * @param {string} type
 * @returns {Promise<TileType | null>} null when it is not known, or cannot be fetched now
 */
export async function loadType(type) {
  const here = loaded.get(type);
  if (here) return here;
  loaded.set(type, null);
  try {
    const module = (await kindOf(type)?.load()) ?? null;
    loaded.set(type, module);
    return module;
  } catch {
    setTimeout(() => loaded.delete(type), RETRY_MS);
    return null;
  }
}

/** Better than any name or unit. */
const SURE = 101;

/**
 * The types that can show a stream, the best first.
 * @param {Stream} stream
 */
export function typesFor(stream) {
  const sure = typeByClass(stream);
  return KINDS.map((kind) => ({ kind, suits: kind.type === sure ? SURE : kind.suits(stream) }))
    .filter(({ suits }) => suits > 0)
    .sort((a, b) => b.suits - a.suits)
    .map(({ kind }) => kind);
}

/**
 * @param {TileKind} kind
 * @param {string} id
 * @param {string[]} streams
 * @returns {TileConfig}
 */
export const newTile = ({ type, size: { w, h } }, id, streams) => ({
  id, type, title: "", streams, x: null, y: null, w, h, unit: "", color: "", min: null, max: null, thresholds: [], options: {},
});
