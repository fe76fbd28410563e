// Copying.

import { words } from "./dom.js";

/** Copies `text` and says so on the button for a moment. */
export async function copy(text, button, done = words.copied) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  flash(button, done);
}

function flash(button, done) {
  if (!button || !done) return;
  const label = button.querySelector("svg") ? null : button.textContent;
  const name = button.getAttribute("aria-label");
  if (label === null) {
    button.setAttribute("aria-label", done);
    button.title = done;
    button.classList.add("done");
  } else {
    button.textContent = done;
  }
  setTimeout(() => {
    if (label !== null) button.textContent = label;
    else {
      button.classList.remove("done");
      if (name) { button.setAttribute("aria-label", name); button.title = name; } else { button.removeAttribute("aria-label"); button.removeAttribute("title"); }
    }
  }, 1600);
}
