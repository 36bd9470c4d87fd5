/** Styles of a view that few visit, loaded with it, so that the others stay light. */

/**
 * @param {string} name of a file in css/
 * @returns {Promise<void>} when it holds, or cannot be had
 */
export function useStylesheet(name) {
  return new Promise((resolve) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = `/static/css/${name}.css`;
    link.onload = link.onerror = () => resolve();
    document.head.append(link);
  });
}
