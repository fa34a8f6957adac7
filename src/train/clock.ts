/** The clock of training, in seconds. */
export const clock = (): number => performance.now() / 1000;
