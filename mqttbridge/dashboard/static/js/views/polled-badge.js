/** Whether a page that asks again and again is up to date, said in words, as the badge of a bucket's page does. */

/** @import { Polled } from "../polled.js" */

import { html, useEffect, useState } from "../../vendor/htm-preact.module.js";
import { formatTime } from "../format.js";
import { t } from "../i18n.js";

/** @param {{polled: Polled<any>}} props */
export function PolledBadge({ polled }) {
  const [, redraw] = useState(0);
  useEffect(() => {
    // "Reconnecting" becomes "stale" by the passing of time alone.
    const timer = setInterval(() => redraw((/** @type {number} */ count) => count + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  const { state } = polled;
  return html`
    <p class="badge" role="status" data-state=${state}><i class="dot" aria-hidden="true"></i>
      <span class="badge-words">${t(`common.state.${state}`, { time: formatTime(polled.knownUntil) })}</span></p>`;
}
