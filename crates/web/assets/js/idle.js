// The end of a session for want of activity: a warning in time, a way to stay, and nothing lost.
// The server counts; this page only shows it. Asking how long there is left keeps no session alive.

import { data, make } from "./dom.js";

const session = data("session");
/** How often the page asks whether its session still stands, in seconds. */
const LOOK_EVERY = 60;
/** Moments at which a screen reader is told again, in seconds before the end. */
const SAID_AT = [60, 30, 10];

let ends = Date.now() + session.left * 1000;
let looked = Date.now();
let timer = 0;
let dialog = null;

const left = () => Math.max(0, Math.round((ends - Date.now()) / 1000));
const spell = (seconds) => (seconds > 90 ? `${Math.round(seconds / 60)} ${session.minutes}` : `${seconds} ${session.seconds}`);

async function ask(method, path) {
  const response = await fetch(path, { method, headers: { accept: "application/json" } }).catch(() => null);
  if (response?.status === 401) over();
  if (!response?.ok) return;
  looked = Date.now();
  ends = looked + (await response.json()).left_s * 1000;
}

const stay = async () => {
  await ask("POST", "/session/stay");
  if (left() > session.warning) close();
};

function over() {
  clearTimeout(timer);
  location.assign(`/sign-in?out=1&next=${encodeURIComponent(location.pathname)}`);
}

function close() {
  dialog?.close();
  dialog?.remove();
  dialog = null;
}

function warn() {
  const clock = make("strong", { class: "left" }, spell(left()));
  const said = make("p", { class: "sr", "aria-live": "assertive" });
  dialog = make("dialog", { class: "ending", role: "alertdialog", "aria-labelledby": "ending-title", "aria-describedby": "ending-text" },
    make("h2", { id: "ending-title" }, session.title),
    make("p", { id: "ending-text", class: "soft" }, session.text, " ", clock),
    said,
    make("form", { class: "actions", method: "post", action: "/sign-out" },
      make("button", { class: "quiet", type: "submit" }, session.signOut),
      make("button", { class: "button", type: "button", autofocus: true, onclick: stay }, session.stay)));
  // Escape means that somebody is there.
  dialog.addEventListener("cancel", (event) => { event.preventDefault(); stay(); });
  document.body.append(dialog);
  dialog.showModal();
  document.dispatchEvent(new Event("session-ending"));
}

function count() {
  const seconds = left();
  dialog.querySelector(".left").textContent = spell(seconds);
  if (SAID_AT.includes(seconds)) dialog.querySelector("[aria-live]").textContent = spell(seconds);
}

async function look() {
  clearTimeout(timer);
  const asks = left() <= session.warning ? !dialog || left() === 0 : Date.now() - looked >= LOOK_EVERY * 1000;
  if (asks) await ask("GET", "/session/left");
  if (left() > session.warning) close();
  else if (dialog) count();
  else warn();
  const wait = dialog ? 1 : Math.min(LOOK_EVERY, Math.max(1, left() - session.warning));
  timer = setTimeout(look, wait * 1000);
}

// Writing is being there, though nothing is sent: a long message must not end the session of its writer.
for (const kind of ["input", "keydown"]) {
  document.addEventListener(kind, () => {
    if (!dialog && session.limit - left() > session.limit / 4) {
      ends = Date.now() + session.limit * 1000;
      stay();
    }
  });
}

// A tab that slept, or a laptop, looks before its person does; so does one brought back by the browser.
document.addEventListener("visibilitychange", () => { if (!document.hidden) { looked = 0; look(); } });
addEventListener("pageshow", (event) => { if (event.persisted) { looked = 0; look(); } });

if (Number.isFinite(session.left)) look();
