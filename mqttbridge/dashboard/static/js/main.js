/** The page's beginning: the address says which view it is. Only the view that is shown is loaded. */

import { bucketOfPage, figureOfPage, viewOfPage } from "./api.js";
import { beginEmbedding } from "./embed.js";
import { useLanguage } from "./i18n.js";

beginEmbedding();
await useLanguage();

const root = /** @type {HTMLElement} */ (document.getElementById("app"));
const bucket = bucketOfPage(location.pathname);
const figure = figureOfPage(location.pathname);

if (location.pathname === "/alerts") {
  const { showAlerts } = await import("./alerts/page.js");
  await showAlerts(root);
} else if (location.pathname === "/login") {
  const { showLogin } = await import("./login/page.js");
  await showLogin(root);
} else if (location.pathname === "/settings") {
  const { showSettings } = await import("./settings/page.js");
  await showSettings(root);
} else if (figure !== null) {
  const { showFigure } = await import("./figure/page.js");
  await showFigure(root, figure);
} else if (location.pathname === "/bridge") {
  const { showBridge } = await import("./bridge/page.js");
  await showBridge(root);
} else if (bucket === null) {
  const { showShelf } = await import("./views/shelf.js");
  await showShelf(root);
} else if (viewOfPage(location.pathname) === "waves") {
  const { showWaves } = await import("./waves/page.js");
  showWaves(root, bucket);
} else if (viewOfPage(location.pathname) === "source") {
  const { showSource } = await import("./source/page.js");
  showSource(root, bucket);
} else {
  const { showBoard } = await import("./board/page.js");
  showBoard(root, bucket);
}
