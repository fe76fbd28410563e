// Small things every script uses. The one place where markup from our server becomes elements.

const policy = globalThis.trustedTypes?.createPolicy("troth", { createHTML: (html) => html });

/** The elements of `html`, which our own server rendered and sanitised. */
export function fragment(html) {
  const template = document.createElement("template");
  template.innerHTML = policy ? policy.createHTML(html) : html;
  return template.content;
}

/** The first element that matches, or null. */
export const find = (selector, within = document) => within.querySelector(selector);

/** A JSON block of the page, or an empty object. */
export function data(id) {
  const block = document.getElementById(id);
  return block ? JSON.parse(block.textContent) : {};
}

/** The words of the page's language. */
export const words = data("words");

/** A new element: attributes, then children (text or elements). */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value != null) element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

/** Calls `table[act](button, event)` for a click on anything that carries `data-act`. */
export function acts(table) {
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-act]");
    if (button && Object.hasOwn(table, button.dataset.act)) table[button.dataset.act](button, event);
  });
}

/** Says something to a screen reader, once. */
export function say(text) {
  const place = document.getElementById("said");
  if (place) place.textContent = text;
}

/** Shows a short notice, with a way to take the act back where there is one. */
export function toast(text, undo) {
  const toasts = document.getElementById("toasts");
  const notice = make("div", { class: "toast" }, make("span", {}, text));
  const gone = setTimeout(() => notice.remove(), undo ? 8000 : 5000);
  if (undo) {
    const back = () => { clearTimeout(gone); notice.remove(); undo(); };
    notice.append(make("button", { type: "button", onclick: back }, words.undo));
  }
  toasts?.append(notice);
  return notice;
}

/** Whether something is written on this page that was neither sent nor saved. */
export const isUnsent = () => [...document.querySelectorAll("textarea")].some((area) => area.value.trim() && area.value !== area.dataset.saved);

/** Whether somebody is writing: then single keys are letters, not commands. */
export const isTyping = (target) => target instanceof Element && target.closest("input, textarea, select, [contenteditable]") !== null;
