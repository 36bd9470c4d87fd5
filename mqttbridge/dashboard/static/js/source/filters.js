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
const NO_FILTER = { streams: [], text: "", least: "", most: "" };

/** @type {("text" | "least" | "most")[]} */
const FIELDS = ["text", "least", "most"];

/** As much as one can type into a field. */
const MOST_CHARACTERS = 200;

/**
 * The filter that an address names.
 * @param {string} search the address's query
 * @returns {Filter}
 */
export function filterIn(search) {
  const query = new URLSearchParams(search);
  const [text, least, most] = FIELDS.map((name) => (query.get(name) ?? "").slice(0, MOST_CHARACTERS));
  const streams = [...new Set(query.getAll("stream"))];
  return { streams, text, least: numberIn(least), most: numberIn(most) };
}

/**
 * The query that names the filter, so that what one sees can be sent to somebody else; what else stands in it stays.
 * @param {string} search
 * @param {Filter} filter
 */
export function searchWith(search, filter) {
  const query = new URLSearchParams(search);
  for (const name of ["stream", ...FIELDS]) query.delete(name);
  for (const stream of filter.streams) query.append("stream", stream);
  for (const name of FIELDS) if (filter[name]) query.set(name, filter[name]);
  return query.size ? `?${query}` : "";
}

/** @param {string} text */
const numberIn = (text) => (text.trim() && Number.isFinite(Number(text)) ? text.trim() : "");

/** @param {{board: Board, filter: Filter, onFilter: (filter: Filter) => void}} props */
export function Filters({ board, filter, onFilter }) {
  const set = (/** @type {Partial<Filter>} */ change) => onFilter({ ...filter, ...change });
  const input = (/** @type {"text" | "least" | "most"} */ name, /** @type {string} */ type) => html`
    <input class=${`search search-${name}`} type=${type} step="any" name=${name} value=${filter[name]} placeholder=${t(`source.filter.${name}`)}
      aria-label=${t(`source.filterLabel.${name}`)} maxlength=${MOST_CHARACTERS} onInput=${(/** @type {any} */ event) => set({ [name]: event.target.value })} />`;
  const isFiltered = Boolean(filter.streams.length || filter.text || filter.least || filter.most);
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
