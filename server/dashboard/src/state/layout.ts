/** How the page is laid out; screens.md section 6. */
export type Layout = 'wall' | 'desk' | 'narrow' | 'sheet';

/** Wall from 1,800 px; below 1,280 the layers fold; below 1,024 what is selected comes up as a sheet. */
export function layoutOf(width: number): Layout {
  if (width >= 1800) return 'wall';
  if (width >= 1280) return 'desk';
  return width >= 1024 ? 'narrow' : 'sheet';
}

/** The unit of a wall: everything grows with it, from 1 at 1920 x 1080 to 2 at 3840 x 2160. */
export function unitOf(width: number, height: number): number {
  return Math.min(Math.max(1, Math.min(width / 1920, height / 1080)), 2);
}

export interface Padding {
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly left: number;
}

/** What of the map lies under panels, CSS px: flights and fits stay clear of it. */
export function paddingOf(
  layout: Layout,
  unit: number,
  open: { layers: boolean; side: boolean; timeline: boolean },
): Padding {
  const px = (n: number): number => Math.round(n * unit);
  const bottom = open.timeline ? 1 : 0;
  switch (layout) {
    case 'wall':
      return {
        top: px(12),
        right: px(open.side ? 424 : 72),
        bottom: px(40 + 88 * bottom),
        left: px(open.layers ? 312 : 72),
      };
    case 'desk':
      return { top: 12, right: open.side ? 360 : 64, bottom: 40 + 72 * bottom, left: open.layers ? 264 : 64 };
    case 'narrow':
      return { top: 12, right: open.side ? 360 : 64, bottom: 40 + 72 * bottom, left: 64 };
    case 'sheet':
      return { top: 12, right: 12, bottom: open.side ? 320 : 40, left: 12 };
  }
}
