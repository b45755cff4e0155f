// The page without a network: all its files are kept when it is first seen, under any path. FILES and VERSION are filled in by the build.

const VERSION = "__VERSION__";
const FILES = "__FILES__";
const NAME = `tokenfield ${self.registration.scope}`;
const CACHE = `${NAME} ${VERSION}`;

self.addEventListener("install", (event) => {
  const keep = async () => {
    const cache = await caches.open(CACHE);
    await cache.addAll(FILES.map((path) => new Request(path, { cache: "reload" })));
  };
  event.waitUntil(keep());
});

self.addEventListener("activate", (event) => {
  const clear = async () => {
    for (const key of await caches.keys()) if (key.startsWith(`${NAME} `) && key !== CACHE) await caches.delete(key);
    await self.clients.claim();
  };
  event.waitUntil(clear());
});

// What is in the build comes from it, the page itself from the network while there is one: an old page would ask for files that are gone.
self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || new URL(request.url).origin !== location.origin) return;
  const kept = () => caches.open(CACHE).then((cache) => cache.match(request.mode === "navigate" ? "./" : request, { ignoreSearch: true }));
  if (request.mode === "navigate") event.respondWith(fetch(request.url, { cache: "no-cache", redirect: "manual" }).catch(async () => (await kept()) ?? Response.error()));
  else event.respondWith(kept().then((answer) => answer ?? fetch(request)));
});
