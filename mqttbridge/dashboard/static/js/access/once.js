/** A secret that is shown this once, with a button that copies it. */

import { html, useRef, useState } from "../../vendor/htm-preact.module.js";
import { t } from "../i18n.js";

const COPIED_MS = 2000;

/**
 * A text to copy. Browsers offer the clipboard on localhost and over HTTPS only; elsewhere the text is selected.
 * @param {{label: string, text: string}} props
 */
export function Copyable({ label, text }) {
  const field = useRef(null);
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    const input = /** @type {HTMLInputElement | null} */ (/** @type {unknown} */ (field.current));
    input?.select();
    if (!navigator.clipboard) return;
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), COPIED_MS);
  };
  return html`
    <label class="copyable">
      <span>${label}</span>
      <span class="copyable-row">
        <input class="input" ref=${field} readonly value=${text} onFocus=${(/** @type {any} */ event) => event.target.select()} />
        <button class="button" type="button" onClick=${copy}>${copied ? t("common.copied") : t("common.copy")}</button>
      </span>
    </label>`;
}

/** @param {{title: string, children?: any}} props */
export function Once({ title, children }) {
  return html`
    <div class="once" role="status">
      <p><strong>${title}</strong> ${t("settings.once")}</p>
      ${children}
    </div>`;
}
