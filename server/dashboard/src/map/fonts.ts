import type { Map as MapLibre } from 'maplibre-gl';

/** The family of tokens.css; the style's `text-font` names it, alone or with a weight (`… Medium`). */
export const FAMILY = 'Noto Sans SC Variable';

/** What MapLibre asks its glyph manager for: stack -> variant -> graphemes. */
type GlyphRequests = Record<string, Record<string, Iterable<string>>>;

/**
 * Makes the map wait for our font before it draws a label.
 *
 * The family comes in a hundred slices that a browser fetches when a character is drawn, but MapLibre draws each
 * character once, at once, and keeps what it got. So before it draws, the slices of just these characters are loaded.
 */
export function waitForFonts(map: MapLibre): void {
  const glyphs = map.style.glyphManager as unknown as { getGlyphs(asked: GlyphRequests): Promise<unknown> };
  const draw = glyphs.getGlyphs.bind(glyphs);
  glyphs.getGlyphs = async (asked) => {
    await loadFonts(charactersOf(asked));
    return draw(asked);
  };
}

export function charactersOf(asked: GlyphRequests): string {
  const found = new Set<string>();
  for (const variants of Object.values(asked)) {
    for (const graphemes of Object.values(variants)) for (const grapheme of graphemes) found.add(grapheme);
  }
  return [...found].join('');
}

/** One variable file serves all weights, so that loading one weight loads all. */
export async function loadFonts(text: string): Promise<void> {
  if (text !== '') await document.fonts.load(`24px "${FAMILY}"`, text);
}
