/** The state of each part in words: broker, polled sources, spool, destinations, what was dropped. */

import { html } from "../../vendor/htm-preact.module.js";
import { now } from "../clock.js";
import { formatAgo, formatTime } from "../format.js";
import { t } from "../i18n.js";
import { formatCount, formatRate, formatSize, formatSpan } from "../words.js";

/** @param {{id: string, title: string, wide?: boolean, children?: any}} props */
export const Panel = ({ id, title, wide = false, children }) => html`
  <section class="bridge-panel" id=${id} data-wide=${String(wide)} aria-labelledby=${`${id}-title`}>
    <h2 id=${`${id}-title`}>${title}</h2>
    ${children}
  </section>`;

/** @param {{term: string, children?: any}} props */
const Fact = ({ term, children }) => html`<div class="fact"><dt>${term}</dt><dd>${children}</dd></div>`;

/** @param {{state: string, text: string}} props */
const State = ({ state, text }) => html`<span class="state" data-state=${state}><i class="dot" aria-hidden="true"></i>${text}</span>`;

/** @param {{status: Record<string, any>}} props */
export function Sources({ status: { broker, sources, received } }) {
  return html`
    <${Panel} id="sources" title=${t("bridge.sources.title")}>
      ${broker && html`
        <div class="part">
          <h3 dir="auto">${broker.url}</h3>
          <${State} state=${broker.state === "connected" ? "ok" : "trouble"} text=${t("bridge.sources.broker", { state: broker.state })} />
          ${broker.detail && html`<p class="part-detail">${broker.detail}</p>`}
          <p class="part-note">${t("bridge.sources.since", { time: formatTime(broker.since, now() - broker.since), protocol: broker.protocol })}</p>
        </div>`}
      ${Object.entries(sources).map(([name, one]) => html`
        <div class="part" key=${name}>
          <h3 dir="auto">${name}</h3>
          <${State} state=${one.state === "failing" ? "trouble" : "ok"} text=${t(`bridge.sources.poll.${one.state}`)} />
          <p class="part-note" dir="auto">${one.url}</p>
          <p class="part-note">${t("bridge.sources.answers", {
            messages: formatCount(one.messages), unchanged: formatCount(one.unchanged), failed: formatCount(one.failed),
          })} ${one.last_message ? t("bridge.sources.last", { ago: formatAgo(now() - one.last_message) }) : ""}</p>
          ${Object.entries(one.failing).map(([target, why]) => html`
            <p class="part-detail">${target ? `${target}: ` : ""}${why}</p>`)}
        </div>`)}
      ${received.http > 0 && html`<p class="part-note">${t("bridge.source.http", { count: formatCount(received.http) })}</p>`}
      ${!broker && Object.keys(sources).length === 0 && html`<p class="part-note">${t("bridge.sources.none")}</p>`}
    <//>`;
}

/** @param {{status: Record<string, any>}} props */
export function Spool({ status: { spool } }) {
  const share = Math.min(1, spool.bytes / spool.max_bytes);
  return html`
    <${Panel} id="spool" title=${t("bridge.spool.title")}>
      <meter class="meter" min="0" max="1" high="0.8" value=${share} aria-label=${t("bridge.spool.used")}></meter>
      <dl class="facts">
        <${Fact} term=${t("bridge.spool.used")}>${t("bridge.spool.of", { size: formatSize(spool.bytes), most: formatSize(spool.max_bytes) })}<//>
        <${Fact} term=${t("bridge.spool.commits")}>${formatCount(spool.rows)}<//>
        <${Fact} term=${t("bridge.spool.oldest")}>${spool.oldest ? formatAgo(now() - spool.oldest) : t("bridge.spool.nothing")}<//>
        <${Fact} term=${t("bridge.spool.ahead")}>
          ${spool.full_in !== null ? t("bridge.spool.full", { span: formatSpan(spool.full_in) }) : t("bridge.spool.room")}<//>
      </dl>
      ${!spool.writable && html`<p class="part-detail" data-notice="spool">${t("bridge.spool.blocked", { error: spool.error })}</p>`}
      ${spool.full_in !== null && html`<p class="part-note">${t(`bridge.spool.when.${spool.when_full}`)}</p>`}
    <//>`;
}

