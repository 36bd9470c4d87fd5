/**
 * Stands at the head of a view's pack (dashboard/packing.py): the modules that came with it, each begun when it is first
 * needed, and the way to those that did not. Not a module by itself.
 */

/** @type {Map<string, () => Promise<any>>} modules of the pack by their paths, each a function that gives its exports */
const packed = new Map();

/** @type {Map<string, Promise<any>>} */
const begun = new Map();

/**
 * The exports of a module; of each there is one.
 * @param {string} path below the folder of all files, such as `js/dom.js`
 * @returns {Promise<any>}
 */
function need(path) {
  const known = begun.get(path);
  if (known) return known;
  const module = packed.get(path)?.() ?? import(`/static/${path}`);
  begun.set(path, module);
  module.catch(() => begun.delete(path)); // it may be fetched again
  return module;
}

Object.assign(globalThis, { need });
