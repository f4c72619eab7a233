import { expect, test } from 'vitest';
import { latest } from './latest.ts';

/** A server that answers when it is told to. */
function slowServer(): {
  ask: (given: number) => Promise<string>;
  answer: () => Promise<void>;
  refuse: () => Promise<void>;
  asked: number[];
} {
  const asked: number[] = [];
  let open: { answer: () => void; refuse: () => void } | null = null;
  const settle = async (how: 'answer' | 'refuse'): Promise<void> => {
    const now = open;
    open = null;
    now?.[how]();
    await new Promise((later) => setTimeout(later));
  };
  return {
    asked,
    ask: (given) => {
      expect(open).toBeNull();
      asked.push(given);
      return new Promise((resolve, reject) => {
        open = { answer: () => resolve(`answer ${given}`), refuse: () => reject(new Error(`no ${given}`)) };
      });
    },
    answer: () => settle('answer'),
    refuse: () => settle('refuse'),
  };
}

test('one question is on its way at a time, and the last step is answered', async () => {
  const server = slowServer();
  const heard: string[] = [];
  const asker = latest(
    server.ask,
    (_, answer: string) => heard.push(answer),
    () => heard.push('refused'),
  );
  for (const step of [1, 2, 3, 4]) asker.ask(step);
  expect(server.asked).toEqual([1]);
  await server.answer();
  expect(server.asked).toEqual([1, 4]);
  await server.answer();
  expect(heard).toEqual(['answer 1', 'answer 4']);
});

test('a refusal does not stop what waits', async () => {
  const server = slowServer();
  const heard: string[] = [];
  const asker = latest(
    server.ask,
    (_, answer: string) => heard.push(answer),
    (given) => heard.push(`no ${given}`),
  );
  asker.ask(1);
  asker.ask(2);
  await server.refuse();
  await server.answer();
  expect(heard).toEqual(['no 1', 'answer 2']);
});

test('what is forgotten is not heard of again', async () => {
  const server = slowServer();
  const heard: string[] = [];
  const asker = latest(
    (given: number) => server.ask(given),
    (_, answer: string) => heard.push(answer),
    () => heard.push('refused'),
  );
  asker.ask(1);
  asker.ask(2);
  asker.forget();
  await server.answer();
  expect([server.asked, heard]).toEqual([[1], []]);
});
