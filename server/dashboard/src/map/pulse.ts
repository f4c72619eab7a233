import { type Map as MapLibre, Marker } from 'maplibre-gl';
import type { LngLat } from '../api/types.ts';

/** Rings about a place, then nothing: something new is there. */
export function pulse(map: MapLibre, at: LngLat, times: number, level: number): void {
  const element = document.createElement('div');
  element.className = 'onemap-pulse';
  element.dataset.level = String(level);
  const ring = element.appendChild(document.createElement('i'));
  ring.style.animationIterationCount = String(times);
  const marker = new Marker({ element }).setLngLat([at[0], at[1]]).addTo(map);
  // A marker is no button: MapLibre names every marker one.
  element.removeAttribute('tabindex');
  element.removeAttribute('role');
  element.removeAttribute('aria-label');
  element.setAttribute('aria-hidden', 'true');
  ring.addEventListener('animationend', () => marker.remove());
}
