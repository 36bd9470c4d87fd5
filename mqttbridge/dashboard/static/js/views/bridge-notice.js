/** A line across the page when the bridge itself has trouble that a viewer should know of: no broker, a full spool. */

import { html, useEffect, useState } from "../../vendor/htm-preact.module.js";
import { fetchStatus } from "../api.js";

const POLL_MS = 10_000;

/**
 * @param {Record<string, any>} status
 * @returns {string} what is wrong, or ""
 */
function troubleOf({ broker, spool }) {
  if (broker && broker.state !== "connected") {
    return `No connection to the broker (${[broker.state, broker.detail].filter(Boolean).join(": ")}).`;
  }
  if (spool?.writable === false) {
    return `The bridge cannot store new values${spool.error ? `: ${spool.error}` : ""}.`;
  }
  return "";
}

export function BridgeNotice() {
  const [trouble, setTrouble] = useState("");
  useEffect(() => {
    let timer = 0;
    const look = async () => {
      // A server that does not answer is told of by the connection's own state.
      if (!document.hidden) setTrouble(await fetchStatus().then(troubleOf, () => ""));
      timer = setTimeout(look, POLL_MS);
    };
    look();
    return () => clearTimeout(timer);
  }, []);
  return html`<div role="status">${trouble && html`<p class="notice" data-notice="bridge">${trouble}</p>`}</div>`;
}
