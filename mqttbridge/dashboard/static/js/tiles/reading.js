/** The line at the top of most tiles: a value with its unit, and a word about what is on view beside it. */

import { el, setAttribute, setText } from "../dom.js";

/** Longer values than these are set smaller, so that all of their figures are seen. */
const LONG_CHARS = 9;
const LONGER_CHARS = 12;

export class Reading {
  /** @param {HTMLElement} parent */
  constructor(parent) {
    this._value = el("span", { class: "tile-number", dir: "auto" });
    this._unit = el("span", { class: "tile-unit" });
    this._extent = el("span", { class: "tile-extent" });
    this.root = el("p", { class: "tile-value" }, this._value, this._unit, this._extent);
    parent.append(this.root);
  }

  /** What stands beside the value, as it is read. */
  get extent() {
    return this._extent.textContent ?? "";
  }

  /**
   * @param {string} value
   * @param {string} unit
   */
  show(value, unit) {
    setText(this._value, value);
    setAttribute(this._value, "data-length", lengthOf(value));
    setText(this._unit, unit);
  }

  /**
   * @param {string} extent
   * @param {boolean} [cursor] whether it is about the point under the crosshair
   */
  showExtent(extent, cursor = false) {
    setAttribute(this._extent, "data-cursor", String(cursor));
    setText(this._extent, extent);
  }
}

/** @param {string} text */
const lengthOf = ({ length }) => (length > LONGER_CHARS ? "longer" : length > LONG_CHARS ? "long" : "usual");
