/** What a tile draws, as a table: for those who do not see it, and for whoever wants the figures. */

/** @import { Value } from "../types.js" */
/** @import { Tile } from "./frame.js" */

import { Component, html, render } from "../../vendor/htm-preact.module.js";
import { pageUrl } from "../api.js";
import { now } from "../clock.js";
import { withEmoji } from "../emoji.js";
import { formatNumber, formatTime } from "../format.js";
import { t } from "../i18n.js";
import { lowerBound, upperBound } from "../series.js";
import { Dialog } from "../views/dialog.js";

const PAGE_ROWS = 25;

/** @typedef {{epoch: number, name: string, text: string}} Row */

/**
 * The points on view as they are drawn, the newest first; of a stream that has none, its last value.
 * @param {Tile} tile
 * @returns {Row[]}
 */
function rowsOf(tile) {
  const { board, config, streams } = tile;
  const [from, to] = board.viewport.span(now());
  const rows = streams.flatMap((stream) => {
    const unit = stream.kind === "number" ? config.unit || stream.unit : "";
    const row = (/** @type {number} */ epoch, /** @type {Value} */ value) =>
      ({ epoch, name: withEmoji(stream.name), text: `${tile.format(value, stream)} ${unit}`.trim() });
    const { epochs, values } = stream.layer.series;
    const [first, end] = [lowerBound(epochs, from), upperBound(epochs, to)];
    const last = tile.last(stream);
    if (first < end) return Array.from({ length: end - first }, (_, i) => row(epochs[first + i], values[first + i]));
    return last ? [row(last.epoch, last.value)] : [];
  });
  return rows.sort((a, b) => b.epoch - a.epoch);
}

/** The values stand still while one reads them. Props: `tile`, `onClose`. */
class DataTable extends Component {
  constructor(/** @type {any} */ props) {
    super(props);
    this.rows = rowsOf(props.tile);
    this.state = { first: 0 };
  }

  render() {
    const { tile, onClose } = this.props;
    const { first } = this.state;
    const shown = this.rows.slice(first, first + PAGE_ROWS);
    const reach = this.rows.length ? this.rows[0].epoch - this.rows[this.rows.length - 1].epoch : 0;
    const several = tile.streams.length > 1;
    const to = (/** @type {number} */ at) => () => this.setState({ first: at });
    const { board } = tile;
    return html`
      <${Dialog} title=${t("tiles.data.title", { name: tile.title })} name="data" onClose=${onClose}>
        <p class="help">${t("tiles.data.help")} <a href=${`${pageUrl(board.bucket, "source")}#${board.viewport.toHash()}`}>${t("tiles.data.all")}</a></p>
        <div class="data-rows" tabindex="0" role="region" aria-label=${t("tiles.data.title", { name: tile.title })}>
          <table>
            <thead><tr>
              <th scope="col">${t("source.time")}</th>${several && html`<th scope="col">${t("source.stream")}</th>`}<th scope="col">${t("source.value")}</th>
            </tr></thead>
            <tbody>${shown.map((row) => html`
              <tr>
                <td>${formatTime(row.epoch, Math.max(reach, now() - row.epoch))}</td>${several && html`<td dir="auto">${row.name}</td>`}<td dir="auto">${row.text}</td>
              </tr>`)}</tbody>
          </table>
          ${shown.length === 0 && html`<p class="nothing">${t("waves.nothing")}</p>`}
        </div>
        <div class="data-foot">
          <button class="button" type="button" data-action="newer" disabled=${first === 0} onClick=${to(first - PAGE_ROWS)}>${t("tiles.data.newer")}</button>
          <p role="status">${shown.length > 0 && t("tiles.data.rows", {
            from: formatNumber(first + 1, 0), to: formatNumber(first + shown.length, 0), of: formatNumber(this.rows.length, 0),
          })}</p>
          <button class="button" type="button" data-action="older" disabled=${first + PAGE_ROWS >= this.rows.length} onClick=${to(first + PAGE_ROWS)}>${t("tiles.data.older")}</button>
        </div>
      <//>`;
  }
}

/** @param {Tile} tile */
export function showData(tile) {
  const back = /** @type {HTMLElement | null} */ (document.activeElement);
  const host = document.createElement("div");
  document.body.append(host);
  const close = () => {
    render(null, host);
    host.remove();
    back?.focus();
  };
  render(html`<${DataTable} tile=${tile} onClose=${close} />`, host);
}
