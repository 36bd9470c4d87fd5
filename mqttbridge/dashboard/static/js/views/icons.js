/** The page's few pictures, drawn here so that they take the text's colour. */

import { html } from "../../vendor/htm-preact.module.js";

/** @param {string} path SVG path data in a 16 x 16 box */
const icon = (path) => html`
  <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" fill="none" stroke="currentColor"
    stroke-width="1.7" stroke-linecap="round" stroke-linejoin="round"><path d=${path} /></svg>`;

export const PauseIcon = () => icon("M5.5 3.5v9M10.5 3.5v9");
export const LiveIcon = () => icon("M4 3.2 12 8l-8 4.8z");
export const RefreshIcon = () => icon("M13 8a5 5 0 1 1-1.6-3.7M13 2.2v3h-3");
export const BackIcon = () => icon("M9.5 3.5 5 8l4.5 4.5");
export const MoonIcon = () => icon("M13 9.6A5.4 5.4 0 0 1 6.4 3 5.4 5.4 0 1 0 13 9.6z");
export const SunIcon = () =>
  icon("M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6zM8 1.2v1.3M8 13.5v1.3M1.2 8h1.3M13.5 8h1.3M3.2 3.2l.9.9M11.9 11.9l.9.9M3.2 12.8l.9-.9M11.9 4.1l.9-.9");
export const FlowIcon = () => icon("M1.5 4h3l6.5 8h3.5M1.5 12h3l2-2.4M9 6.4 11 4h3.5M12.6 2.2 14.5 4l-1.9 1.8M12.6 10.2 14.5 12l-1.9 1.8");
