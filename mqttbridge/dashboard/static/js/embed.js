/**
 * A board in another site's frame: bare, and by its share link alone.
 *
 * Browsers give a frame of another site no cookies, so the link's token goes with each request to our API; and so
 * that whoever embeds a board shows what the link shows and no more, cookies are left out even where there are some.
 * It is done here, around `fetch` and `EventSource`, so that no view needs to know where it is.
 */

const query = new URLSearchParams(location.search);

/** Whether this page stands in a frame of another site, without our head. */
export const embedded = query.get("embed") === "1" && location.pathname.startsWith("/b/");

const token = query.get("token");

/**
 * @param {string | URL} address
 * @returns {URL | null} the address, where it is one of our API
 */
function ofApi(address) {
  const url = new URL(address, location.href);
  return url.origin === location.origin && url.pathname.startsWith("/api/") ? url : null;
}

/** Before anything is asked for. */
export function beginEmbedding() {
  if (!embedded) return;
  document.documentElement.dataset.embed = "true";
  if (token === null) return;
  const plainFetch = globalThis.fetch.bind(globalThis);
  globalThis.fetch = (input, init = {}) => {
    const url = ofApi(input instanceof Request ? input.url : input);
    if (url === null) return plainFetch(input, init);
    const headers = new Headers(init.headers ?? (input instanceof Request ? input.headers : undefined));
    headers.set("Authorization", `Bearer ${token}`);
    return plainFetch(input, { ...init, headers, credentials: "omit" });
  };
  const PlainEventSource = globalThis.EventSource;
  globalThis.EventSource = class extends PlainEventSource {
    /**
     * @param {string | URL} address
     * @param {EventSourceInit} [init]
     */
    constructor(address, init) {
      const url = ofApi(address);
      url?.searchParams.set("token", token ?? "");
      super(url ?? address, init);
    }
  };
}
