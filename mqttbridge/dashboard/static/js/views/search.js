/** The key for finding: `/` goes to the search field, where there is one; Esc leaves it. */

export function focusSearch() {
  addEventListener("keydown", (event) => {
    const field = /** @type {HTMLInputElement | null} */ (document.querySelector(".search"));
    if (!field || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && event.target === field) field.blur();
    if (event.key !== "/" || (event.target instanceof Element && event.target.matches("input, textarea, select"))) return;
    event.preventDefault();
    field.focus();
    field.select();
  });
}
