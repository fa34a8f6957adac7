/** Finds what a misspelt word was probably meant to be. */

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
