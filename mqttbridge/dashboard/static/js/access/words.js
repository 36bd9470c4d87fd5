/** Days and errors in words, as the settings and the share dialog say them. */

import { ApiError } from "../api.js";
import { currentLocale, t } from "../i18n.js";

/**
 * @param {number | null} epoch seconds
 * @returns {string}
 */
export function day(epoch) {
  if (epoch === null) return t("settings.never");
  return new Intl.DateTimeFormat(currentLocale(), { dateStyle: "medium" }).format(epoch * 1000);
}

/** @param {unknown} error */
export function inWords(error) {
  if (error instanceof ApiError && (error.status === 401 || error.status === 403)) return t("settings.not_allowed");
  return error instanceof Error ? error.message : String(error);
}
