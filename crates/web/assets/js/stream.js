// One answer as it comes. The connection may drop; the stream goes on where it was.

const FIRST_WAIT = 400;
const LONGEST_WAIT = 8000;

/** The events of a response of ours, one after the other: { name, data, id }. Aborting `over` ends them. */
export async function* events(response, over) {
  const pieces = response.body.pipeThrough(new TextDecoderStream()).getReader();
  over.addEventListener("abort", () => pieces.cancel().catch(() => {}));
  let rest = "";
  for (;;) {
    const { done, value } = await pieces.read();
    if (done) return;
    const whole = (rest + value).split("\n\n");
    rest = whole.pop();
    for (const one of whole) {
      const said = Object.fromEntries(one.split("\n").map((line) => line.split(/: ?(.*)/s, 2)));
      if (said.event) yield { name: said.event, data: JSON.parse(said.data), id: said.id };
    }
  }
}

/**
 * Watches a turn; `place` names its conversation, `first` are its events if they are coming already, until `over`.
 * `on` has: line({html}), piece({settled, tail}), waiting({html}), ended(end), gone(), lost(), back().
 * Gives a function that stops watching; the turn itself goes on.
 */
export function watch(turn, place, on, first = null, over = new AbortController()) {
  let from = 0;
  let wait = FIRST_WAIT;
  let lost = false;
  let source = null;
  let timer = 0;

  const close = () => {
    over.abort();
    clearTimeout(timer);
    source?.close();
  };

  const hear = ({ name, data, id }) => {
    wait = FIRST_WAIT;
    if (lost) on.back();
    lost = false;
    if (id) from = Number(id);
    if (name === "ended" || name === "gone") close();
    on[name]?.(data);
  };

  const miss = () => {
    if (!lost) on.lost();
    lost = true;
    timer = setTimeout(open, wait * (0.75 + Math.random() / 2));
    wait = Math.min(wait * 2, LONGEST_WAIT);
  };

  const open = () => {
    source = new EventSource(`/chat/api/turns/${turn}/events?from=${from}&${place}`);
    for (const name of ["line", "piece", "waiting", "ended", "gone"]) {
      source.addEventListener(name, (event) => hear({ name, data: JSON.parse(event.data), id: event.lastEventId }));
    }
    source.addEventListener("error", () => { source.close(); miss(); });
  };

  /** The events that are coming already; if they break off, the others follow. */
  const go = async () => {
    try {
      for await (const event of first) {
        if (over.signal.aborted) return;
        hear(event);
      }
    } catch { /* Broken off is over, too. */ }
    if (!over.signal.aborted) miss();
  };

  if (first) go();
  else open();
  addEventListener("online", () => {
    if (!lost) return;
    clearTimeout(timer);
    source?.close();
    wait = FIRST_WAIT;
    open();
  }, { signal: over.signal });
  return close;
}
