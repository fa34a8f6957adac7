/** How fast training goes, for the time left. Read fit.ts next. */

const windowSeconds = 3;

/** How fast examples go by, over the last seconds. The first step is left out: it compiles the program. */
export class Speedometer {
  private readonly marks: { readonly time: number; readonly examples: number }[] = [];
  private total = 0;

  /** Notes that a step over so many examples ended at `time`, in seconds. */
  mark(time: number, examples: number): void {
    this.total += examples;
    this.marks.push({ time, examples: this.total });
    while (this.marks.length > 2 && time - this.marks[1]!.time >= windowSeconds) this.marks.shift();
  }

  /** Forgets the marks: time passed with something else, such as an evaluation. */
  pause(): void {
    this.marks.length = 0;
  }

  get examplesPerSecond(): number | null {
    const [first, last] = [this.marks[0], this.marks.at(-1)];
    if (!first || !last || last.time <= first.time) return null;
    return (last.examples - first.examples) / (last.time - first.time);
  }
}
