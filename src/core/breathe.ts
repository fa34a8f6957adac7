/**
 * Gives way to the rest of the program now and then: on one thread a page could not paint nor a signal be heard while a
 * loop awaits what is there already.
 */

/** Milliseconds that a loop may keep the thread: less than one frame of a screen. */
const longestHold = 12;

/** Lets everything that is due run, timers and input too. */
function giveWay(): Promise<void> {
  // A timer would wait for 1 to 4 milliseconds each time.
  if (typeof setImmediate === "function") return new Promise((resolve) => setImmediate(resolve));
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** A function to await in each round of a loop: it gives way when the loop has kept the thread for long enough. */
export function makeBreather(): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last < longestHold) return;
    await giveWay();
    last = performance.now();
  };
}
