// The chat page: wires the composer, the thread, the rail and the keys together.

import { attempt, send } from "./ask.js";
import { keys, place } from "./dialogs.js";
import { acts, data, find, isTyping, isUnsent, make, toast, words } from "./dom.js";
import { palette } from "./palette.js";
import { rail } from "./rail.js";
import { readiness } from "./readiness.js";
import { follower } from "./scroll.js";
import { thread } from "./thread.js";

const chat = { ...data("chat"), model: () => find("input[name=model]:checked")?.value ?? null };
const composer = find("#composer");
const field = find("#message");
const button = find(".send");
const scroll = follower();

const list = rail(chat, { renamed: titled });
const talk = thread(chat, {
  answering: (is) => {
    composer.classList.toggle("answering", is);
    button.ariaLabel = button.title = is ? words.stop : words.send;
    button.disabled = !is && !field.value.trim();
  },
  grown: scroll.grown,
  end: scroll.end,
  titled: (title) => { titled(title); if (!chat.temporary) list.refresh(); },
});

function titled(title) {
  if (!title) return;
  find("#title").textContent = title;
  document.title = `${title} · Troth`;
  const options = find("#options");
  if (options) { options.hidden = false; options.dataset.chat = chat.conversation; options.dataset.title = title; }
}

/** A browser that cannot size the field by its content does it by hand. */
function grow() {
  button.disabled = !talk.isAnswering() && !field.value.trim();
  if (CSS.supports("field-sizing", "content")) return;
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
}

/** Whether the server may hold an unfinished message of this page, and of which conversation. */
let drafted = chat.draft ? { of: chat.conversation } : null;

/** A message that was sent is unfinished no more. */
function sent() {
  if (!drafted) return;
  const of = drafted.of ? `?conversation=${drafted.of}` : "";
  drafted = null;
  send("DELETE", `/chat/api/draft${of}`).catch(() => {});
}

/** What is written here and not sent: in the field, and in a message that is being changed. */
const areas = () => [field, ...document.querySelectorAll("#thread .edit textarea")];

/** Has the server keep it, in case this page does not come back. */
async function keep() {
  if (chat.temporary || !isUnsent()) return;
  const said = areas().map((area) => [area, area.value]).filter(([, text]) => text.trim());
  drafted = { of: chat.conversation ?? null };
  try {
    await send("PUT", "/chat/api/draft", { conversation: drafted.of, text: said.map(([, text]) => text).join("\n\n") });
    for (const [area, text] of said) area.dataset.saved = text;
  } catch (error) {
    if (error.status !== 401) toast(words.unsaved);
  }
}

document.addEventListener("session-ending", keep);
// A laptop that is shut, a tab that is left: the session may be over when one is back.
document.addEventListener("visibilitychange", () => { if (document.hidden) keep(); });

async function submit() {
  const text = field.value;
  if (!text.trim()) return;
  find("#begin")?.remove();
  const messages = find("#thread");
  messages.hidden = false;
  const waiting = make("article", { class: "message user" }, make("div", { class: "said" }, text));
  messages.append(waiting);
  field.value = "";
  delete field.dataset.saved;
  grow();
  scroll.end();
  const kept = await talk.ask({ say: { text } }, () => waiting.remove());
  if (kept) {
    sent();
    if (!chat.temporary) find("#kept").textContent = words.kept;
    return;
  }
  waiting.remove();
  field.value = text;
  grow();
  field.focus();
}

composer.addEventListener("submit", (event) => {
  event.preventDefault();
  if (talk.isAnswering()) talk.stop();
  else submit();
});
field.addEventListener("input", grow);
field.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    if (!talk.isAnswering()) submit();
  }
  if (event.key === "ArrowUp" && !field.value) { event.preventDefault(); talk.editLast(); }
});

const commands = [
  [words.newChat, () => location.assign("/chat")],
  [words.temporary, () => location.assign("/chat/temporary")],
  [words.search, () => find("#search").focus()],
  [words.archive, () => location.assign("/chat?archive=1")],
  [words.models, () => location.assign("/models")],
  [words.trust, () => location.assign("/trust")],
  [words.account, () => location.assign("/account")],
  [words.shortcuts, keys],
  [words.signOut, signOut],
];

function signOut() {
  const form = make("form", { method: "post", action: "/sign-out" });
  document.body.append(form);
  form.submit();
}

document.addEventListener("keydown", (event) => {
  const command = event.ctrlKey || event.metaKey;
  if (command && event.key.toLowerCase() === "k") { event.preventDefault(); palette(commands); }
  if (command && event.shiftKey && event.key.toLowerCase() === "o") { event.preventDefault(); location.assign("/chat"); }
  if (event.key === "?" && !isTyping(event.target)) keys();
  if (event.key === "Escape" && talk.isAnswering() && !find("dialog[open], :popover-open")) talk.stop();
});

acts({
  help: keys,
  latest: scroll.end,
  try: (one) => { field.value = one.textContent; submit(); },
  "end-temporary": () => attempt(async () => {
    if (chat.conversation) await send("DELETE", `/chat/api/temporary/${chat.conversation}`);
    location.assign("/chat");
  }),
});

const models = find("#models");
models.addEventListener("toggle", (event) => { if (event.newState === "open") place(models, find(".model-button")); });
models.addEventListener("change", (event) => {
  find(".model-button .name").textContent = event.target.dataset.title;
  attempt(() => send("PUT", "/chat/api/model", { model: event.target.value }));
});

if (chat.draft) toast(chat.draft);
readiness();
talk.join();
grow();
if (location.hash.startsWith("#m-")) {
  scroll.stay();
  document.getElementById(location.hash.slice(1))?.scrollIntoView({ block: "center" });
} else if (chat.conversation) {
  scroll.end();
}
