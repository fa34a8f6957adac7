/** Numbers and names as people read them. */
export { nearest, suggestion } from "../../core/suggest.js";

export const count = (n: number): string => Math.round(n).toLocaleString("en-US");

export const percent = (share: number, digits = 2): string => `${(share * 100).toFixed(digits)}%`;

/** A duration: `7.2 s`, `1:05 min`, `2:03 h`. */
export function duration(seconds: number): string {
  if (seconds < 59.95) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const two = (n: number) => String(n).padStart(2, "0");
  const total = Math.round(seconds);
  if (total < 3600) return `${Math.floor(total / 60)}:${two(total % 60)} min`;
  return `${Math.floor(total / 3600)}:${two(Math.floor(total / 60) % 60)} h`;
}

/** A rough duration, for time left: it should not flicker. */
export const timeLeft = (seconds: number): string =>
  seconds < 59.5 ? `${Math.ceil(seconds)} s left` : `${duration(seconds)} left`;

/** One thing or several. */
export const plural = (n: number, one: string, many = `${one}s`): string =>
  `${count(n)} ${n === 1 ? one : many}`;

/** A word of a command that a shell takes as it is. */
export const shellWord = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
