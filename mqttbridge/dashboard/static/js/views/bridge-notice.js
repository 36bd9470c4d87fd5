/** A line across the page when the bridge itself has trouble that a viewer should know of: no broker, a full spool. */

/** @import { Trouble } from "../types.js" */

import { html, useEffect, useState } from "../../vendor/htm-preact.module.js";
import { fetchStatus } from "../api.js";
import { t } from "../i18n.js";

const POLL_MS = 10_000;

/** Messages that were rejected so lately are worth a line. */
const REJECTED_MS = 5 * 60_000;

/**
 * @param {Record<string, any>} status
 * @returns {Trouble | null}
 */
function troubleOf({ broker, spool }) {
  if (broker && broker.state !== "connected") {
    const why = [broker.state, broker.detail].filter(Boolean).join(": ");
    return { badge: t("common.noBroker"), text: t("common.noBrokerWhy", { why }) };
  }
  if (spool?.writable === false) {
    return { badge: t("common.notStoring"), text: t(spool.error ? "common.notStoringWhy" : "common.notStoringNow", { why: spool.error ?? "" }) };
  }
  return null;
}

/** How many messages were rejected of late, from a counter that is read again and again. */
export class RecentlyRejected {
  constructor() {
    /** @type {{at: number, count: number}[]} the oldest first */
    this._seen = [];
  }

  /**
   * @param {number} count since the bridge began
   * @param {number} at milliseconds
   */
  count(count, at) {
    // A bridge that started anew counts from 0 again.
    if (count < (this._seen.at(-1)?.count ?? 0)) this._seen = [{ at, count: 0 }];
    this._seen.push({ at, count });
    while (this._seen[0].at < at - REJECTED_MS) this._seen.shift();
    return count - this._seen[0].count;
  }
}

/** @param {{onTrouble?: (trouble: Trouble | null) => void}} props */
export function BridgeNotice({ onTrouble }) {
  const [trouble, setTrouble] = useState(/** @type {Trouble | null} */ (null));
  const [rejected, setRejected] = useState(0);
  useEffect(() => {
    let timer = 0;
    const recently = new RecentlyRejected();
    const look = async () => {
      // A server that does not answer is told of by the connection's own state.
      const status = document.hidden ? undefined : await fetchStatus().catch(() => null);
      if (status !== undefined) {
        const found = status && troubleOf(status);
        setTrouble(found);
        onTrouble?.(found);
      }
      if (status?.counts) setRejected(recently.count(status.counts.rejected, performance.now()));
      timer = setTimeout(look, POLL_MS);
    };
    look();
    return () => clearTimeout(timer);
  }, []);
  return html`
    <div role="status">
      ${trouble && html`<p class="notice" data-notice="bridge">${trouble.text}</p>`}
      ${rejected > 0 && html`
        <p class="notice notice-quiet" data-notice="rejected">
          ${t("common.rejected", { count: rejected })} <code>mqttbridge rejected ls</code>
        </p>`}
    </div>`;
}
