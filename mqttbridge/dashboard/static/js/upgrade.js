/** A page that stays open while the server is upgraded, as one on a wall does. */

/** Whoever is at work is left alone: the next restart, or a part that the page lacks, is soon enough. */
const AT_WORK = "dialog[open], .edit-bar";

/** The server was started anew: where it is of another version than the page, the page begins anew, too. */
export async function followUpgrade() {
  const own = document.querySelector('script[type="module"]')?.getAttribute("src");
  if (!own || document.querySelector(AT_WORK)) return;
  try {
    // Only what is of the server's own version may be kept for ever.
    const { ok, url, headers } = await fetch(own, { method: "HEAD", cache: "no-store" });
    if (ok && !headers.get("cache-control")?.includes("immutable")) await import(new URL("outdated.js", url).href);
  } catch {
    // It is away again, or the page is on its way.
  }
}
