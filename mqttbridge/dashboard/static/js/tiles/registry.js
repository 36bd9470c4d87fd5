/**
 * Every type of tile: what the automatic board, the menu and the editor must know of it before its module is loaded.
 *
 * `suits` says how well a type suits a stream. The best is what the automatic board takes:
 * 0 not at all · 1 to 39 one may choose it · 40 to 60 the usual one for the stream's kind · 61 to 100 one that knows
 * the stream by its name or unit (a battery in %, a position).
 */

/** @import { TileConfig, TileKind, TileType } from "../types.js" */
/** @import { Stream } from "../stream.js" */

/** @type {TileKind[]} */
export const KINDS = [
  {
    type: "line",
    kinds: ["number"],
    most: 1,
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

/**
 * The types that can show a stream, the best first.
 * @param {Stream} stream
 */
export const typesFor = (stream) =>
  KINDS.map((kind) => ({ kind, suits: kind.suits(stream) }))
    .filter(({ suits }) => suits > 0)
    .sort((a, b) => b.suits - a.suits)
    .map(({ kind }) => kind);

/**
 * The tile that a stream gets by itself.
 * @param {Stream} stream
 * @returns {TileConfig}
 */
export const automaticTile = (stream) => newTile(typesFor(stream)[0] ?? KINDS[0], `auto ${stream.kind} ${stream.name}`, [stream.name]);

/**
 * @param {TileKind} kind
 * @param {string} id
 * @param {string[]} streams
 * @returns {TileConfig}
 */
export const newTile = ({ type, size: { w, h } }, id, streams) => ({
  id, type, title: "", streams, x: null, y: null, w, h, unit: "", color: "", min: null, max: null, thresholds: [], options: {},
});
