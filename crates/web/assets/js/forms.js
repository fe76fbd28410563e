// Pages of forms: moments in the reader's own time zone, passwords that can be shown, advice.

import { acts, find, isTyping } from "./dom.js";

for (const time of document.querySelectorAll("time[datetime]")) {
  const moment = new Date(time.dateTime);
  const lang = time.closest("[lang]").lang;
  // The language of the words around it, as the reader's own region writes it.
  const known = navigator.languages.filter((one) => one.startsWith(lang));
  time.title = time.textContent;
  time.textContent = moment.toLocaleString(known.length > 0 ? known : lang, { dateStyle: "long", timeStyle: "short" });
}

for (const button of document.querySelectorAll("[data-act=reveal]")) button.hidden = false;

acts({
  reveal: (button) => {
    const field = document.getElementById(button.dataset.for);
    const shown = field.type === "text";
    field.type = shown ? "password" : "text";
    button.setAttribute("aria-pressed", String(!shown));
    field.focus();
  },
});

const field = find("input[autocomplete=new-password]");
const advice = find("#password-advice");
let timer = 0;

async function advise() {
  const name = find("input[name=name]")?.value ?? "";
  const options = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ password: field.value, name }) };
  const response = await fetch("/setup/advice", options).catch(() => null);
  if (!response?.ok) return;
  const said = await response.json();
  for (const rule of advice.children) rule.classList.toggle("met", said[rule.dataset.rule]);
  find("#password-word").textContent = said.word;
}

if (field && advice) {
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(advise, 220);
  });
}

document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !isTyping(event.target)) find("input")?.focus();
});