/** @param {{quota: Record<string, any>}} props */
function Quota({ quota }) {
  const month = quota.gone_in !== null && quota.gone_in < 30 * 86400;
  const tooFast = quota.hourly > quota.most_hourly;
  return html`
    <p class="part-note" data-quota=${String(month || tooFast)}>
      ${t("bridge.quota.hourly", { hourly: formatCount(quota.hourly), span: formatSpan(quota.measured) })}
      ${" "}${quota.gone_in !== null && t("bridge.quota.gone", { events: formatCount(quota.monthly_events), span: formatSpan(quota.gone_in) })}
      ${" "}${t(tooFast ? "bridge.quota.tooFast" : "bridge.quota.pace", { most: formatCount(quota.most_hourly) })}
    </p>`;
}

/** @param {{status: Record<string, any>}} props */
export function Destinations({ status: { destinations } }) {
  return html`
    <${Panel} id="destinations" title=${t("bridge.destinations.title")}>
      ${Object.entries(destinations).map(([name, one]) => html`
        <div class="part" key=${name} data-destination=${name}>
          <h3 dir="auto">${name} <small>${one.type}</small></h3>
          <${State} state=${one.state === "ok" ? "ok" : "trouble"} text=${t(`bridge.state.${one.state}`)} />
          ${one.detail && html`
            <p class="part-detail">${one.detail}</p>
            <p class="part-note">${t(`bridge.advice.${one.state}`)} ${t("bridge.sources.sinceTime", { time: formatTime(one.since, now() - one.since) })}</p>`}
          <p class="part-note">
            ${t("bridge.destinations.counts", { delivered: formatCount(one.delivered), refused: formatCount(one.refused), kept: formatCount(one.kept) })}
            ${" "}${one.kept > 0 && one.empty_in !== null ? t("bridge.destinations.empty", { span: formatSpan(one.empty_in) }) : ""}
            ${one.last_success ? ` ${t("bridge.destinations.last", { ago: formatAgo(now() - one.last_success) })}` : ""}
          </p>
          ${one.quota && html`<${Quota} quota=${one.quota} />`}
        </div>`)}
    <//>`;
}

/** @param {{status: Record<string, any>}} props */
export function Drops({ status: { drops, rates } }) {
  const reasons = Object.entries(drops).sort(([, one], [, other]) => other - one);
  return html`
    <${Panel} id="dropped" title=${t("bridge.dropped.title")}>
      ${reasons.length === 0 ? html`<p class="part-note">${t("bridge.dropped.none")}</p>` : html`
        <dl class="facts">${reasons.map(([reason, count]) => html`<${Fact} term=${reason}>${formatCount(count)}<//>`)}</dl>
        <p class="part-note">${t("bridge.dropped.explained")} ${rates.dropped ? formatRate(rates.dropped) : ""}</p>`}
    <//>`;
}

/** @param {{status: Record<string, any>}} props */
export function Rules({ status: { rules } }) {
  return html`
    <${Panel} id="rules" title=${t("bridge.rules.title")} wide=${true}>
      <div class="scroll" tabindex="0"><table class="table">
        <thead><tr>
          <th>${t("bridge.rules.rule")}</th><th class="number">${t("bridge.rules.messages")}</th>
          <th class="number">${t("bridge.rules.rejected")}</th><th>${t("bridge.rules.last")}</th>
        </tr></thead>
        <tbody>${rules.map((/** @type {any} */ rule) => html`
          <tr key=${rule.rule} data-rule=${rule.rule}>
            <td><b dir="auto">${rule.rule}</b><code dir="auto">${rule.filter}</code></td>
            <td class="number">${formatCount(rule.messages)}</td>
            <td class="number" data-some=${String(rule.rejected > 0)}>${formatCount(rule.rejected)}</td>
            <td>${rule.at ? html`<code dir="auto">${rule.topic}</code><small>${formatAgo(now() - rule.at)}</small>` : t("bridge.rules.never")}</td>
          </tr>`)}</tbody>
      </table></div>
      ${rules.length === 0 && html`<p class="part-note">${t("bridge.rules.none")}</p>`}
    <//>`;
}
