/**
 * The page's words in the reader's language. English is complete; what another language lacks is said in English.
 *
 * A text is found by its path, as in `t("board.paused", { from, to })`. `{name}` in it stands for a value; a text
 * of several forms, `{ one: "{count} stream", other: "{count} streams" }`, is chosen by the value `count`, a number,
 * which is written as the language writes numbers.
 */

import { en } from "../texts/en.js";

/** @typedef {string | Partial<Record<Intl.LDMLPluralRule, string>> | {[key: string]: any}} Texts */

/** Languages that have a file of their own in `texts/`. */
const LANGUAGES = ["de"];

const REMEMBERED = "mqttbridge.language";

/** @type {Texts} */
let texts = en;
let language = "en";
let plurals = new Intl.PluralRules(language);
/** @type {Intl.NumberFormat | null} */
let counts = null;

/** Choose the language that was asked for last, or the browser's, before anything is drawn. */
export async function useLanguage() {
  const asked = [remembered(), ...navigator.languages].map((tag) => (tag ?? "").split("-")[0]);
  const wanted = asked.find((tag) => tag === "en" || LANGUAGES.includes(tag)) ?? "en";
  document.documentElement.lang = wanted;
  if (wanted === "en") return;
  texts = (await import(`../texts/${wanted}.js`)).texts;
  language = wanted;
  plurals = new Intl.PluralRules(language);
  counts = null;
}

/** In another site's frame a browser may forbid storage, by an error. */
function remembered() {
  try {
    return localStorage.getItem(REMEMBERED);
  } catch {
    return null;
  }
}

/** @param {string} tag from now on; the page is loaded again */
export function chooseLanguage(tag) {
  localStorage.setItem(REMEMBERED, tag);
  location.reload();
}

/** @returns {string} */
export const currentLanguage = () => language;

/**
 * How numbers and dates are written: as in the language that is spoken, and of its countries as in the browser's.
 * @returns {string} for Intl's formats
 */
export const currentLocale = () => navigator.languages.find((tag) => tag.split("-")[0] === language) ?? language;

/**
 * @param {string} path
 * @param {Record<string, string | number>} [values]
 * @returns {string} the path itself where no language has the text
 */
export function t(path, values = {}) {
  const found = lookUp(texts, path) ?? lookUp(en, path) ?? path;
  const text = typeof found === "string" ? found : found[plurals.select(Number(values.count))] ?? found.other ?? path;
  return text.replace(/\{(\w+)\}/g, (/** @type {string} */ whole, /** @type {string} */ name) =>
    name === "count" && typeof values.count === "number" ? countFormat().format(values.count) : String(values[name] ?? whole));
}

const countFormat = () => (counts ??= new Intl.NumberFormat(currentLocale(), { maximumFractionDigits: 2 }));

/**
 * @param {any} from
 * @param {string} path
 */
const lookUp = (from, path) => path.split(".").reduce((inside, key) => inside?.[key], from);
