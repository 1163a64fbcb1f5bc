// How the console is built: hashed files under dist/assets, each with its gzip beside it.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import vue from '@vitejs/plugin-vue';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/** Smaller files gain nothing. */
const GZIP_BYTES_MIN = 1024;

/** The gateway serves these to browsers that take gzip, and packs nothing while it runs. What is on disk is packed: until then
    others still change it. */
function packed(): Plugin {
  return {
    name: 'packed',
    apply: 'build',
    writeBundle(options, bundle) {
      for (const name of Object.keys(bundle)) {
        const file = join(options.dir ?? 'dist', name), bytes = readFileSync(file);
        if (bytes.length < GZIP_BYTES_MIN || !/\.(m?js|css|svg|html)$/.test(name)) continue;
        writeFileSync(file + '.gz', gzipSync(bytes, { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  plugins: [vue(), packed()],
  define: {
    __VUE_OPTIONS_API__: false,
    __VUE_I18N_LEGACY_API__: false,
    __VUE_I18N_FULL_INSTALL__: false,
    __INTLIFY_PROD_DEVTOOLS__: false,
  },
  // `worker-src 'self'` and `img-src` without data: nothing is inlined.
  build: {
    // The console at `/` and the field page at `/field`.
    rolldownOptions: { input: ['index.html', 'field.html'] },
    target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false }, chunkSizeWarningLimit: 1200,
  },
  worker: { format: 'es' },
  // `npm run dev` beside a gateway that runs.
  server: { proxy: { '/api': process.env.OUTPOST ?? 'http://127.0.0.1:8080' } },
  test: { include: ['src/**/*.test.ts'] },
});
