// One answer as it comes. The connection may drop; the stream goes on where it was.

const FIRST_WAIT = 400;
const LONGEST_WAIT = 8000;

/**
 * Watches a turn; `place` names its conversation. `on` has: line(html), piece({settled, tail}), waiting(html), ended(end), gone(), lost(), back().
 * Gives a function that stops watching; the turn itself goes on.
 */
export function watch(turn, place, on) {
  let from = 0;
  let wait = FIRST_WAIT;
  let lost = false;
  let source = null;
  let timer = 0;

  const close = () => {
    clearTimeout(timer);
    source?.close();
  };

  const hear = (name, handle) =>
    source.addEventListener(name, (event) => {
      wait = FIRST_WAIT;
      if (lost) on.back();
      lost = false;
      if (event.lastEventId) from = Number(event.lastEventId);
      handle(JSON.parse(event.data));
    });

  const open = () => {
    source = new EventSource(`/chat/api/turns/${turn}/events?from=${from}&${place}`);
    hear("line", ({ html }) => on.line(html));
    hear("piece", (piece) => on.piece(piece));
    hear("waiting", ({ html }) => on.waiting(html));
    hear("ended", (end) => { close(); on.ended(end); });
    hear("gone", () => { close(); on.gone(); });
    source.addEventListener("error", () => {
      source.close();
      if (!lost) on.lost();
      lost = true;
      timer = setTimeout(open, wait * (0.75 + Math.random() / 2));
      wait = Math.min(wait * 2, LONGEST_WAIT);
    });
  };

  open();
  addEventListener("online", () => { if (lost) { close(); wait = FIRST_WAIT; open(); } });
  return close;
}
