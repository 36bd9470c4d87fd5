/** Fetches a file while telling how far it is. What breaks off on the way is no file. */

import { wordsOf } from "../api.js";

/** Parts are handed to the browser in lots of this, which it may keep on disk. */
const LOT_BYTES = 4 * 2 ** 20;

const LINE_END = 10;

/**
 * @typedef {object} Progress
 * @property {number} bytes
 * @property {number} rows lines so far, in formats that have lines
 */

/**
 * @param {string} url
 * @param {AbortSignal} signal
 * @param {(progress: Progress) => void} onProgress
 * @returns {Promise<{file: Blob, name: string, progress: Progress}>}
 */
export async function download(url, signal, onProgress) {
  const answer = await fetch(url, { signal, cache: "no-store" });
  if (!answer.ok || !answer.body) throw new Error(wordsOf(answer.status, await answer.text()));
  const reader = answer.body.getReader();
  const progress = { bytes: 0, rows: 0 };
  /** @type {Blob[]} */
  const lots = [];
  /** @type {Uint8Array<ArrayBuffer>[]} */
  let parts = [];
  let size = 0;
  // A connection that is cut rejects here: half a file never looks like a whole one.
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    parts.push(part.value);
    size += part.value.length;
    progress.bytes += part.value.length;
    progress.rows += linesIn(part.value);
    onProgress({ ...progress });
    if (size < LOT_BYTES) continue;
    lots.push(new Blob(parts));
    [parts, size] = [[], 0];
  }
  const file = new Blob([...lots, ...parts], { type: answer.headers.get("Content-Type") ?? "" });
  return { file, name: nameIn(answer.headers.get("Content-Disposition") ?? ""), progress };
}

/**
 * Hand a file to the viewer, as a link with `download` does.
 * @param {Blob} file
 * @param {string} name
 */
export function save(file, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** @param {Uint8Array} bytes */
function linesIn(bytes) {
  let lines = 0;
  for (let at = bytes.indexOf(LINE_END); at >= 0; at = bytes.indexOf(LINE_END, at + 1)) lines++;
  return lines;
}

/** @param {string} disposition */
function nameIn(disposition) {
  const encoded = /filename\*=UTF-8''([^;]+)/.exec(disposition)?.[1];
  return encoded ? decodeURIComponent(encoded) : "export";
}
