/** Says what moved under the reader's keys, to those who do not see it: once it stands still, not at each step. */

import { el, setText } from "./dom.js";

const STILL_MS = 400;

/** @type {HTMLElement | null} */
let region = null;
let timer = 0;

/** @param {() => string} words asked for when they are said */
export function announce(words) {
  if (!region) {
    region = el("div", { class: "visually-hidden", "aria-live": "polite", "data-said": "" });
    document.body.append(region);
  }
  clearTimeout(timer);
  timer = setTimeout(() => setText(/** @type {HTMLElement} */ (region), words()), STILL_MS);
}
