/** One share link in a list: whose it is, how long it is good for, and the button that revokes it. */

/** @import { Link } from "../access/api.js" */

import { html, useState } from "../../vendor/htm-preact.module.js";
import { revokeLink } from "../access/api.js";
import { day, inWords } from "../access/words.js";
import { t } from "../i18n.js";

/** @param {{link: Link, onRevoked: () => void, children?: any}} props */
export function LinkEntry({ link, onRevoked, children }) {
  const [problem, setProblem] = useState("");
  const revoke = async () => {
    if (!confirm(t("settings.links.sure", { label: link.label || t("settings.unnamed") }))) return;
    try {
      await revokeLink(link.id);
      onRevoked();
    } catch (error) {
      setProblem(inWords(error));
    }
  };
  const until = link.expires === null ? t("settings.links.for_ever")
    : t(link.expired ? "settings.links.was_until" : "settings.links.until", { day: day(link.expires) });
  return html`
    <li class="entry" data-link=${link.id} data-expired=${String(link.expired)}>
      <span class="entry-name" dir="auto">${link.label || t("settings.unnamed")} ${children && html`<span class="entry-of">${children}</span>`}</span>
      <span class="entry-facts">${until} · ${t("settings.used", { day: day(link.used) })}</span>
      <button class="button" type="button" onClick=${revoke}>${t("settings.revoke")}</button>
      ${problem && html`<span class="problem" role="alert">${problem}</span>`}
    </li>`;
}
