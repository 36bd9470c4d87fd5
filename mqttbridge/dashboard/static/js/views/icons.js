/** The page's few pictures, drawn here so that they take the text's colour. */

import { html } from "../../vendor/htm-preact.module.js";

/** @param {string} path SVG path data in a 16 x 16 box */
export const icon = (path) => html`
  <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" fill="none" stroke="currentColor"
    stroke-width="1.7" stroke-linecap="round" stroke-linejoin="round"><path d=${path} /></svg>`;

/** For a picture that is no component, too. */
export const BELL = "M4.2 11.2V7.4a3.8 3.8 0 0 1 7.6 0v3.8l1.2 1.3H3zM6.7 14.2h2.6";

export const BellIcon = () => icon(BELL);
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
export const ArrangeIcon = () => icon("M2.5 2.5h5v5h-5zM10 2.5h3.5v5H10zM2.5 10h5v3.5h-5zM10 10h3.5v3.5H10z");
export const PlusIcon = () => icon("M8 3v10M3 8h10");
export const UndoIcon = () => icon("M3 6.5h6.5a3.5 3.5 0 0 1 0 7H6M5.8 3.5 2.8 6.5l3 3");
export const RedoIcon = () => icon("M13 6.5H6.5a3.5 3.5 0 0 0 0 7H10M10.2 3.5l3 3-3 3");
export const GripIcon = () => icon("M8 2v12M2 8h12M6.2 3.8 8 2l1.8 1.8M6.2 12.2 8 14l1.8-1.8M3.8 6.2 2 8l1.8 1.8M12.2 6.2 14 8l-1.8 1.8");
export const EditIcon = () => icon("M3 13l.6-2.8 7.3-7.3 2.2 2.2-7.3 7.3z");
export const RemoveIcon = () => icon("M4 4l8 8M12 4l-8 8");
export const ShareIcon = () =>
  icon("M8 10V2M5.2 4.6 8 1.8l2.8 2.8M4.6 7H3.6a1 1 0 0 0-1 1v5a1 1 0 0 0 1 1h8.8a1 1 0 0 0 1-1V8a1 1 0 0 0-1-1h-1");
export const SettingsIcon = () =>
  icon("M1.8 4.5h6.4M11.8 4.5h2.4M1.8 11.5h2.4M7.8 11.5h6.4M10 2.7a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6zM6 9.7a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6z");
export const MoreIcon = () => icon("M3 8h.8M7.6 8h.8M12.2 8h.8");
