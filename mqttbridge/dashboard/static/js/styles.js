/** Style sheets that only one view or dialog needs: loaded with it. */

/** @type {Map<string, Promise<void>>} */
const loading = new Map();

/**
 * @param {string} name of a file in css/, without its ending
 * @returns {Promise<void>} when it holds; a sheet that cannot be had keeps nobody waiting
 */
export function useStyles(name) {
  let loaded = loading.get(name);
  if (!loaded) {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = `/static/css/${name}.css`;
    loaded = new Promise((resolve) => {
      link.onload = link.onerror = () => resolve();
    });
    loading.set(name, loaded);
    document.head.append(link);
  }
  return loaded;
}
