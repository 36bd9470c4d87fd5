/** Style sheets of the views that are loaded on demand. */

/**
 * @param {...string} names files in css/, without `.css`
 * @returns {Promise<unknown>} when they hold: what is measured before would be measured wrong
 */
export const useStyles = (...names) => Promise.all(names.map(use));

/** @param {string} name */
function use(name) {
  const href = `/static/css/${name}.css`;
  if (document.querySelector(`link[href="${href}"]`)) return undefined;
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = href;
  return new Promise((resolve) => {
    link.onload = link.onerror = resolve;
    document.head.append(link);
  });
}
