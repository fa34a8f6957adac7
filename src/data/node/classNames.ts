/** What the classes of known data sets are called, in the order of their labels (torchvision's). */

const lower = [..."abcdefghijklmnopqrstuvwxyz"];
const digits = [..."0123456789"];
const byClass = [...digits, ...lower.map((letter) => letter.toUpperCase()), ...lower];
/** Letters whose small and large forms are one class. */
const merged = new Set("cijklmopsuvwxyz");
const byMerge = byClass.filter((name) => !merged.has(name));

export type EmnistSplit = "byclass" | "bymerge" | "balanced" | "letters" | "digits" | "mnist";

export const emnistClasses: Readonly<Record<EmnistSplit, readonly string[]>> = {
  byclass: byClass,
  bymerge: byMerge,
  balanced: byMerge,
  letters: ["N/A", ...lower],
  digits,
  mnist: digits,
};

export const kmnistClasses: readonly string[] = [
  ...["o", "ki", "su", "tsu", "na"],
  ...["ha", "ma", "ya", "re", "wo"],
];

export const cifar10Classes: readonly string[] = [
  ...["airplane", "automobile", "bird", "cat", "deer"],
  ...["dog", "frog", "horse", "ship", "truck"],
];
