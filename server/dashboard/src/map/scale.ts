/** Metres on the ground under one CSS pixel, for tiles of 512 px. */
export function metresPerPixel(zoom: number, latitude: number): number {
  const equator = 40_075_016.686;
  return (equator * Math.cos((latitude * Math.PI) / 180)) / (512 * 2 ** zoom);
}

/** The longest round length that fits: its text and its width in pixels. */
export function scaleBar(zoom: number, latitude: number, room: number): { text: string; width: number } {
  const perPixel = metresPerPixel(zoom, latitude);
  const metres = roundBelow(perPixel * room);
  return { text: metres >= 1000 ? `${metres / 1000} km` : `${metres} m`, width: metres / perPixel };
}

/** The largest 1, 2 or 5 times a power of ten that is not above x. */
export function roundBelow(x: number): number {
  const power = 10 ** Math.floor(Math.log10(x));
  const lead = x / power;
  return (lead >= 5 ? 5 : lead >= 2 ? 2 : 1) * power;
}

/** `117.3021°E 31.7046°N` */
export function coordinates(lng: number, lat: number): string {
  const east = `${Math.abs(lng).toFixed(4)}°${lng >= 0 ? 'E' : 'W'}`;
  return `${east} ${Math.abs(lat).toFixed(4)}°${lat >= 0 ? 'N' : 'S'}`;
}
