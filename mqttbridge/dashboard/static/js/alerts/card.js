/** One rule: what it watches, how its streams stand, and what one can do about it. */

/** @import { RuleEntry, Silence, StreamState } from "./types.js" */

import { html, useState } from "../../vendor/htm-preact.module.js";
import { pageUrl } from "../api.js";
import { now } from "../clock.js";
import { formatAge, formatTime } from "../format.js";
import { t } from "../i18n.js";
import { duration, sentence, valueInWords } from "./words.js";

/** For how long one may have quiet, in seconds. */
const QUIET = [3600, 8 * 3600, 86400, 7 * 86400];

/** So many streams are shown at first; those that fire come first. */
const SHOWN = 5;

/**
 * What the rule as a whole is in: the worst of its streams.
 * @param {RuleEntry} entry
 */
export function standingOf({ rule, counts }) {
  if (!rule.enabled) return "disabled";
  return counts.firing ? "firing" : counts.pending ? "pending" : counts.ok ? "ok" : "unknown";
}

/** @param {{state: StreamState}} props */
function StreamRow({ state: { bucket, stream, state, since, value, silenced } }) {
  return html`
    <li class="stand" data-state=${state}>
      <a href=${pageUrl(bucket)} dir="auto">${bucket} · ${stream}</a>
      <span class="stand-value" dir="auto">${valueInWords(value)}</span>
      <span class="stand-state">${t(`alerts.state.${state}`)}${since !== null && ` · ${formatAge(now() - since)}`}
        ${silenced && ` · ${t("alerts.silenced")}`}</span>
    </li>`;
}

/**
 * @typedef {{onEdit: (entry: RuleEntry) => void, onRemove: (entry: RuleEntry) => void,
 *   onSilence: (rule: string, seconds: number) => void, onEndSilence: (id: string) => void}} Doings
 */

/** @param {{entry: RuleEntry, silence: Silence | undefined, doings: Doings}} props */
function Tools({ entry, silence, doings }) {
  const [asked, setAsked] = useState(false);
  const quiet = silence
    ? html`
        <button class="button" type="button" data-action="end-silence" onClick=${() => doings.onEndSilence(silence.id)}>
          ${t("alerts.endSilence", { time: formatTime(silence.until, Math.abs(silence.until - now())) })}</button>`
    : html`
        <select class="button" aria-label=${t("alerts.silence")} data-action="silence"
          onChange=${(/** @type {any} */ event) => {
            const seconds = Number(event.target.value);
            event.target.value = "";
            if (seconds) doings.onSilence(entry.id, seconds);
          }}>
          <option value="">${t("alerts.silence")}</option>
          ${QUIET.map((time) => html`<option value=${time}>${t("alerts.silenceFor", { time: duration(time) })}</option>`)}
        </select>`;
  return html`
    <div class="alert-tools">
      ${quiet}
      <button class="button" type="button" data-action="edit" onClick=${() => doings.onEdit(entry)}>
        ${t(entry.editable ? "alerts.edit" : "alerts.look")}</button>
      ${entry.editable && (asked
        ? html`<button class="button button-bad" type="button" data-action="remove-sure" onClick=${() => doings.onRemove(entry)}>${t("alerts.removeSure")}</button>
            <button class="button" type="button" onClick=${() => setAsked(false)}>${t("alerts.keep")}</button>`
        : html`<button class="button" type="button" data-action="remove" onClick=${() => setAsked(true)}>${t("alerts.remove")}</button>`)}
    </div>`;
}

/** @param {{entry: RuleEntry, silence: Silence | undefined, doings: Doings}} props */
export function RuleCard({ entry, silence, doings }) {
  const [all, setAll] = useState(false);
  const { rule, states, counts } = entry;
  const standing = standingOf(entry);
  const shown = all ? states : states.slice(0, SHOWN);
  const more = states.length - shown.length;
  const told = [...rule.actions, ...(rule.webhook ? [t("alerts.ownWebhook")] : [])];
  return html`
    <li class="alert-card" data-rule=${rule.name} data-state=${standing} data-level=${rule.level}>
      <header>
        <h2 dir="auto">${rule.name}</h2>
        <p class="alert-state"><i class="dot" aria-hidden="true"></i>${t(`alerts.standing.${standing}`, { count: counts.firing || counts.pending || counts.ok })}</p>
      </header>
      <p class="alert-sentence" dir="auto">${sentence(rule)}</p>
      <p class="alert-facts">
        <span class="alert-level">${t(`alerts.level.${rule.level}`)}</span>
        <span>${told.length ? t("alerts.tells", { names: told.join(", ") }) : t("alerts.tellsNobody")}</span>
        ${!entry.editable && html`<span>${t("alerts.ofTheConfiguration")}</span>`}
      </p>
      ${shown.length > 0 && html`<ul class="stands">${shown.map((state) => html`<${StreamRow} state=${state} />`)}</ul>`}
      ${more > 0 && html`
        <button class="link-button" type="button" onClick=${() => setAll(true)}>${t("alerts.more", { count: more })}</button>`}
      <${Tools} entry=${entry} silence=${silence} doings=${doings} />
    </li>`;
}
