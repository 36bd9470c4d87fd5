/**
 * The map under the tracks: coasts and borders of Natural Earth at 1:50 million, which come with the page, so that a
 * map needs no other server. Coordinates are Web Mercator's, the whole world being 0 to 1 in both directions.
 */

import { t } from "../i18n.js";

/** @typedef {{land: Path2D, borders: Path2D}} World */

const SOURCE = "/static/vendor/countries-50m.json";

/** Beyond this the projection runs away; nobody measures there. */
const MAX_LATITUDE = 85;

/** @type {Promise<World> | null} */
let world = null;

/** @returns {Promise<World>} fetched and worked out once a page */
export function loadWorld() {
  world ??= fetch(SOURCE).then((answer) => {
    if (!answer.ok) throw new Error(t("common.status", { status: answer.status }));
    return answer.json();
  }).then(draw);
  world.catch(() => (world = null));
  return world;
}

/**
 * @param {number} latitude degrees
 * @param {number} longitude
 * @returns {[x: number, y: number]}
 */
export function project(latitude, longitude) {
  const angle = (Math.max(-MAX_LATITUDE, Math.min(MAX_LATITUDE, latitude)) * Math.PI) / 180;
  return [(longitude + 180) / 360, (1 - Math.asinh(Math.tan(angle)) / Math.PI) / 2];
}

/** @param {number} y @returns {number} latitude in degrees */
export const latitudeAt = (y) => (Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180) / Math.PI;

/**
 * TopoJSON: arcs of whole-number steps, which shapes name by index, `~index` for one walked backwards.
 * @param {{transform: {scale: number[], translate: number[]}, arcs: number[][][], objects: Record<string, any>}} topology
 * @returns {World}
 */
function draw({ transform: { scale, translate }, arcs, objects }) {
  const lines = arcs.map((arc) => {
    let [x, y] = [0, 0];
    return arc.map(([dx, dy]) => project((y += dy) * scale[1] + translate[1], (x += dx) * scale[0] + translate[0]));
  });
  const borders = new Path2D();
  for (const line of lines) trace(borders, line);
  const land = new Path2D();
  for (const shape of objects.land.geometries ?? [objects.land]) {
    for (const polygon of shape.type === "Polygon" ? [shape.arcs] : shape.arcs) {
      for (const ring of polygon) {
        trace(land, ring.flatMap((/** @type {number} */ index) => (index < 0 ? lines[~index].toReversed() : lines[index])));
        land.closePath();
      }
    }
  }
  return { land, borders };
}

/**
 * @param {Path2D} path
 * @param {number[][]} line
 */
function trace(path, line) {
  line.forEach(([x, y], i) => {
    // The date line's both sides lie at the map's two ends: no stroke between them.
    if (i === 0 || Math.abs(x - line[i - 1][0]) > 0.5) path.moveTo(x, y);
    else path.lineTo(x, y);
  });
}
