/** What a first visitor sees: how to get the first values in, with this server's own address. */

import { html, useState } from "../../vendor/htm-preact.module.js";
import { t } from "../i18n.js";
import { useStyles } from "../styles.js";

await useStyles("shelf");

/** @param {{text: string}} props */
function Command({ text }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 2000);
  };
  // Browsers offer the clipboard on localhost and over HTTPS only; elsewhere a click selects the text (CSS).
  return html`
    <div class="command">
      <pre><code>${text}</code></pre>
      ${navigator.clipboard && html`
        <button class="button" type="button" onClick=${copy}>${copied ? "Copied" : "Copy"}</button>`}
    </div>`;
}

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

/** @param {{bucket?: string}} props */
export function Welcome({ bucket }) {
  return html`
    <section class="welcome" data-view="welcome">
      <h2>${bucket ? "No values in this bucket yet" : "No values yet"}</h2>
      <p>This page fills by itself as soon as the first value arrives. Send one now:</p>
      <${Command} text=${curlLine(bucket || "hello")} />
      <p>Or connect a broker; every topic gets its chart:</p>
      <${Command} text="mqttbridge run --broker mqtt://localhost:1883" />
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
