import type { StyleSpecification } from 'maplibre-gl';

/** The style with addresses that need no page around them: workers have none. */
export function absolute(style: StyleSpecification): StyleSpecification {
  const whole = (url: string): string =>
    new URL(url, location.href).href.replaceAll('%7B', '{').replaceAll('%7D', '}');
  return typeof style.sprite === 'string' ? { ...style, sprite: whole(style.sprite) } : style;
}
