/** What a first visitor sees: how to get the first values in, with this server's own address. */

import { html, useEffect, useState } from "../../vendor/htm-preact.module.js";
import { fetchStatus } from "../api.js";
import { t } from "../i18n.js";
import { useStyles } from "../styles.js";
import { Command } from "./command.js";

await useStyles("shelf");

/**
 * A line for the shell that sends one value here.
 * @param {string} bucket any name: encoded, it cannot end the quotes it stands in
 */
function curlLine(bucket) {
  const key = encodeURIComponent(bucket).replaceAll("'", "%27");
  const loopback = /^(localhost|127\.|\[::1\])/.test(location.hostname);
  const access = loopback ? "" : "&accessKey=YOUR_WRITE_KEY";
  return `curl '${location.origin}/api/events?bucketKey=${key}${access}&room.temperature=21.5'`;
}

/**
 * A line for the shell that publishes one value at the bridge's broker, as seen from this browser's machine.
 * @param {string} url as in mqtt://localhost:1883; null where it is of another kind
 */
function publishLine(url) {
  const [, host, port] = /^mqtts?:\/\/(\[[0-9a-fA-F:]+\]|[\w.-]+)(?::(\d+))?\/?$/.exec(url) ?? [];
  if (!host || url.startsWith("mqtts")) return null;
  const local = /^(localhost|127\.|\[::1\])/.test(host);
  const there = (local ? location.hostname : host).replace(/[[\]]/g, "");
  return `mosquitto_pub -h ${there}${port && port !== "1883" ? ` -p ${port}` : ""} -t hello/room/temperature -m 21.5`;
}

/** @param {{broker: Record<string, any>}} props */
function Broker({ broker }) {
  const line = publishLine(broker.url);
  const connected = broker.state === "connected";
  return html`
    <p>${t(connected ? "shelf.welcome.connected" : "shelf.welcome.notConnected", { url: broker.url })}
      ${!connected && broker.detail ? ` ${broker.detail}` : ""}</p>
    ${line && html`<${Command} text=${line} />`}
    <p><a href="/bridge#unmatched">${t("shelf.welcome.bridge")}</a></p>`;
}

/** @param {{bucket?: string}} props */
export function Welcome({ bucket }) {
  const [broker, setBroker] = useState(/** @type {Record<string, any> | null} */ (null));
  useEffect(() => {
    fetchStatus().then((status) => setBroker(status.broker ?? null), () => {});
  }, []);
  return html`
    <section class="welcome" data-view="welcome">
      <h2>${t(bucket ? "shelf.welcome.bucketTitle" : "shelf.welcome.title")}</h2>
      <p>${t("shelf.welcome.first")}</p>
      <${Command} text=${curlLine(bucket || "hello")} />
      ${broker ? html`<${Broker} broker=${broker} />` : html`
        <p>${t("shelf.welcome.broker")}</p>
        <${Command} text="mqttbridge run --broker mqtt://localhost:1883" />`}
    </section>`;
}

/** The page of somebody who may not read, or not any more. */
export function Denied() {
  const next = new URLSearchParams({ next: location.pathname + location.search + location.hash });
  return html`
    <section class="welcome" data-view="denied">
      <h2>${t("settings.denied.title")}</h2>
      <p>${t("settings.denied.text")}</p>
      <p><a class="button button-strong" href=${`/login?${next}`}>${t("settings.login.sign_in")}</a></p>
    </section>`;
}
