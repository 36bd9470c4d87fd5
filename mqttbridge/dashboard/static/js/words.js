/** Rates, spans and sizes in the reader's words. */

import { currentLocale, t } from "./i18n.js";

const rounded = new Intl.NumberFormat(currentLocale(), { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat(currentLocale(), { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const fine = new Intl.NumberFormat(currentLocale(), { maximumSignificantDigits: 2 });

/** @param {number} count */
export const formatCount = (count) => rounded.format(count);

/** @param {number | null | undefined} rate a second; null while it is not known */
export function formatRate(rate) {
  if (rate === null || rate === undefined) return "–";
  if (rate === 0) return t("common.perSecond", { rate: "0" });
  // Slower than one in two seconds, minutes say more.
  if (rate < 0.5) return t("common.perMinute", { rate: fine.format(rate * 60) });
  return t("common.perSecond", { rate: rate < 10 ? fine.format(rate) : rounded.format(rate) });
}

/** @param {number} seconds */
export function formatSpan(seconds) {
  if (seconds < 1) return t("common.span.milliseconds", { count: rounded.format(Math.max(1, seconds * 1000)) });
  if (seconds < 90) return t("common.span.seconds", { count: Math.round(seconds) });
  if (seconds < 90 * 60) return t("common.span.minutes", { count: Math.round(seconds / 60) });
  if (seconds < 36 * 3600) return t("common.span.hours", { count: Math.round(seconds / 3600) });
  return t("common.span.days", { count: Math.round(seconds / 86400) });
}

const SIZES = ["B", "KiB", "MiB", "GiB", "TiB"];

/** @param {number} bytes */
export function formatSize(bytes) {
  const power = Math.min(SIZES.length - 1, bytes > 0 ? Math.floor(Math.log2(bytes) / 10) : 0);
  const value = bytes / 1024 ** power;
  return `${value < 10 && power ? tenths.format(value) : Math.round(value)} ${SIZES[power]}`;
}

/** @param {{payload?: string, payload_base64?: string, cut: boolean}} message */
export function payloadText({ payload, payload_base64: base64, cut }) {
  const text = base64 ? t("bridge.base64", { text: base64 }) : payload || t("bridge.empty");
  return cut ? `${text} …` : text;
}
