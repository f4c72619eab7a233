/**
 * Asks one question at a time. What comes while one is on its way waits, and of what waits only the last is asked: a
 * drag of a hundred steps becomes as many questions as the server can answer, and the last step is always answered.
 */
export function latest<Given, Answer>(
  ask: (given: Given, signal: AbortSignal) => Promise<Answer>,
  answered: (given: Given, answer: Answer) => void,
  refused: (given: Given, error: unknown) => void,
): { readonly ask: (given: Given) => void; readonly forget: () => void } {
  let asking: AbortController | null = null;
  let waiting: { readonly given: Given } | null = null;

  async function run(given: Given): Promise<void> {
    const mine = new AbortController();
    asking = mine;
    try {
      const answer = await ask(given, mine.signal);
      if (!mine.signal.aborted) answered(given, answer);
    } catch (error) {
      if (!mine.signal.aborted) refused(given, error);
    }
    if (asking !== mine) return;
    asking = null;
    const next = waiting;
    waiting = null;
    if (next) void run(next.given);
  }

  return {
    ask: (given) => {
      if (asking) waiting = { given };
      else void run(given);
    },
    forget: () => {
      waiting = null;
      asking?.abort();
      asking = null;
    },
  };
}
