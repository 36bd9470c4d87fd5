/** The flow as a drawing: what comes in, what becomes of it, where it goes, and how fast. */

import { html } from "../../vendor/htm-preact.module.js";
import { Spark, sparkPath } from "../charts/spark.js";
import { t } from "../i18n.js";
import { formatCount, formatRate, formatSize, formatSpan } from "../words.js";

/** How lively a stretch of the way is drawn: still, slow, brisk, fast. */
const pace = (/** @type {number | null} */ rate) => (!rate ? 0 : rate < 2 ? 1 : rate < 50 ? 2 : 3);

/** Five minutes by five seconds: a bridge that has just started fills its small charts from the right. */
const POINTS = 60;

/** @param {{rates?: number[], label: string}} props */
function History({ rates = [], label }) {
  if (rates.length < 2) return html`<div class="spark" />`;
  const xs = rates.map((_, i) => i - rates.length);
  return html`<${Spark} path=${sparkPath(xs, rates, [-POINTS, -1], { fromZero: true })} label=${label} />`;
}

/** @param {{name: string, title: string, rate: number | null, facts: any[], state?: string, history?: number[], children?: any}} props */
const Station = ({ name, title, rate, facts, state = "", history, children }) => html`
  <div class="station" data-station=${name} data-state=${state}>
    <h3 dir="auto">${title}</h3>
    <p class="station-rate">${formatRate(rate)}</p>
    <${History} rates=${history} label=${t("bridge.history", { name: title })} />
    ${facts.filter(Boolean).map((fact) => html`<p class="station-fact">${fact}</p>`)}
    ${children}
  </div>`;

/** @param {{rate: number | null}} props */
const Way = ({ rate }) => html`<div class="way" data-pace=${String(pace(rate))} aria-hidden="true"></div>`;

/** @param {{name: string, count: number, rate: number | null, href: string}} props */
const Branch = ({ name, count, rate, href }) => html`
  <a class="branch" href=${href} data-branch=${name} data-some=${String(count > 0)}>
    <span>${t(`bridge.flow.${name}`)}</span> <b>${formatCount(count)}</b>
    ${rate ? html`<em>${formatRate(rate)}</em>` : ""}</a>`;

/** @param {{status: Record<string, any>}} props */
export function Flow({ status }) {
  const { broker, counts, rates, charts, spool, destinations, received, lag } = status;
  const history = charts?.rates ?? {};
  const names = Object.keys(destinations);
  const sources = Object.entries(received).map(([source, count]) =>
    t(`bridge.source.${source}`, { count: formatCount(Number(count)) }));
  return html`
    <section class="flow" aria-label=${t("bridge.flow.title")}>
      <${Station} name="received" title=${t("bridge.flow.received")} rate=${rates.received} history=${history.received}
        state=${broker && broker.state !== "connected" ? "trouble" : ""}
        facts=${[t("bridge.messages", { count: formatCount(counts.received) }), ...(sources.length > 1 ? sources : [])]}>
        <${Branch} name="unmatched" count=${counts.unmatched} rate=${rates.unmatched} href="#unmatched" />
        <${Branch} name="rejected" count=${counts.rejected} rate=${rates.rejected} href="#rejected" />
        <${Branch} name="dropped" count=${counts.dropped} rate=${rates.dropped} href="#dropped" />
      <//>
      <${Way} rate=${rates.matched} />
      <${Station} name="matched" title=${t("bridge.flow.matched")} rate=${rates.matched}
        facts=${[t("bridge.messages", { count: formatCount(counts.matched) }), t("bridge.rulesCount", { count: status.rules.length })]} />
      <${Way} rate=${rates.spooled} />
      <${Station} name="spooled" title=${t("bridge.flow.spooled")} rate=${rates.spooled} history=${history.spooled}
        state=${spool.writable ? "" : "trouble"}
        facts=${[
          t("bridge.events", { count: formatCount(counts.spooled) }),
          lag !== null && t("bridge.lag", { span: formatSpan(lag) }),
          t("bridge.onDisk", { size: formatSize(spool.bytes) }),
        ]} />
      <div class="fan">
        ${names.map((name) => {
          const one = destinations[name];
          return html`
            <div class="fan-arm">
              <${Way} rate=${one.rate} />
              <${Station} name=${`to ${name}`} title=${name} rate=${one.rate} history=${history[`delivered ${name}`]}
                state=${one.state === "ok" ? "ok" : "trouble"}
                facts=${[
                  t(`bridge.state.${one.state}`),
                  one.kept > 0 && t("bridge.waiting", { count: formatCount(one.kept) }),
                  one.lag !== null && t("bridge.lag", { span: formatSpan(one.lag) }),
                ]} />
            </div>`;
        })}
        ${names.length === 0 && html`<p class="nothing">${t("bridge.noDestination")}</p>`}
      </div>
    </section>`;
}
