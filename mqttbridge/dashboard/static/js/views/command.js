/** Something to put into a shell or a file, with a button that copies it. */

import { html, useState } from "../../vendor/htm-preact.module.js";
import { t } from "../i18n.js";

/** @param {{text: string}} props */
export function Command({ text }) {
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
        <button class="button" type="button" onClick=${copy}>${t(copied ? "common.copied" : "common.copy")}</button>`}
    </div>`;
}
