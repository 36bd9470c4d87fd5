/** In which order and how high the waves of a bucket are: the viewer's choice, remembered by the browser. */

/** @import { Stream } from "../stream.js" */

export const HEIGHTS = /** @type {const} */ (["s", "m", "l"]);

/** @typedef {(typeof HEIGHTS)[number]} Height */

/** A remembered order is cut here. */
const MOST = 2000;

export class Order {
  /** @param {string} bucket */
  constructor(bucket) {
    this._key = `mqttbridge.waves.${bucket}`;
    /** @type {string[]} names that were moved, and those above them */
    this.names = [];
    /** @type {Height} */
    this.height = "m";
    try {
      const { names, height } = JSON.parse(localStorage.getItem(this._key) ?? "{}");
      if (Array.isArray(names)) this.names = names.filter((name) => typeof name === "string");
      if (HEIGHTS.includes(height)) this.height = height;
    } catch {
      // What is remembered makes no sense, or may not be read: the order is that of the names.
    }
  }

  /**
   * @param {Stream[]} streams in their own order
   * @returns {Stream[]} those that were moved as they were, then the rest
   */
  of(streams) {
    const places = new Map(this.names.map((name, i) => [name, i]));
    const place = (/** @type {Stream} */ stream) => places.get(stream.name) ?? Infinity;
    return streams.map((stream, i) => ({ stream, i }))
      .sort((a, b) => place(a.stream) - place(b.stream) || a.i - b.i || 0)
      .map(({ stream }) => stream);
  }

  /**
   * @param {Stream[]} shown in their present order
   * @param {Stream} stream
   * @param {-1 | 1} by
   */
  move(shown, stream, by) {
    const names = shown.map(({ name }) => name);
    const from = names.indexOf(stream.name);
    const to = from + by;
    if (from < 0 || to < 0 || to >= names.length) return;
    [names[from], names[to]] = [names[to], names[from]];
    this.names = names.slice(0, MOST);
    this._remember();
  }

  /** @param {Height} height */
  choose(height) {
    this.height = height;
    this._remember();
  }

  _remember() {
    try {
      localStorage.setItem(this._key, JSON.stringify({ names: this.names, height: this.height }));
    } catch {
      // Storage may be forbidden; the choice then lasts as long as the page.
    }
  }
}
