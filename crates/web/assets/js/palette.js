// Ctrl-K: go to a conversation, or do something.

import { attempt, send } from "./ask.js";
import { make, words } from "./dom.js";

/** Opens the palette. `commands` are [word, act]. */
export async function palette(commands) {
  if (document.querySelector(".palette")) return;
  const list = make("ul", { role: "listbox", id: "choices", "aria-label": words.palette });
  const input = make("input", {
    type: "text", role: "combobox", autocomplete: "off", spellcheck: "false", autofocus: true, placeholder: words.palette,
    "aria-label": words.palette, "aria-controls": "choices", "aria-expanded": "true",
  });
  const dialog = make("dialog", { class: "palette", "aria-label": words.palette }, input, list);
  const all = commands.map(([word, act]) => ({ word, act, kind: "" }));
  let shown = [];
  let at = 0;

  const choose = (choice) => { dialog.close(); choice.act(); };
  const mark = () => {
    [...list.children].forEach((item, index) => item.setAttribute("aria-selected", String(index === at)));
    list.children[at]?.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", shown.length ? `choice-${at}` : "");
  };
  const draw = () => {
    const wanted = input.value.trim().toLowerCase().split(/\s+/);
    shown = all.filter(({ word }) => wanted.every((part) => word.toLowerCase().includes(part))).slice(0, 30);
    at = 0;
    list.replaceChildren(...shown.map((choice, index) =>
      make("li", { role: "option", id: `choice-${index}`, onclick: () => choose(choice) }, make("span", {}, choice.word), make("span", {}, choice.kind))));
    mark();
  };

  input.addEventListener("input", draw);
  dialog.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && shown.length) { event.preventDefault(); at = (at + step + shown.length) % shown.length; mark(); }
    if (event.key === "Enter" && shown[at]) { event.preventDefault(); choose(shown[at]); }
  });
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  draw();
  await attempt(async () => {
    for (const { title, address } of await send("GET", "/chat/api/conversations")) {
      all.push({ word: title || words.newChat, kind: words.chats, act: () => location.assign(address) });
    }
    draw();
  });
}
