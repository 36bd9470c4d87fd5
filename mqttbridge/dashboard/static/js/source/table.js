/** A table of which only the rows in sight exist: hundreds of thousands scroll like twenty. */

/** @import { Rows } from "./rows.js" */

import { el, setAttribute, setText } from "../dom.js";
import { withEmoji } from "../emoji.js";
import { formatNumber } from "../format.js";
import { t } from "../i18n.js";
import { sayState } from "../said.js";
import { dateFormat } from "../zone.js";

/** Rows made ready above and below what is in sight. */
const MARGIN_ROWS = 12;

/** Older rows are asked for when so many are left below. */
const AHEAD_ROWS = 400;

/** A longer text is cut here; the whole is in the file. */
const MAX_CHARS = 500;

const TIME = /** @type {const} */ ({
  year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
  fractionalSecondDigits: 3, hourCycle: "h23",
});

export class Table {
  /**
   * @param {HTMLElement} root scrolls
   * @param {Rows} rows
   * @param {{onNewAbove: (count: number) => void}} handlers how many rows came in above what is in sight
   */
  constructor(root, rows, handlers) {
    this.root = root;
    this.rows = rows;
    this.handlers = handlers;
    this._height = 0;
    this._length = 0;
    this._newAbove = 0;
    this._scheduled = false;
    /** @type {HTMLElement[]} */
    this._pool = [];
    const head = el("div", { class: "source-row source-head", role: "row" },
      ...["time", "stream", "value", "unit"].map((name) => el("span", { role: "columnheader" }, t(`source.${name}`))));
    this._body = el("div", { class: "source-body", role: "rowgroup" });
    this._table = el("div", { class: "source-table", role: "table", "aria-label": t("source.table") },
      el("div", { class: "source-headgroup", role: "rowgroup" }, head), this._body);
    root.append(this._table);
    root.addEventListener("scroll", () => this._schedule(), { passive: true });
    this._sizes = new ResizeObserver(() => this._schedule());
    this._sizes.observe(root);
  }

  /** Rows came or went. */
  changed() {
    this._schedule();
  }

  /** Begin at the top, as after another filter. */
  toTop() {
    this.root.scrollTop = 0;
    this._length = this.rows.length;
    this._schedule();
  }

  /** @param {number} count rows came in on top */
  cameIn(count) {
    this._newAbove = this.root.scrollTop > 0 ? this._newAbove + count : 0;
    // What one reads stays where it is.
    if (this.root.scrollTop > 0) this.root.scrollTop += count * this._rowHeight();
    this.handlers.onNewAbove(this._newAbove);
  }

  _rowHeight() {
    this._height ||= Number.parseFloat(getComputedStyle(this.root).getPropertyValue("--row")) || 34;
    return this._height;
  }

  _schedule() {
    if (this._scheduled) return;
    this._scheduled = true;
    requestAnimationFrame(() => {
      this._scheduled = false;
      this._paint();
    });
  }

  _paint() {
    const { root, rows } = this;
    this._height = 0;
    const height = this._rowHeight();
    // Before anything is measured: with less on the page it could not be scrolled as far.
    this._body.style.height = `${rows.length * height}px`;
    if (root.scrollTop === 0 && this._newAbove) {
      this._newAbove = 0;
      this.handlers.onNewAbove(0);
    }
    const first = Math.max(Math.floor(root.scrollTop / height) - MARGIN_ROWS, 0);
    const end = Math.min(Math.ceil((root.scrollTop + root.clientHeight) / height) + MARGIN_ROWS, rows.length);
    setAttribute(this._table, "aria-rowcount", rows.more ? "-1" : String(rows.length + 1));
    setAttribute(this._table, "data-rows", String(rows.length));
    for (let i = first; i < end; i++) this._show(this._rowOf(i - first), i, height);
    for (const unused of this._pool.splice(Math.max(end - first, 0))) unused.remove();
    if (rows.length - end < AHEAD_ROWS) rows.older();
  }

  /** @param {number} place in the pool */
  _rowOf(place) {
    let row = this._pool[place];
    if (!row) {
      row = el("div", { class: "source-row", role: "row" },
        el("time", { role: "cell" }), el("span", { role: "cell", dir: "auto" }),
        el("span", { role: "cell", dir: "auto" }), el("span", { role: "cell" }));
      this._pool[place] = row;
      this._body.append(row);
    }
    return row;
  }

  /**
   * @param {HTMLElement} element
   * @param {number} index
   * @param {number} height
   */
  _show(element, index, height) {
    const { epoch, stream, value } = this.rows.at(index);
    element.style.transform = `translateY(${index * height}px)`;
    setAttribute(element, "aria-rowindex", String(index + 2));
    setAttribute(element, "data-odd", String(index % 2));
    const [time, name, shown, unit] = element.children;
    setText(time, dateFormat(TIME).format(epoch * 1000));
    setText(name, withEmoji(stream));
    setAttribute(name, "title", stream);
    const text = typeof value === "number" ? formatNumber(value) : typeof value === "boolean" ? sayState(value, { name: stream })
      : withEmoji(value.slice(0, MAX_CHARS));
    setText(shown, text);
    setAttribute(shown, "title", text);
    setAttribute(shown, "data-kind", typeof value);
    setText(unit, typeof value === "number" ? this.rows.units[stream] ?? "" : "");
  }

  destroy() {
    this._sizes.disconnect();
    this._table.remove();
  }
}
