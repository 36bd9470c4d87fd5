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
export const RangeIcon = () => icon("M2.5 4h11v9.5h-11zM2.5 7h11M5.5 2.2V5M10.5 2.2V5");
export const MeasureIcon = () => icon("M4 2v12M12 2v12M4 8h8M6 6 4 8l2 2M10 6l2 2-2 2");
export const DownloadIcon = () => icon("M8 2v8M4.8 7 8 10.2 11.2 7M2.5 13.5h11");
export const CloseIcon = () => icon("M4 4l8 8M12 4l-8 8");
export const UpIcon = () => icon("M8 13V3.5M4 7l4-3.8L12 7");
export const DownIcon = () => icon("M8 3v9.5M4 9l4 3.8L12 9");
export const MoonIcon = () => icon("M13 9.6A5.4 5.4 0 0 1 6.4 3 5.4 5.4 0 1 0 13 9.6z");
export const SunIcon = () =>
  icon("M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6zM8 1.2v1.3M8 13.5v1.3M1.2 8h1.3M13.5 8h1.3M3.2 3.2l.9.9M11.9 11.9l.9.9M3.2 12.8l.9-.9M11.9 4.1l.9-.9");
