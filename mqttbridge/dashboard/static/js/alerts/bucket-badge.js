/** How a bucket's alerts stand, on its card: a bell that leads to them, with a word where it is not all well. */

/** @import { Worst } from "./types.js" */

import { html } from "../../vendor/htm-preact.module.js";
import { t } from "../i18n.js";
import { BellIcon } from "../views/icons.js";

/** @param {{bucket: string, name: string, worst: Worst}} props */
export function BucketBadge({ bucket, name, worst: { state, level, silenced, streams } }) {
  const word = silenced ? t("alerts.silenced") : t(`alerts.state.${state}`);
  const label = t("shelf.alerts", { bucket: name, state: word, streams: t("common.streams", { count: streams }) });
  return html`
    <a class="card-alert" href=${`/alerts?${new URLSearchParams({ bucket })}`} title=${label} aria-label=${label}
      data-alert=${silenced ? "silenced" : state} data-level=${level}>
      <${BellIcon} />${state !== "ok" && html`<span>${word}${streams > 1 ? ` · ${streams}` : ""}</span>`}
    </a>`;
}
