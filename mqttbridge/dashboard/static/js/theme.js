/** Light and dark: the system's choice until the viewer makes one, which is then remembered. */

const KEY = "mqttbridge.theme";
const root = document.documentElement;
const systemDark = matchMedia("(prefers-color-scheme: dark)");

/** @returns {"light" | "dark"} */
export function currentTheme() {
  const chosen = root.dataset.theme;
  if (chosen === "light" || chosen === "dark") return chosen;
  return systemDark.matches ? "dark" : "light";
}

/** Change to the other theme and remember it. */
export function toggleTheme() {
  const theme = currentTheme() === "dark" ? "light" : "dark";
  root.dataset.theme = theme;
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // Storage may be forbidden; the choice then lasts as long as the page.
  }
  dispatchEvent(new Event("themechange"));
}

/**
 * Call back whenever the colours change, by the viewer or by the system.
 * @param {() => void} callback
 */
export function onThemeChange(callback) {
  addEventListener("themechange", callback);
  systemDark.addEventListener("change", callback);
}
