// What MapLibre does off the main thread. The source is bundled by us (vite.config.ts), so that page and worker share code.
import 'maplibre-gl/src/source/worker.ts';
