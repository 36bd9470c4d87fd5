/** A range as a file: which format, which streams; how far it is, and a way to stop it. */

/** @import { Board } from "../board.js" */
/** @import { Progress } from "./download.js" */

import { Component, html } from "../../vendor/htm-preact.module.js";
import { exportUrl } from "../api.js";
import { now } from "../clock.js";
import { formatNumber, formatTime } from "../format.js";
import { t } from "../i18n.js";
import { Dialog } from "../views/dialog.js";
import { download, save } from "./download.js";

const FORMATS = ["csv", "jsonl", "parquet"];

/** Names longer than this in all do not fit a request's address: all streams are taken. */
const MOST_CHARS = 30_000;

/** Props: `board`, `streams` (those that are chosen; none: all), `onClose`. */
export class ExportDialog extends Component {
  constructor() {
    super();
    this.state = { format: "csv", range: "view", problem: "", done: "", progress: /** @type {Progress | null} */ (null) };
    this._abort = new AbortController();
  }

  componentWillUnmount() {
    this._abort.abort();
  }

  async start() {
    const { board, streams = [] } = /** @type {{board: Board, streams?: string[]}} */ (/** @type {any} */ (this.props));
    const { format, range } = this.state;
    const [after, before] = range === "view" ? board.viewport.span(now()) : [undefined, undefined];
    const chosen = streams.join("").length > MOST_CHARS ? [] : streams;
    const { signal } = (this._abort = new AbortController());
    this.setState({ progress: { bytes: 0, rows: 0 }, problem: "", done: "" });
    try {
      const url = exportUrl(board.bucket, { format, streams: chosen, after, before });
      const { file, name, progress } = await download(url, signal, (so_far) => this.setState({ progress: so_far }));
      save(file, name);
      this.setState({ done: t("time.exports.done", { name, size: sizeOf(progress.bytes) }), progress: null });
    } catch (error) {
      const why = error instanceof TypeError ? t("time.exports.brokeOff") : error instanceof Error ? error.message : String(error);
      this.setState({ progress: null, problem: signal.aborted ? "" : why });
    }
  }

  render() {
    const { board, onClose } = this.props;
    const { format, range, problem, done, progress } = this.state;
    const [from, to] = board.viewport.span(now());
    const view = t("time.held_range", { from: formatTime(from, now() - from), to: formatTime(to, now() - from) });
    const choices = (/** @type {"format" | "range"} */ name, /** @type {string} */ chosen, /** @type {[string, string][]} */ all) => html`
      <div class="radios" role="radiogroup" aria-label=${t(`time.exports.${name}`)}>
        ${all.map(([value, text]) => html`
          <label><input type="radio" name=${name} value=${value} checked=${chosen === value} disabled=${progress !== null}
            onChange=${() => this.setState({ [name]: value })} /><span>${text}</span></label>`)}
      </div>`;
    return html`
      <${Dialog} title=${t("time.export")} name="export" onClose=${onClose}>
        <h3>${t("time.exports.format")}</h3>
        ${choices("format", format, FORMATS.map((one) => [one, t(`time.exports.formats.${one}`)]))}
        <h3>${t("time.exports.range")}</h3>
        ${choices("range", range, [["view", t("time.exports.onView", { view })], ["all", t("time.exports.everything")]])}
        <div class="export-foot" role="status">
          ${progress ? html`<p>${t(format === "parquet" ? "time.exports.bytes" : "time.exports.progress",
              { rows: formatNumber(progress.rows, 0), size: sizeOf(progress.bytes) })}</p>
            <progress aria-label=${t("time.exports.running")}></progress>` : done && html`<p>${done}</p>`}
        </div>
        ${problem && html`<p class="wrong" role="alert">${problem}</p>`}
        <div class="dialog-buttons">
          ${progress
            ? html`<button class="button" type="button" data-action="cancel" onClick=${() => this._abort.abort()}>${t("time.exports.cancel")}</button>`
            : html`<button class="button button-strong" type="button" data-action="download" onClick=${() => this.start()}>${t("time.exports.start")}</button>`}
        </div>
      <//>`;
  }
}

/** @param {number} bytes */
function sizeOf(bytes) {
  const [unit, size] = bytes < 1e6 ? ["kB", 1e3] : bytes < 1e9 ? ["MB", 1e6] : ["GB", 1e9];
  return `${formatNumber(bytes / size, bytes < 1e6 ? 0 : 1)} ${unit}`;
}
