import type { Overlay } from '../map/overlays.ts';

/** The colours of a theme by the names of tokens.css. */
type Tokens = ReadonlyMap<string, string>;

/** What the style sheets say of a theme, whichever the page wears. */
export function tokensOf(theme: string): Tokens {
  const found = new Map<string, string>();
  for (const sheet of document.styleSheets) {
    for (const rule of sheet.cssRules) {
      if (!(rule instanceof CSSStyleRule) || !rule.selectorText.includes(`data-theme="${theme}"`)) continue;
      if (!rule.selectorText.startsWith(':root')) continue;
      for (const name of rule.style)
        if (name.startsWith('--')) found.set(name, rule.style.getPropertyValue(name).trim());
    }
  }
  return found;
}

/** An overlay painted for one theme, in the colours of another: each colour that is a token becomes its namesake. */
export function repainted(overlay: Overlay, from: Tokens, to: Tokens): Overlay {
  const colours = new Map([...from].map(([name, value]) => [value.toLowerCase(), to.get(name) ?? value]));
  const paint = (value: unknown): unknown => {
    if (typeof value === 'string') return colours.get(value.toLowerCase()) ?? value;
    if (Array.isArray(value)) return value.map(paint);
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, paint(inner)]));
    return value;
  };
  return { ...overlay, paints: overlay.paints.map((part) => paint(part) as (typeof overlay.paints)[number]) };
}
