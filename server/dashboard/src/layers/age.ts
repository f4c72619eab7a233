import { type Language, translate } from '../i18n/index.ts';

/** How long something takes or has lasted: `12 分`, `3 时`, `5 天`. */
export function duration(ms: number, language: Language): string {
  const minutes = Math.max(0, Math.floor(ms / 60_000));
  if (minutes < 60) return translate(language, 'time.minutes', { n: minutes });
  const hours = Math.floor(minutes / 60);
  return hours < 48
    ? translate(language, 'time.hours', { n: hours })
    : translate(language, 'time.days', { n: Math.floor(hours / 24) });
}

/** A moment as short as today allows: `19:36`, `09-17 08:20`, `2025-12-31`. */
export function shortMoment(at: number, now: number): string {
  const [then, today] = [new Date(at), new Date(now)];
  const two = (n: number): string => String(n).padStart(2, '0');
  const clock = `${two(then.getHours())}:${two(then.getMinutes())}`;
  const day = `${two(then.getMonth() + 1)}-${two(then.getDate())}`;
  if (then.toDateString() === today.toDateString()) return clock;
  return then.getFullYear() === today.getFullYear() ? `${day} ${clock}` : `${then.getFullYear()}-${day}`;
}

/** `19:42:08` */
export function clockTime(at: number): string {
  const time = new Date(at);
  return [time.getHours(), time.getMinutes(), time.getSeconds()]
    .map((n) => String(n).padStart(2, '0'))
    .join(':');
}

/** `00:42`, minutes and seconds; hours before them from one on. */
export function elapsed(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const parts = [Math.floor(seconds / 60) % 60, seconds % 60];
  if (seconds >= 3600) parts.unshift(Math.floor(seconds / 3600));
  return parts.map((n) => String(n).padStart(2, '0')).join(':');
}
