/** Buttons, switches, sliders and fields: what they say goes to a stream and, where the server allows it, to a topic. */

/** @import { TileType, TileView, Value } from "../types.js" */
/** @import { Tile } from "./frame.js" */

import { sendValue } from "../api.js";
import { el, setAttribute, setText } from "../dom.js";
import { t } from "../i18n.js";
import { scaleOf } from "./scale.js";

/** So long after it was sent, what the stream says counts again, whatever that is. */
const OWN_WORD_MS = 3000;

/** @type {import("../types.js").TileOption[]} */
const TO_TOPIC = [
  { name: "topic", kind: "text", label: "tiles.control.topic" },
  { name: "retain", kind: "boolean", label: "tiles.control.retain" },
];

/** @type {TileType} */
export const button = {
  options: [
    { name: "label", kind: "text", label: "tiles.control.label" },
    { name: "value", kind: "text", label: "tiles.control.value", initial: "true" },
    ...TO_TOPIC,
  ],
  history: false,
  create: (parent, tile) =>
    new Control(parent, tile, (send) => {
      const press = el("button", { type: "button", class: "button button-strong control-press" }, tile.config.options.label || tile.title);
      press.addEventListener("click", () => send(meant(tile.config.options.value ?? "true")));
      return { root: press, show: () => {} };
    }),
};

/** @type {TileType} */
export const toggle = {
  options: [
    { name: "on", kind: "text", label: "tiles.control.on", initial: "true" },
    { name: "off", kind: "text", label: "tiles.control.off", initial: "false" },
    ...TO_TOPIC,
  ],
  history: false,
  create: (parent, tile) =>
    new Control(parent, tile, (send) => {
      const { on = "true", off = "false" } = tile.config.options;
      const press = el("button", { type: "button", role: "switch", class: "control-switch", "aria-label": tile.title, "aria-checked": "false" },
        el("i", { class: "control-knob" }));
      press.addEventListener("click", () => send(meant(press.getAttribute("aria-checked") === "true" ? off : on)));
      return { root: press, show: (value) => setAttribute(press, "aria-checked", String(value === meant(on))) };
    }),
};

/** @type {TileType} */
export const slider = {
  options: [{ name: "step", kind: "number", label: "tiles.control.step" }, ...TO_TOPIC],
  history: false,
  create: (parent, tile) =>
    new Control(parent, tile, (send) => {
      const [min, max] = scaleOf(tile);
      const step = Number(tile.config.options.step) || "any";
      const range = /** @type {HTMLInputElement} */ (el("input", {
        type: "range", class: "control-range", min: String(min), max: String(max), step: String(step), "aria-label": tile.title,
      }));
      const shown = el("output", { class: "control-output" });
      const say = () => setText(shown, `${tile.format(Number(Number(range.value).toPrecision(4)))} ${tile.unit}`.trim());
      range.addEventListener("input", say);
      range.addEventListener("change", () => send(Number(Number(range.value).toPrecision(6))));
      return {
        root: el("div", { class: "control-slide" }, shown, range),
        show(value) {
          if (typeof value === "number" && !range.matches(":active")) range.value = String(value);
          if (!range.matches(":active")) say();
        },
      };
    }),
};

/** @type {TileType} */
export const field = {
  options: [{ name: "placeholder", kind: "text", label: "tiles.control.placeholder" }, ...TO_TOPIC],
  history: false,
  create: (parent, tile) =>
    new Control(parent, tile, (send) => {
      const numeric = tile.streams[0]?.kind === "number";
      const input = /** @type {HTMLInputElement} */ (el("input", {
        class: "control-input", type: "text", maxlength: "2000", "aria-label": tile.title, inputmode: numeric ? "decimal" : "text",
        placeholder: tile.config.options.placeholder ?? "",
      }));
      const form = el("form", { class: "control-form" }, input, el("button", { class: "button" }, t("tiles.control.send")));
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        if (input.value !== "") send(numeric ? meant(input.value) : input.value);
        input.value = "";
      });
      return { root: form, show: () => {} };
    }),
};

/**
 * @typedef {(value: Value) => void} Send
 * @typedef {{root: HTMLElement, show: (value: Value | undefined) => void}} Widget
 */

/** @implements {TileView} */
class Control {
  /**
   * @param {HTMLElement} parent
   * @param {Tile} tile
   * @param {(send: Send) => Widget} make
   */
  constructor(parent, tile, make) {
    this.tile = tile;
    this._widget = make((value) => this._send(value));
    this._note = el("p", { class: "control-note", role: "status" });
    this.root = el("div", { class: "control" }, this._widget.root, this._note);
    parent.append(this.root);
    /** @type {{value: Value, at: number} | null} what was said here a moment ago, before the stream says it */
    this._said = null;
    this._problem = "";
  }

  paint() {
    const last = this.tile.last();
    if (this._said && (performance.now() - this._said.at > OWN_WORD_MS || last?.value === this._said.value)) this._said = null;
    this._widget.show(this._said ? this._said.value : last?.value);
    const value = last ? `${this.tile.text()} ${this.tile.unit}`.trim() : "";
    const problem = this._problem || (this.tile.config.streams.length ? "" : t("tiles.noStreams"));
    setText(this._note, problem || (this.tile.config.type === "button" || this.tile.config.type === "field" ? value : ""));
    setAttribute(this._note, "data-problem", String(problem !== ""));
  }

  resize() {}

  destroy() {
    this.root.remove();
  }

  describe() {
    return `${this.tile.title}, ${this.tile.text()}`;
  }

  /** @param {Value} value */
  async _send(value) {
    const { board, config } = this.tile;
    if (!config.streams.length) return;
    this._said = { value, at: performance.now() };
    this._problem = "";
    this.root.toggleAttribute("data-sending", true);
    try {
      await sendValue(board.bucket, config.streams[0], value, { topic: config.options.topic || undefined, retain: config.options.retain === true });
    } catch (error) {
      this._said = null;
      this._problem = t("tiles.control.failed", { why: error instanceof Error ? error.message : String(error) });
    }
    this.root.toggleAttribute("data-sending", false);
  }
}

/**
 * A value as it was written in the editor: a number or a boolean where it reads as one.
 * @param {unknown} text
 * @returns {Value}
 */
export function meant(text) {
  const written = String(text).trim();
  if (written === "true" || written === "false") return written === "true";
  const figure = Number(written.replace(",", "."));
  return written !== "" && Number.isFinite(figure) ? figure : written;
}
