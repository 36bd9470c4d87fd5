/** A dashboard as a file of one's own. The server judges what is in it; here only its outline is looked at. */

/** @import { DashboardDocument } from "../types.js" */

import { t } from "../i18n.js";

const MAX_BYTES = 1_000_000;

const KEYS = ["title", "auto", "columns", "background", "hidden", "tiles"];

/** @type {Omit<import("../types.js").TileConfig, "id">} */
const TILE = {
  type: "line", title: "", streams: [], x: null, y: null, w: 3, h: 3, unit: "", color: "", min: null, max: null, thresholds: [], options: {},
};

/**
 * @param {string} name
 * @param {DashboardDocument} document
 */
export function saveAsFile(name, document) {
  const url = URL.createObjectURL(new Blob([`${JSON.stringify(document, null, 2)}\n`], { type: "application/json" }));
  const link = window.document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/**
 * @param {File} file
 * @returns {Promise<DashboardDocument>}
 * @throws {Error} with a message for the reader
 */
export async function readDocument(file) {
  if (file.size > MAX_BYTES) throw new Error(t("board.fileTooLarge"));
  let found;
  try {
    found = JSON.parse(await file.text());
  } catch {
    throw new Error(t("board.notADashboard", { file: file.name }));
  }
  const strange = Object.keys(found ?? {}).some((key) => !KEYS.includes(key));
  const tiles = found?.tiles;
  if (strange || !Array.isArray(tiles) || !tiles.every(isTile)) throw new Error(t("board.notADashboard", { file: file.name }));
  return {
    title: "", auto: true, columns: 12, background: null, hidden: [], ...found,
    tiles: tiles.map((tile, i) => ({ ...TILE, id: `t${i + 1}`, ...tile })),
  };
}

/** @param {any} tile */
const isTile = (tile) =>
  typeof tile === "object" && tile !== null && (tile.streams === undefined || (Array.isArray(tile.streams) && tile.streams.every(isText)))
  && (tile.thresholds === undefined || (Array.isArray(tile.thresholds) && tile.thresholds.every((/** @type {any} */ one) => typeof one?.at === "number")))
  && (tile.options === undefined || (typeof tile.options === "object" && tile.options !== null))
  && ["id", "type", "title", "unit", "color"].every((key) => tile[key] === undefined || isText(tile[key]))
  && ["w", "h"].every((key) => tile[key] === undefined || Number.isInteger(tile[key]));

/** @param {unknown} value */
const isText = (value) => typeof value === "string";
