/** Whether what was arranged is on the server, and who was first when it is not. */

/** @import { KeptBoard } from "./kept.js" */

import { html } from "../../vendor/htm-preact.module.js";
import { now } from "../clock.js";
import { formatTime } from "../format.js";
import { t } from "../i18n.js";

/** @param {{kept: KeptBoard}} props */
export function SaveState({ kept }) {
  const { winner, problem, state } = kept;
  if (winner) {
    const at = winner.at ? formatTime(winner.at, now() - winner.at) : "";
    return html`
      <span class="save-state save-conflict" role="alert" data-state="conflict">
        ${t(winner.version ? "board.conflict" : "board.conflictDeleted", { at })}
        <button class="button" type="button" data-action="theirs" onClick=${() => kept.load()}>${t("board.loadTheirs")}</button>
        <button class="button" type="button" data-action="mine" onClick=${() => kept.keepMine()}>${t("board.keepMine")}</button>
      </span>`;
  }
  const words = state === "failed" ? t(problem) : t(state === "saving" ? "board.saving" : "board.saved");
  return html`<span class="save-state" role="status" data-state=${state}>${words}</span>`;
}
