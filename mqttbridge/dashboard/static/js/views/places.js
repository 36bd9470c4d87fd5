/** Where one can go from every page. */

/** @typedef {"buckets" | "alerts" | "bridge" | "settings"} Place their names are `common.places.<place>` */

/** @type {readonly (readonly [Place, string])[]} */
export const PLACES = [["buckets", "/"], ["alerts", "/alerts"], ["bridge", "/bridge"], ["settings", "/settings"]];
