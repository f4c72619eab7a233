// What MapLibre does off the main thread. The source is bundled by us (vite.config.ts), so that page and worker share code.
// @ts-expect-error -- the package exports types of its bundle only
import 'maplibre-gl/src/source/worker.ts';
