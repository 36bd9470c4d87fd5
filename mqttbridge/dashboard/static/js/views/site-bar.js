/** The head of the pages that are not a bucket's: the places there are, and which of them this is. */

/** @import { Place } from "./places.js" */

import { html } from "../../vendor/htm-preact.module.js";
import { t } from "../i18n.js";
import { PLACES } from "./places.js";
import { ThemeButton } from "./theme-button.js";

/** @param {{place: Place, badge?: any, children?: any}} props `badge` stands beside the name, children before the theme's button */
export function SiteBar({ place, badge, children }) {
  return html`
    <header class="bar bar-site">
      <div class="bar-title">
        <a class="brand" href="/"><img src="/static/favicon.svg" width="26" height="26" alt="" />mqttbridge</a>
        <h1 class="visually-hidden">${t(`common.places.${place}`)}</h1>
        ${badge}
      </div>
      <nav class="tabs" aria-label=${t("common.placesLabel")}>
        ${PLACES.map(([one, href]) => html`
          <a href=${href} data-place=${one} aria-current=${one === place ? "page" : undefined}>${t(`common.places.${one}`)}</a>`)}
      </nav>
      <div class="bar-tools">${children}<${ThemeButton} /></div>
    </header>`;
}
