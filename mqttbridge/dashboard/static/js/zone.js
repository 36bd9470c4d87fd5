/**
 * In which time zone the page tells times: the browser's, UTC, the server's, or any by its name. Remembered.
 * Whatever writes a time asks here, so that all of a page's times agree.
 */

import { currentLocale } from "./i18n.js";

const REMEMBERED = "mqttbridge.zone";

/** @typedef {"browser" | "utc" | "server" | "other"} ZoneChoice */

/** @type {{choice: ZoneChoice, name: string}} */
let chosen = recall();

/** @type {Map<string, Intl.DateTimeFormat>} by zone and options */
const formats = new Map();

/** The zone's IANA name; undefined for the browser's own. */
export const zone = () => chosen.name || undefined;

/** What was chosen, and the name it stands for. */
export const zoneChoice = () => ({ ...chosen });

/** The browser's own zone. */
export const browserZone = () => new Intl.DateTimeFormat().resolvedOptions().timeZone;

/**
 * @param {ZoneChoice} choice
 * @param {string} [name] of the zone, where the choice does not say it
 * @returns {boolean} whether there is such a zone
 */
export function chooseZone(choice, name = "") {
  const found = choice === "browser" ? "" : choice === "utc" ? "UTC" : name;
  if (choice !== "browser" && !isZone(found)) return false;
  chosen = { choice, name: found };
  formats.clear();
  try {
    localStorage.setItem(REMEMBERED, JSON.stringify(chosen));
  } catch {
    // Storage may be forbidden; the choice then lasts as long as the page.
  }
  dispatchEvent(new Event("zonechange"));
  return true;
}

/** @param {() => void} callback whenever another zone is chosen */
export const onZoneChange = (callback) => addEventListener("zonechange", callback);

/**
 * A format in the zone that is chosen.
 * @param {Intl.DateTimeFormatOptions} options
 */
export function dateFormat(options) {
  const key = JSON.stringify(options);
  let format = formats.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat(currentLocale(), { ...options, timeZone: zone() });
    formats.set(key, format);
  }
  return format;
}

/**
 * The wall clock's time as a Date whose local getters tell it.
 * @param {number} epoch seconds
 */
export function wallClock(epoch) {
  if (!zone()) return new Date(epoch * 1000);
  const [year, month, day, hour, minute, second] = partsOf(epoch);
  return new Date(year, month - 1, day, hour, minute, second, Math.floor((epoch * 1000) % 1000));
}

/**
 * The time at which the zone's clocks show this; where they are put forward past it, a little later.
 * @param {number[]} shown year, month (1 to 12), day, hour, minute, second
 * @returns {number} epoch seconds
 */
export function epochOf([year, month, day, hour = 0, minute = 0, second = 0]) {
  if (!zone()) return new Date(year, month - 1, day, hour, minute, second).getTime() / 1000;
  const asUtc = Date.UTC(year, month - 1, day, hour, minute, second) / 1000;
  // The offset at the time itself is only known once the time is: twice is enough, as it changes by hours a year.
  const first = asUtc - offsetAt(asUtc);
  return asUtc - offsetAt(first);
}

/** @param {number} epoch */
function offsetAt(epoch) {
  const [year, month, day, hour, minute, second] = partsOf(epoch);
  return Date.UTC(year, month - 1, day, hour, minute, second) / 1000 - Math.floor(epoch);
}

/**
 * @param {number} epoch
 * @returns {number[]} year, month, day, hour, minute, second
 */
function partsOf(epoch) {
  const key = "parts";
  let format = formats.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat("en-GB", {
      timeZone: zone(), hourCycle: "h23", calendar: "gregory", numberingSystem: "latn",
      year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric",
    });
    formats.set(key, format);
  }
  const parts = Object.fromEntries(format.formatToParts(epoch * 1000).map(({ type, value }) => [type, Number(value)]));
  return [parts.year, parts.month, parts.day, parts.hour, parts.minute, parts.second];
}

/** @param {string} name */
function isZone(name) {
  if (!name) return false;
  try {
    new Intl.DateTimeFormat(undefined, { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** @returns {{choice: ZoneChoice, name: string}} */
function recall() {
  try {
    const { choice, name } = JSON.parse(localStorage.getItem(REMEMBERED) ?? "{}");
    if (["utc", "server", "other"].includes(choice) && isZone(name)) return { choice, name };
  } catch {
    // Nothing that makes sense is remembered.
  }
  return { choice: "browser", name: "" };
}
