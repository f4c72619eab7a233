import { fileURLToPath } from 'node:url';
import { svelte, vitePreprocess } from '@sveltejs/vite-plugin-svelte';
import { defineConfig, type Plugin } from 'vite';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const WORKER = here('./src/map/worker.ts');

/**
 * MapLibre's worker as an entry beside the page, so that what both need (a third of the library) travels once.
 * `import url from 'virtual:map-worker'` gives its address.
 */
function mapWorker(): Plugin {
  let building = false;
  return {
    name: 'onemap:map-worker',
    configResolved: (config) => {
      building = config.command === 'build';
    },
    resolveId: (id) => (id === 'virtual:map-worker' ? '\0map-worker' : null),
    load(id) {
      if (id !== '\0map-worker') return null;
      if (!building) return `export default '/src/map/worker.ts';`;
      const file = this.emitFile({ type: 'chunk', id: WORKER, name: 'map-worker' });
      return `export default import.meta.ROLLUP_FILE_URL_${file};`;
    },
  };
}

export default defineConfig({
  plugins: [svelte({ preprocess: vitePreprocess() }), mapWorker()],
  resolve: {
    // The library's source instead of its two bundles: see mapWorker.
    alias: [
      { find: /^maplibre-gl\/src\/(.*)$/, replacement: here('./node_modules/maplibre-gl/src/$1') },
      { find: /^maplibre-gl$/, replacement: here('./node_modules/maplibre-gl/src/index.ts') },
    ],
  },
  // As the library's own build does: a field that is only declared does not overwrite what the base class has set.
  oxc: {
    typescript: { removeClassFieldsWithoutInitializer: true },
    assumptions: { setPublicClassFields: true },
  },
  build: {
    outDir: here('../onemap/static/dashboard'),
    emptyOutDir: true,
    assetsDir: 'assets',
    target: 'es2022',
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
    reportCompressedSize: false,
    rolldownOptions: { input: { index: here('./index.html'), circle: here('./circle.html') } },
  },
  server: { proxy: { '/api': 'http://127.0.0.1:8020', '/tiles': 'http://127.0.0.1:8020' } },
});
