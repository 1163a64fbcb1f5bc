// Keeps the field page and what it is built of, so that it opens without network. Answers of the API are never kept here.
const CACHE = 'outpost-field';
const PAGE = '/field';
/** On a line that is worse than none, what is kept is shown. */
const WAIT_MS = 4_000;
/** What names of the page's own files look like; those under /assets never change. */
const NAMED = /(?:src|href)="(\/[\w./-]+)"/g;

/** The page as it is now, with all that it names; what it no longer names goes. */
async function fill(page) {
  const cache = await caches.open(CACHE);
  const text = await page.clone().text();
  const names = [...text.matchAll(NAMED)].map(([, name]) => name);
  await Promise.all(names.map(async name => {
    if (!name.startsWith('/assets/') || !(await cache.match(name))) await cache.add(name);
  }));
  // The page last: what is kept is whole.
  await cache.put(PAGE, page);
  for (const request of await cache.keys()) {
    const { pathname } = new URL(request.url);
    if (pathname !== PAGE && !names.includes(pathname)) await cache.delete(request);
  }
}

async function opened() {
  try {
    const page = await fetch(PAGE, { signal: AbortSignal.timeout(WAIT_MS) });
    if (page.ok) {
      await fill(page.clone());
      return page;
    }
  } catch {
    // No network: what is kept.
  }
  return (await caches.match(PAGE)) ?? Response.error();
}

self.addEventListener('install', event => {
  event.waitUntil(fetch(PAGE).then(fill).then(() => self.skipWaiting()));
});

self.addEventListener('activate', event => event.waitUntil(self.clients.claim()));

self.addEventListener('fetch', event => {
  const { pathname, origin } = new URL(event.request.url);
  if (event.request.method !== 'GET' || origin !== self.location.origin || pathname.startsWith('/api/')) return;
  if (event.request.mode === 'navigate') event.respondWith(opened());
  else event.respondWith(caches.match(pathname).then(found => found ?? fetch(event.request)));
});
