// Questions that need an answer, as the browser's own dialogs.

import { make, words } from "./dom.js";

function show(dialog) {
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.showModal();
}

/** Asks before something that cannot be undone; resolves to true or false. */
export function confirm(title, text, word) {
  return new Promise((resolve) => {
    const dialog = make("dialog", { "aria-labelledby": "ask-title" },
      make("h2", { id: "ask-title" }, title),
      make("p", { class: "soft" }, text),
      make("form", { method: "dialog", class: "actions" },
        make("button", { class: "quiet", value: "", autofocus: true }, words.cancel),
        make("button", { class: "danger", value: "yes" }, word)));
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"));
    show(dialog);
  });
}

/** Asks for a short text; resolves to it, or to null. */
export function prompt(title, value = "") {
  return new Promise((resolve) => {
    const input = make("input", { class: "input", id: "ask-text", maxlength: 120, autocomplete: "off", autofocus: true, required: true, "aria-labelledby": "ask-title" });
    input.value = value;
    const dialog = make("dialog", { "aria-labelledby": "ask-title" },
      make("form", { method: "dialog" },
        make("h2", { id: "ask-title" }, title),
        input,
        make("div", { class: "actions" },
          make("button", { class: "quiet", type: "button", onclick: () => dialog.close("") }, words.cancel),
          make("button", { class: "button", value: "yes" }, words.save))));
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes" ? input.value.trim() : null));
    show(dialog);
    input.select();
  });
}

/** The list of keys. */
export function keys() {
  const list = make("div", { class: "keys" });
  for (const [what, combination] of words.keyList) {
    const keys = make("span");
    combination.split(" ").forEach((key, index) => keys.append(index ? " " : "", make("kbd", {}, key)));
    list.append(make("span", {}, what), keys);
  }
  const dialog = make("dialog", { "aria-labelledby": "ask-title" },
    make("h2", { id: "ask-title" }, words.shortcuts), list,
    make("form", { method: "dialog", class: "actions" }, make("button", { class: "quiet", autofocus: true }, words.close)));
  show(dialog);
}

/** A menu at a button: entries are [word, act, class?], or null for a line. */
export function menu(button, entries) {
  const panel = document.getElementById("menu");
  panel.replaceChildren(...entries.map((entry) => {
    if (!entry) return make("hr");
    const [word, act, kind] = entry;
    if (typeof act === "string") return make("a", { href: act, download: true, role: "menuitem", tabindex: -1, class: kind, onclick: () => panel.hidePopover() }, word);
    return make("button", { type: "button", role: "menuitem", tabindex: -1, class: kind, onclick: () => { panel.hidePopover(); act(); } }, word);
  }));
  opener = button;
  place(panel, button);
  button.setAttribute("aria-expanded", "true");
  panel.querySelector("[role=menuitem]")?.focus();
}

/** The button whose menu is open. */
let opener = null;

document.getElementById("menu")?.addEventListener("toggle", (event) => {
  if (event.newState === "closed") opener?.setAttribute("aria-expanded", "false");
});

/** Puts a popover below its button, inside the window. */
export function place(panel, button) {
  panel.showPopover();
  const at = button.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = panel;
  const left = Math.max(8, Math.min(at.left, innerWidth - width - 8));
  const below = at.bottom + 6;
  const top = below + height > innerHeight - 8 ? Math.max(8, at.top - height - 6) : below;
  panel.style.left = `${left}px`;
  panel.style.top = `${top}px`;
}

document.getElementById("menu")?.addEventListener("keydown", (event) => {
  const items = [...event.currentTarget.querySelectorAll("[role=menuitem]")];
  const at = items.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  items.at(to % items.length).focus();
});
