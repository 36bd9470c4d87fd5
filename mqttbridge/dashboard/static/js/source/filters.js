/** What the rows must be like: streams, a text, bounds of a value. */

/** @import { Board } from "../board.js" */

import { html } from "../../vendor/htm-preact.module.js";
import { withEmoji } from "../emoji.js";
import { currentLocale, t } from "../i18n.js";

/**
 * @typedef {object} Filter
 * @property {string[]} streams none: all
 * @property {string} text
 * @property {string} least
 * @property {string} most
 */

/** @type {Filter} */
export const NO_FILTER = { streams: [], text: "", least: "", most: "" };

/** @param {{board: Board, filter: Filter, onFilter: (filter: Filter) => void}} props */
export function Filters({ board, filter, onFilter }) {
  const set = (/** @type {Partial<Filter>} */ change) => onFilter({ ...filter, ...change });
  const input = (/** @type {"text" | "least" | "most"} */ name, /** @type {string} */ type) => html`
    <input class=${`search search-${name}`} type=${type} step="any" name=${name} value=${filter[name]} placeholder=${t(`source.filter.${name}`)}
      aria-label=${t(`source.filterLabel.${name}`)} maxlength="200" onInput=${(/** @type {any} */ event) => set({ [name]: event.target.value })} />`;
  const isFiltered = filter !== NO_FILTER && (filter.streams.length || filter.text || filter.least || filter.most);
  return html`
    <form class="filters" role="search" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}>
      <${Streams} board=${board} chosen=${filter.streams} onChoose=${(/** @type {string[]} */ streams) => set({ streams })} />
      ${input("text", "search")} ${input("least", "number")} ${input("most", "number")}
      ${isFiltered && html`<button class="button" type="button" data-action="clear-filter" onClick=${() => onFilter(NO_FILTER)}>${t("source.clear")}</button>`}
    </form>`;
}

/** @param {{board: Board, chosen: string[], onChoose: (streams: string[]) => void}} props */
function Streams({ board, chosen, onChoose }) {
  const names = [...board.streams.keys()].sort(new Intl.Collator(currentLocale(), { numeric: true }).compare);
  const toggle = (/** @type {string} */ name) => onChoose(chosen.includes(name) ? chosen.filter((one) => one !== name) : [...chosen, name]);
  return html`
    <details class="picker">
      <summary class="button">${chosen.length ? t("source.someStreams", { count: chosen.length }) : t("source.allStreams")}</summary>
      <div class="picker-list">
        ${names.map((name) => html`
          <label key=${name}><input type="checkbox" name="stream" value=${name} checked=${chosen.includes(name)} onChange=${() => toggle(name)} />
            <span dir="auto">${withEmoji(name)}</span></label>`)}
      </div>
    </details>`;
}
