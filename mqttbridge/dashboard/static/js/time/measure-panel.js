/** What the streams did between the two cursors: how many points, the least, mean and greatest value. */

/** @import { Board } from "../board.js" */
/** @import { StreamStatistics } from "../types.js" */

import { html } from "../../vendor/htm-preact.module.js";
import { withEmoji } from "../emoji.js";
import { decimalsFor, formatNumber, formatTime } from "../format.js";
import { t } from "../i18n.js";
import { useStyles } from "../styles.js";
import { readDuration } from "../moment.js";
import { now } from "../clock.js";
import { CloseIcon } from "../views/icons.js";

await useStyles("overlays");

/** @param {{board: Board, brief?: boolean}} props `brief`: the view itself tells the figures */
export function MeasurePanel({ board, brief = false }) {
  const { marks } = board;
  const { between, statistics, problem } = marks;
  return html`
    <section class="measure" data-panel="measure" aria-label=${t("time.measure")}>
      <header class="measure-head">
        <p role="status">${between ? html`
          <b>A</b> ${formatTime(between[0], now() - between[0])} <b>B</b> ${formatTime(between[1], now() - between[0])}
          <b class="measure-length">${readDuration(between[1] - between[0])}</b>`
          : t(marks.times.length ? "time.pickSecond" : "time.pickFirst")}</p>
        ${between && html`
          <button class="button" type="button" data-action="zoom-between" onClick=${() => board.zoom(between)}>${t("time.zoomBetween")}</button>`}
        <button class="button button-icon" type="button" data-action="measure-end" aria-label=${t("time.endMeasure")}
          title=${t("time.endMeasure")} onClick=${() => marks.toggle()}><${CloseIcon} /></button>
      </header>
      ${problem && html`<p class="wrong" role="alert">${problem}</p>`}
      ${statistics && !brief && html`
        <div class="measure-table" tabindex="0" role="region" aria-label=${t("time.statistics")}>
          <table>
            <thead><tr><th scope="col">${t("time.stream")}</th>${["count", "least", "mean", "greatest", "change"].map((name) => html`
              <th scope="col">${t(`time.${name}`)}</th>`)}</tr></thead>
            <tbody>${Object.entries(statistics).map(([name, one]) => html`<${Row} board=${board} name=${name} one=${one} />`)}</tbody>
          </table>
          ${Object.keys(statistics).length === 0 && html`<p class="help">${t("time.nothingBetween")}</p>`}
        </div>`}
    </section>`;
}

/** @param {{board: Board, name: string, one: StreamStatistics}} props */
function Row({ board, name, one }) {
  const figures = figuresOf(board, name, one);
  return html`
    <tr data-stream=${name}><th scope="row" dir="auto">${withEmoji(name)}</th>
      <td>${figures.count}</td><td>${figures.least}</td><td>${figures.mean}</td><td>${figures.greatest}</td><td>${figures.change}</td></tr>`;
}

/**
 * A stream's figures as people read them.
 * @param {Board} board
 * @param {string} name
 * @param {StreamStatistics} one
 */
export function figuresOf(board, name, { count, least, mean, greatest, first, last }) {
  const stream = board.streams.get(name);
  const decimals = decimalsFor(stream?.decimals ?? 3, Number(greatest) - Number(least));
  const unit = stream?.unit ? `\u00a0${stream.unit}` : "";
  const words = (/** @type {number | boolean | null} */ value, more = 0) =>
    typeof value === "number" ? `${formatNumber(value, Math.min(decimals + more, 6))}${unit}` : "";
  const numbers = stream?.kind === "number";
  const change = numbers && typeof first?.value === "number" && typeof last?.value === "number" ? last.value - first.value : null;
  return {
    count: formatNumber(count, 0),
    least: numbers ? words(least) : "",
    mean: stream?.kind === "boolean" && mean !== null ? t("time.shareTrue", { percent: Math.round(100 * mean) }) : numbers ? words(mean, 1) : "",
    greatest: numbers ? words(greatest) : "",
    change: change === null ? "" : `${change > 0 ? "+" : ""}${words(change)}`,
  };
}
