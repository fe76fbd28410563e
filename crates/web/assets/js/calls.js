// The voice desk: the list of running calls, and one that is followed. What is said becomes text and nothing else.

import "./forms.js";
import { find, fragment, isTyping, make } from "./dom.js";

const WAIT = 2000;
const MOST = 500;
const NAMES = { caller: "Caller", agent: "Agent", staff: "Staff" };

/** Follows the events of `address`; where the connection breaks it is opened again until `close` is called. */
function follow(address, on, lost = () => {}) {
  let source = null;
  let over = false;
  const close = () => {
    over = true;
    source?.close();
  };
  const open = () => {
    if (over) return;
    source = new EventSource(address);
    for (const [name, act] of Object.entries(on)) source.addEventListener(name, (event) => act(JSON.parse(event.data)));
    source.addEventListener("error", () => {
      source.close();
      lost();
      setTimeout(open, WAIT);
    });
  };
  open();
  addEventListener("pagehide", close);
  return close;
}

/** Puts the elements of `html` into `place`; whoever is on a link there stays on it. */
function redraw(place, html) {
  const here = place.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  place.replaceChildren(fragment(html));
  if (here) [...place.querySelectorAll("a")].find((link) => link.getAttribute("href") === here)?.focus();
}

const list = find("#calls");
if (list) follow(list.dataset.events, { calls: ({ html }) => redraw(list, html) });

const call = find("#follow");
if (call) {
  const [words, went] = [find("#captions"), find("#how-it-went")];
  const [hold, back, end, say] = ["#hold", "#back", "#end", "#say"].map((name) => find(name));
  const text = find("#text");
  const items = new Map();

  const tell = (sentence) => { went.textContent = sentence; };

  /** A line for what `speaker` says; a reader who scrolled up stays where they are. */
  const line = (speaker, item) => {
    const said = make("span", {});
    const row = make("p", { class: speaker }, make("strong", {}, NAMES[speaker] ?? ""), " ", said);
    words.append(row);
    items.set(item, said);
    if (words.children.length > MOST) words.firstElementChild.remove();
    return said;
  };

  const spoken = ({ speaker, adds, item, text: more }) => {
    const atEnd = words.scrollHeight - words.scrollTop - words.clientHeight < 40;
    const place = items.get(item) ?? line(speaker, item);
    place.textContent = adds ? place.textContent + more : more;
    if (atEnd) words.scrollTop = words.scrollHeight;
  };

  const shown = ({ html, mine, held }) => {
    redraw(find("#facts"), html);
    hold.hidden = held;
    const was = say.hidden;
    for (const form of [back, end, say]) form.hidden = !mine;
    if (was && mine) text.focus();
    if (!was && !mine && !held) hold.querySelector("button").focus();
    call.dataset.held = mine ? "mine" : held ? "other" : "nobody";
  };

  const close = follow(call.dataset.events, {
    call: shown,
    words: spoken,
    missed: () => words.append(make("p", { class: "soft" }, "Some words went by too fast to be shown.")),
    ended: () => {
      close();
      for (const form of [hold, back, end, say]) form.hidden = true;
      call.dataset.held = "over";
      tell("The call has ended.");
    },
  }, () => tell("The connection broke; it is being opened again."));

  /** Sends a form and stays on the page; gives whether it worked. */
  const send = async (form) => {
    const options = { method: "POST", body: new URLSearchParams(new FormData(form)), headers: { accept: "application/json" }, redirect: "manual" };
    const answer = await fetch(form.action, options).catch(() => null);
    if (answer?.ok || answer?.type === "opaqueredirect") {
      tell("");
      return true;
    }
    const problem = await answer?.json().catch(() => null);
    tell(problem?.detail ?? "That did not work. Try again.");
    return false;
  };

  for (const form of [hold, back, end, say]) {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const button = form.querySelector("button");
      if (button.disabled) return;
      button.disabled = true;
      if (await send(form)) form.reset();
      button.disabled = false;
      if (form === say) text.focus();
    });
  }

  text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    say.requestSubmit();
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !isTyping(event.target) && !say.hidden) {
      event.preventDefault();
      text.focus();
    }
  });
}
