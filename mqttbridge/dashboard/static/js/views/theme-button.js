import { html, useEffect, useState } from "../../vendor/htm-preact.module.js";
import { currentTheme, onThemeChange, toggleTheme } from "../theme.js";
import { MoonIcon, SunIcon } from "./icons.js";

export function ThemeButton() {
  const [theme, setTheme] = useState(currentTheme());
  useEffect(() => onThemeChange(() => setTheme(currentTheme())), []);
  const other = theme === "dark" ? "light" : "dark";
  return html`
    <button class="button button-icon" type="button" onClick=${toggleTheme}
      aria-label=${`Change to ${other} colours`} title=${`Change to ${other} colours`}>
      <${theme === "dark" ? SunIcon : MoonIcon} />
    </button>`;
}
