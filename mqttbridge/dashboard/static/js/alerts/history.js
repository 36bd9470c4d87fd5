/** What fired, the newest first, and who was told. */

/** @import { Firing, Notice } from "./types.js" */

import { html } from "../../vendor/htm-preact.module.js";
import { pageUrl } from "../api.js";
import { now } from "../clock.js";
import { formatAge, formatTime } from "../format.js";
import { t } from "../i18n.js";
import { valueInWords } from "./words.js";

/** @param {{notice: Notice}} props */
export function NoticeMark({ notice: { action, about, outcome, attempts, detail } }) {
  const name = action === "@webhook" ? t("alerts.ownWebhook") : action;
  const tried = attempts > 1 ? ` (${t("alerts.attempts", { count: attempts })})` : "";
  return html`
    <li class="notice-mark" data-outcome=${outcome} title=${detail}>
      <span dir="auto">${name}</span> · ${t(`alerts.about.${about}`)}: ${t(`alerts.outcome.${outcome}`)}${tried}
      ${detail && (outcome === "failed" || outcome === "refused" || outcome === "waiting") && html`<small dir="auto">${detail}</small>`}
    </li>`;
}

/** @param {{firing: Firing}} props */
function Row({ firing }) {
  const lasted = (firing.over ?? now()) - firing.fired;
  const open = firing.over === null;
  return html`
    <li class="firing" data-level=${firing.level} data-open=${String(open)}>
      <p class="firing-when">
        <time>${formatTime(firing.fired, now() - firing.fired)}</time>
        <span>${open ? t("alerts.firingFor", { time: lasting(lasted) }) : t("alerts.lasted", { time: lasting(lasted) })}</span>
      </p>
      <p class="firing-what">
        <strong dir="auto">${firing.name}</strong>
        <a href=${pageUrl(firing.bucket)} dir="auto">${firing.bucket} · ${firing.stream}</a>
        <span class="firing-value" dir="auto">${valueInWords(firing.value)}</span>
      </p>
      ${firing.notices.length > 0 && html`
        <ul class="notice-marks">${firing.notices.map((notice) => html`<${NoticeMark} notice=${notice} />`)}</ul>`}
    </li>`;
}

/** @param {number} seconds */
const lasting = (seconds) => (seconds < 90 ? t("alerts.duration.seconds", { count: Math.max(Math.round(seconds), 0) }) : formatAge(seconds));

/** @param {{firings: Firing[]}} props */
export function HistoryList({ firings }) {
  return html`
    <section class="alert-history" aria-labelledby="alert-history">
      <h2 id="alert-history">${t("alerts.history")}</h2>
      ${firings.length === 0
        ? html`<p class="nothing-yet">${t("alerts.neverFired")}</p>`
        : html`<ol>${firings.map((firing) => html`<${Row} key=${firing.id} firing=${firing} />`)}</ol>`}
    </section>`;
}
