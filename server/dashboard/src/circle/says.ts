import type { Key } from '../i18n/index.ts';
import type { Circle } from './circle.svelte.ts';
import { minutesText } from './minutes.ts';
import type { CategoryCover, Change } from './types.ts';

const REFUSALS: Readonly<Record<Change['op'], Key>> = {
  add: 'circle.refused.place',
  move: 'circle.refused.place',
  close: 'circle.refused.close',
  gate: 'circle.refused.gate',
  bridge: 'circle.refused.bridge',
};

/** Why no number is shown: the server's sentence, else the reason that goes with the last change. */
export function refusalText(circle: Circle): string | null {
  const { refusal, current } = circle.trial;
  const last = current.at(-1);
  if (refusal === null || !last) return null;
  return refusal.said(circle.language) ?? circle.t(REFUSALS[last.op]);
}

const BADGES: readonly { readonly ops: readonly Change['op'][]; readonly key: Key }[] = [
  { ops: ['add'], key: 'circle.badge.added' },
  { ops: ['move'], key: 'circle.badge.moved' },
  { ops: ['close'], key: 'circle.badge.closed' },
  { ops: ['gate', 'bridge'], key: 'circle.badge.ways' },
];

/** `推演：新建 1 处，关闭 1 处`. */
export function trialBadge(circle: Circle): string {
  const parts = BADGES.flatMap(({ ops, key }) => {
    const n = circle.trial.current.filter((one) => ops.includes(one.op)).length;
    return n > 0 ? [circle.t(key, { n })] : [];
  });
  return circle.t('circle.badge', { what: parts.join(circle.t('circle.comma')) });
}

/** One line for each thing that the trial changes. */
export function changeText(circle: Circle, change: Change): string {
  const titleOf = (fid: number): string =>
    circle.facilities.find((one) => one.fid === fid)?.title ?? String(fid);
  switch (change.op) {
    case 'add':
      return circle.t('circle.proposed', { label: change.label });
    case 'move':
      return circle.t('circle.change.moved', { title: titleOf(change.fid) });
    case 'close':
      return circle.t('circle.change.closed', { title: titleOf(change.fid) });
    case 'gate':
      return circle.t('circle.tool.gate');
    case 'bridge':
      return circle.t('circle.tool.bridge');
  }
}

/** `300 m`, or `10 分钟` where the rule gives minutes. */
export function shortLimit(circle: Circle, cover: CategoryCover): string {
  return cover.limit_m === null
    ? circle.t('circle.minutes', { n: minutesText(cover.limit_s) })
    : `${cover.limit_m.toLocaleString('en-US')} m`;
}

/** `300 m（4.5 分钟）`, or the minutes alone where the rule gives minutes. */
export function limitText(circle: Circle, cover: CategoryCover): string {
  const minutes = circle.t('circle.minutes', { n: minutesText(cover.limit_s) });
  if (cover.limit_m === null) return minutes;
  return circle.t('circle.limit.both', { m: cover.limit_m.toLocaleString('en-US'), minutes });
}
