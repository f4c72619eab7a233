import { Failure } from '../api/client.ts';
import { circleApi, type Subject } from './api.ts';
import { latest } from './latest.ts';
import type { Change, WhatIf } from './types.ts';

interface Asked {
  readonly subject: Subject;
  readonly changes: readonly Change[];
}

/** What if: facilities added, moved, closed, gates opened, bridges built; and what the server says to it. */
export class Trial {
  /** What was done and put down; the address holds it. */
  changes = $state.raw<readonly Change[]>([]);
  /** The same while something is in the hand. */
  carried = $state.raw<readonly Change[] | null>(null);
  answer = $state.raw<WhatIf | null>(null);
  /** The server's reason where it will not say a number. */
  refusal = $state.raw<Failure | null>(null);
  pending = $state(false);
  past = $state.raw<readonly (readonly Change[])[]>([]);

  readonly #subject: () => Subject | null;
  readonly #settled: () => void;
  readonly #asker = latest<Asked, WhatIf>(
    ({ subject, changes }, signal) => circleApi.whatIf(subject, changes, drawsShed(changes), signal),
    ({ changes }, answer) => {
      if (changes === this.current) this.pending = false;
      this.answer = answer;
      this.refusal = null;
    },
    ({ changes }, error) => {
      if (!(error instanceof Failure)) throw error;
      if (changes === this.current) this.pending = false;
      this.answer = null;
      this.refusal = error;
    },
  );

  /** `settled` is called when the list of changes is another. */
  constructor(subject: () => Subject | null, settled: () => void) {
    this.#subject = subject;
    this.#settled = settled;
  }

  get current(): readonly Change[] {
    return this.carried ?? this.changes;
  }

  get running(): boolean {
    return this.current.length > 0;
  }

  /** Something is moved by the hand: asked, but not yet done. */
  carry(changes: readonly Change[]): void {
    this.carried = changes;
    this.#ask();
  }

  /** Does something; it can be taken back. */
  put(changes: readonly Change[]): void {
    this.carried = null;
    if (changes === this.changes) return;
    this.past = [...this.past, this.changes].slice(-50);
    this.changes = changes;
    this.#ask();
    this.#settled();
  }

  undo(): void {
    const last = this.past.at(-1);
    if (!last) return;
    this.past = this.past.slice(0, -1);
    this.carried = null;
    this.changes = last;
    this.#ask();
    this.#settled();
  }

  /** Begins with changes, asked anew. Of other changes than before there is nothing to take back. */
  start(changes: readonly Change[]): void {
    this.#asker.forget();
    if (changes !== this.changes) this.past = [];
    this.carried = null;
    this.changes = changes;
    this.answer = null;
    this.refusal = null;
    this.#ask();
  }

  /** The question of no change is asked too: it tells the gaps. */
  #ask(): void {
    const subject = this.#subject();
    if (!subject) return;
    this.pending = true;
    this.#asker.ask({ subject, changes: this.current });
  }
}

/** The way to a facility is drawn where one stands that did not. */
function drawsShed(changes: readonly Change[]): boolean {
  return changes.some((one) => one.op === 'add' || one.op === 'move');
}
