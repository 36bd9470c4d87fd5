/** The page's beginning: the address says which view it is. Only the view that is shown is loaded. */

import { bucketOfPage, figureOfPage } from "./api.js";
import { useLanguage } from "./i18n.js";

await useLanguage();

const root = /** @type {HTMLElement} */ (document.getElementById("app"));
const bucket = bucketOfPage(location.pathname);
const figure = figureOfPage(location.pathname);

if (figure !== null) {
  const { showFigure } = await import("./figure/page.js");
  showFigure(root, figure);
} else if (location.pathname === "/bridge") {
  const { showBridge } = await import("./bridge/page.js");
  showBridge(root);
} else if (bucket === null) {
  const { showShelf } = await import("./views/shelf.js");
  showShelf(root);
} else {
  const { showBoard } = await import("./views/board.js");
  showBoard(root, bucket);
}
