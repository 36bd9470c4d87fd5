import { html, useEffect, useState } from "../../vendor/htm-preact.module.js";
import { t } from "../i18n.js";
import { currentTheme, onThemeChange, toggleTheme } from "../theme.js";
import { MoonIcon, SunIcon } from "./icons.js";

export function ThemeButton() {
  const [theme, setTheme] = useState(currentTheme());
  useEffect(() => onThemeChange(() => setTheme(currentTheme())), []);
  const words = t(theme === "dark" ? "common.toLight" : "common.toDark");
  return html`
    <button class="button button-icon" type="button" onClick=${toggleTheme}
      aria-label=${words} title=${words}>
      <${theme === "dark" ? SunIcon : MoonIcon} />
    </button>`;
}
