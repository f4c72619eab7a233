import type { Circle } from './circle.svelte.ts';
import { changeAt, facilityOf } from './hands.ts';
import { refusalText } from './says.ts';
import type { Words } from './scene.ts';
import { number, weightOf } from './text.ts';

/** What a handle is called, in the reader's language. */
export function wordsOf(circle: Circle): Words {
  return {
    proposed: (label) => circle.t('circle.handle.added', { label }),
    facility: (title) => circle.t('circle.handle.facility', { title }),
    moved: (title) => circle.t('circle.handle.moved', { title }),
    closed: (title) => circle.t('circle.handle.closed', { title }),
    site: (label, title) => circle.t('circle.handle.site', { label, title: title ?? '' }),
    gate: () => circle.t('circle.handle.gate'),
  };
}

/** What is said beside what is held: its name and what it brings. Nothing where nothing is tried. */
export function tipOf(circle: Circle): readonly [head: string, body: string] | null {
  const { chosen, trial } = circle;
  if (!chosen || !trial.running) return null;
  const change = changeAt(circle, chosen);
  const facility = facilityOf(circle, chosen);
  const touched = facility && trial.current.some((one) => 'fid' in one && one.fid === facility.fid);
  const name = change
    ? change.op === 'add'
      ? circle.t('circle.proposed', { label: change.label })
      : circle.t('circle.tool.gate')
    : touched
      ? (facility.title ?? '')
      : null;
  if (name === null) return null;
  const head = circle.carrying ? circle.t('circle.carrying', { name }) : name;
  const refusal = refusalText(circle);
  if (refusal !== null) return [head, refusal];
  const { answer } = trial;
  if (!answer) return [head, circle.t('circle.counting')];
  const [gained, lost] = [weightOf(answer.gained, circle.weigh), weightOf(answer.lost, circle.weigh)];
  const unit = circle.weigh === 'households' ? circle.t('unit.households') : circle.t('unit.persons');
  const gain = circle.t('circle.gained', { n: number(gained, circle.language), unit });
  const loss = lost ? circle.t('circle.lost', { n: number(lost, circle.language), unit }) : '';
  return [head, `${gain}${loss}`];
}
