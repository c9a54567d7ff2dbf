// Doing something again and again while a page is shown and looked at.

/** Call `work` now and every `seconds`, one call at a time, until `signal` aborts. Hidden tabs wait.
 *  Failures go to `failed`; the next call is made all the same. */
export async function repeat(work, seconds, signal, failed) {
  while (!signal.aborted) {
    if (!document.hidden) {
      try {
        await work();
      } catch (error) {
        if (signal.aborted) return;
        failed(error);
      }
    }
    await pause(seconds * 1000, signal);
  }
}

/** Wait; ends early when `signal` aborts. */
export function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => { clearTimeout(timer); resolve(); }, { once: true });
  });
}
