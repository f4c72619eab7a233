import { Map as MapLibre, type MapOptions } from 'maplibre-gl';

/** Until the map is whole for the first time, a frame is drawn at most this seldom, ms. */
const SELDOM_MS = 1500;

/**
 * A map that draws its first frames sparingly. MapLibre draws anew for every tile that comes in; where frames are dear
 * (no graphics card), that keeps what the reader waits for, the whole map, back by seconds.
 */
export class PatientMap extends MapLibre {
  #drawnAt = 0;
  #waiting: ReturnType<typeof setTimeout> | undefined;

  constructor(options: MapOptions) {
    super(options);
    // The first tile is drawn at once: the renderer makes its programs while the others come in.
    const first = (e: { tile?: { state: string } }): void => {
      if (e.tile?.state !== 'loaded') return;
      this.off('sourcedata', first);
      this.#drawnAt = 0;
      this.triggerRepaint();
    };
    this.on('sourcedata', first);
  }

  override triggerRepaint(): void {
    clearTimeout(this.#waiting);
    const rest = this.#drawnAt + SELDOM_MS - performance.now();
    if (rest > 0 && this.#awaitsTiles()) {
      this.#waiting = setTimeout(() => this.triggerRepaint(), rest);
      return;
    }
    this.#drawnAt = performance.now();
    super.triggerRepaint();
  }

  override remove(): void {
    clearTimeout(this.#waiting);
    super.remove();
  }

  #awaitsTiles(): boolean {
    return !this._loaded && this.style?._loaded && !this.isMoving() && !this.areTilesLoaded();
  }
}
