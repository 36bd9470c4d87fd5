/** Lines across the page when something keeps it from being true: no broker, a full spool, a clock that is off. */

/** @import { Trouble } from "../types.js" */

import { html, useEffect, useState } from "../../vendor/htm-preact.module.js";
import { fetchStatus } from "../api.js";
import { clockAhead } from "../clock.js";
import { formatAge } from "../format.js";
import { t } from "../i18n.js";

const POLL_MS = 10_000;

/** Messages that were rejected so lately are worth a line. */
const REJECTED_MS = 5 * 60_000;

/** A viewer's clock that is off by so many seconds is worth a line; less is the network's part. */
const SKEW_S = 30;

/**
 * @param {Record<string, any>} status
 * @returns {Trouble | null}
 */
function troubleOf({ broker, spool }) {
  if (broker && broker.state !== "connected") {
    const why = [broker.state, broker.detail].filter(Boolean).join(": ");
    return { badge: t("common.notice.noBroker"), text: t("common.notice.noBrokerText", { why }) };
  }
  if (spool?.writable === false) {
    const text = spool.error ? t("common.notice.notStoringWhy", { why: spool.error }) : t("common.notice.notStoringText");
    return { badge: t("common.notice.notStoring"), text };
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
  const [ahead, setAhead] = useState(0);
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
      setAhead(clockAhead());
      timer = setTimeout(look, POLL_MS);
    };
    look();
    return () => clearTimeout(timer);
  }, []);
  return html`
    <div role="status">
      ${trouble && html`<p class="notice" data-notice="bridge">${trouble.text} <a href="/bridge">${t("common.notice.more")}</a></p>`}
      ${Math.abs(ahead) >= SKEW_S && html`
        <p class="notice notice-quiet" data-notice="clock">
          ${t(ahead > 0 ? "common.notice.clockAhead" : "common.notice.clockBehind", { span: formatAge(Math.abs(ahead)) })}</p>`}
      ${rejected > 0 && html`
        <p class="notice notice-quiet" data-notice="rejected">
          ${t("common.notice.rejected", { count: rejected })}
          ${" "}<a href="/bridge#rejected">${t("common.notice.seeRejected")}</a></p>`}
    </div>`;
}
