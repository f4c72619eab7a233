import { describe, expect, test } from 'vitest';
import { type Box, cssPixels, PAPERS, type PaperName, pixelRatio, planOf, scaleRatio } from './paper.ts';

const NAMES = Object.keys(PAPERS) as PaperName[];

function overlap(a: Box, b: Box): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

describe.each(NAMES)('%s', (name) => {
  const plan = planOf(name);
  const parts = [plan.head, plan.figures, plan.map, plan.legend, plan.foot];

  test('its parts lie on the sheet and beside each other', () => {
    for (const [i, part] of parts.entries()) {
      expect(part.x).toBeGreaterThanOrEqual(10);
      expect(part.x + part.width).toBeLessThanOrEqual(plan.width - 10 + 1e-9);
      expect(part.y + part.height).toBeLessThanOrEqual(plan.height - 10 + 1e-9);
      for (const other of parts.slice(i + 1)) expect(overlap(part, other)).toBe(false);
    }
  });

  test('the map takes more than half of it, at 200 dots to the inch or more', () => {
    expect(plan.map.width * plan.map.height).toBeGreaterThan(plan.width * plan.height * 0.5);
    expect(pixelRatio(name) * 96).toBeGreaterThanOrEqual(200);
    expect(cssPixels(plan.map.width) * pixelRatio(name)).toBeLessThan(4096);
  });
});

test('the scale is said in two digits', () => {
  expect(scaleRatio(1.4)).toBe('1:5,300');
  expect(scaleRatio(0.0254 / 96)).toBe('1:1');
});
