/** Whether what was arranged is on the server, and who was first when it is not. */

/** @import { Arrangement } from "./arrangement.js" */

import { html } from "../../vendor/htm-preact.module.js";
import { now } from "../clock.js";
import { formatTime } from "../format.js";
import { t } from "../i18n.js";

/** @param {{arrangement: Arrangement}} props */
export function SaveState({ arrangement }) {
  const { winner, problem, state } = arrangement;
  if (winner) {
    const at = winner.at ? formatTime(winner.at, now() - winner.at) : "";
    return html`
      <span class="save-state save-conflict" role="alert" data-state="conflict">
        ${t(winner.version ? "board.conflict" : "board.conflictDeleted", { at })}
        <button class="button" type="button" data-action="theirs" onClick=${() => arrangement.load()}>${t("board.loadTheirs")}</button>
        <button class="button" type="button" data-action="mine" onClick=${() => arrangement.keepMine()}>${t("board.keepMine")}</button>
      </span>`;
  }
  const words = state === "failed" ? t(problem) : t(state === "saving" ? "board.saving" : "board.saved");
  return html`<span class="save-state" role="status" data-state=${state}>${words}</span>`;
}
