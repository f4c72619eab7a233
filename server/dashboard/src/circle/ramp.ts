import type { Theme } from '../api/client.ts';
import { CHANGE } from './minutes.ts';

/** Walking minutes, four classes inside the limit and two beyond: the server's tokens (tiles/styles), as a test checks. */
export const RAMP: Readonly<Record<Theme, readonly string[]>> = {
  light: ['#075E57', '#2A8B81', '#6DB8AC', '#B5DED5', '#F3C9A0', '#D9793B'],
  dark: ['#CDEFE4', '#7FD0BE', '#3FA698', '#24595A', '#A8663F', '#F08A5D'],
};

/** Who gains and who loses by a trial: the ends of the same ramp, so that jade stays good and ochre bad. */
export function changeRamp(theme: Theme): Readonly<Record<number, string>> {
  const [best = '', , , better = '', worse = '', worst = ''] = RAMP[theme];
  return { [CHANGE.won]: best, [CHANGE.faster]: better, [CHANGE.slower]: worse, [CHANGE.lost]: worst };
}

/** A colour as an extruded roof must be told it: MapLibre adds 3 % of light to every roof. */
export function roof(colour: string): string {
  const channel = (at: number): string =>
    Math.max(0, Number.parseInt(colour.slice(at, at + 2), 16) - 8)
      .toString(16)
      .padStart(2, '0');
  return `#${channel(1)}${channel(3)}${channel(5)}`;
}
