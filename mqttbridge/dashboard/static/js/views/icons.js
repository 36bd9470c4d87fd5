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
export const ShareIcon = () =>
  icon("M8 10V2M5.2 4.6 8 1.8l2.8 2.8M4.6 7H3.6a1 1 0 0 0-1 1v5a1 1 0 0 0 1 1h8.8a1 1 0 0 0 1-1V8a1 1 0 0 0-1-1h-1");
export const SettingsIcon = () =>
  icon("M1.8 4.5h6.4M11.8 4.5h2.4M1.8 11.5h2.4M7.8 11.5h6.4M10 2.7a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6zM6 9.7a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6z");
