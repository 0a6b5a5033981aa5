// The service worker of the phone app: its page and files from the device first, everything else from the network.
// `self.ANZE` is set by the server in front of this: the version, the page's address, the files to keep.
const { version, shell, keep } = self.ANZE;
const CACHE = `visits-${version}`;

self.addEventListener("install", (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(CACHE);
      await cache.addAll([new Request(shell, { cache: "reload" }), ...keep]);
      await self.skipWaiting();
    })(),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys()) if (name.startsWith("visits-") && name !== CACHE) await caches.delete(name);
      await self.clients.claim();
    })(),
  );
});

/** The page at once from the device; a new version is fetched by the browser's own check of this worker. */
const kept = async (request) => {
  const cache = await caches.open(CACHE);
  return (await cache.match(request, { ignoreVary: true })) ?? fetch(request);
};

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  if (event.request.mode === "navigate" && url.pathname === shell) event.respondWith(kept(shell));
  else if (url.pathname.startsWith("/static/")) event.respondWith(fontsToo(event.request, url));
});

/** Static files carry the fingerprint of their content; a face of the web font is kept once it was needed. */
const fontsToo = async (request, url) => {
  const cache = await caches.open(CACHE);
  const found = await cache.match(request, { ignoreVary: true });
  if (found) return found;
  const answer = await fetch(request);
  if (answer.ok && url.pathname.includes("/fonts/")) await cache.put(request, answer.clone());
  return answer;
};

// The browser wakes us when there is a network again: whoever has the app open sends what waits.
self.addEventListener("sync", (event) => {
  if (event.tag !== "visits") return;
  event.waitUntil(self.clients.matchAll({ includeUncontrolled: true }).then((all) => all.forEach((each) => each.postMessage("send"))));
});
