/** Numbers and names as people read them. */

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

/** Steps to change one word into another: letters put in, left out, replaced or swapped with their neighbour. */
function distance(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, (_, i) => {
    const row = new Array<number>(b.length + 1).fill(0);
    row[0] = i;
    return row;
  });
  for (let j = 0; j <= b.length; j++) rows[0]![j] = j;
  for (let i = 1; i <= a.length; i++)
    for (let j = 1; j <= b.length; j++) {
      const replaced = rows[i - 1]![j - 1]! + Number(a[i - 1] !== b[j - 1]);
      let least = Math.min(rows[i - 1]![j]! + 1, rows[i]![j - 1]! + 1, replaced);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, rows[i - 2]![j - 2]! + 1);
      rows[i]![j] = least;
    }
  return rows[a.length]![b.length]!;
}

/** The choice that a mistyped word was probably meant to be. */
export function nearest(word: string, choices: readonly string[]): string | undefined {
  const short = word.slice(0, 64).toLowerCase();
  const ranked = choices
    .map((choice) => ({ choice, steps: distance(short, choice.toLowerCase()) }))
    .sort((a, b) => a.steps - b.steps);
  const best = ranked[0];
  const most = best ? Math.max(1, Math.floor(best.choice.length * 0.4)) : 0;
  if (best && best.steps <= most) return best.choice;
  return choices.find((choice) => short.length > 1 && choice.toLowerCase().startsWith(short));
}

/** `; did you mean "native"?`, or nothing. */
export function suggestion(word: string, choices: readonly string[]): string {
  const choice = nearest(word, choices);
  return choice === undefined ? "" : `; did you mean "${choice}"?`;
}
