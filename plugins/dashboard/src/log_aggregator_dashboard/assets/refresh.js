// Doing something again and again while a page is shown and looked at.

/** Call `work` now and every `seconds` (or as many as it returns), one call at a time, until `signal` aborts.
 *  Hidden tabs wait until they are looked at again. Failures go to `failed`; the next call is made all the same. */
export async function repeat(work, seconds, signal, failed) {
  while (!signal.aborted) {
    let next;
    await looked(signal);
    if (signal.aborted) return;
    try {
      next = await work();
    } catch (error) {
      if (signal.aborted) return;
      failed(error);
    }
    await untilBack((next ?? seconds) * 1000, signal);
  }
}

/** Wait; ends early when the service is back after an outage, or when `signal` aborts. */
async function untilBack(milliseconds, signal) {
  const early = new AbortController();
  const end = () => early.abort();
  addEventListener("back", end);
  await pause(milliseconds, AbortSignal.any([signal, early.signal]));
  removeEventListener("back", end);
}

/** A function that makes a new signal at each call and aborts the one before. All abort with `signal`. */
export function renewed(signal) {
  let last;
  signal.addEventListener("abort", () => last?.abort());
  return () => {
    last?.abort();
    last = new AbortController();
    return last.signal;
  };
}

/** Wait until the tab is looked at; ends early when `signal` aborts. */
async function looked(signal) {
  while (document.hidden && !signal.aborted) {
    await new Promise((resolve) => {
      document.addEventListener("visibilitychange", resolve, { once: true });
      signal.addEventListener("abort", resolve, { once: true });
    });
  }
}

/** Wait; ends early when `signal` aborts. */
export function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => { clearTimeout(timer); resolve(); }, { once: true });
  });
}
