/** Theme and language outlive the visit. A browser that keeps nothing (private window) is no failure. */
export function remembered<T extends string>(key: string, allowed: readonly T[]): T | null {
  try {
    const value = localStorage.getItem(`onemap.${key}`);
    return allowed.find((word) => word === value) ?? null;
  } catch {
    return null;
  }
}

export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(`onemap.${key}`, value);
  } catch (error) {
    console.info('The browser keeps no settings.', error);
  }
}

/** What was kept as free text; who reads it checks it. */
export function rememberedText(key: string): string | null {
  try {
    return localStorage.getItem(`onemap.${key}`);
  } catch {
    return null;
  }
}
