// Runs before the first paint (a plain script, not a module), so that a remembered theme does not flash.
try {
  const theme = localStorage.getItem("mqttbridge.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be forbidden; then the system's theme it is.
}
