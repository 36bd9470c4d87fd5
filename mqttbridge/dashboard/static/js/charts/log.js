/** Texts that held on view, the last few, newest first; one that repeats is shown once, with the time it was first said. */

/** @import { Span, Value } from "../types.js" */
/** @import { Stream } from "../stream.js" */

import { el } from "../dom.js";
import { withEmoji } from "../emoji.js";
import { formatTime } from "../format.js";
import { t } from "../i18n.js";

const LINES = 5;

/** A longer text is cut here: a tile has room for less, and the value above it is not cut. */
const MAX_CHARS = 300;

export class TextLog {
  /**
   * @param {HTMLElement} parent
   * @param {Stream} stream
   */
  constructor(parent, stream) {
    this.stream = stream;
    this.list = el("ol", { class: "log" });
    this._version = -1;
    this._minute = -1;
    parent.append(this.list);
  }

  /** @param {Span} span */
  paint(span) {
    // Lines age out of the window, one in a while.
    const minute = Math.floor(span[0] / 60);
    if (this._version === this.stream.version && this._minute === minute) return;
    this._version = this.stream.version;
    this._minute = minute;
    this.list.replaceChildren(...this._lines(span));
  }

  resize() {}

  moveCursor() {}

  destroy() {
    this.list.remove();
  }

  /** @param {Span} span */
  _lines([from, to]) {
    const { epochs, values } = this.stream.layer.series;
    /** @type {{epoch: number, value: Value}[]} */
    const said = [];
    for (let i = 0; i < epochs.length; i++) {
      if (epochs[i] <= to && values[i] !== said.at(-1)?.value) said.push({ epoch: epochs[i], value: values[i] });
    }
    const onView = said.filter((_, i) => i === said.length - 1 || said[i + 1].epoch > from);
    return onView.slice(-LINES).reverse().map(({ epoch, value }) => {
      const text = withEmoji(String(value));
      // Of the first text we know of, all we know is that it was there.
      const since = epoch < from && epoch === said[0].epoch ? t("tiles.before", { time: formatTime(from, to - from) })
        : formatTime(epoch, to - Math.min(from, epoch));
      return el("li", { title: text.slice(0, MAX_CHARS) },
        el("time", {}, since),
        el("span", { dir: "auto" }, text.slice(0, MAX_CHARS)));
    });
  }
}
