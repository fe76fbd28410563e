// Shows how far the model is, until it answers.

import { markup } from "./ask.js";
import { find, fragment } from "./dom.js";

const EVERY = 1000;

export function readiness() {
  const place = find("#readiness");
  const look = async () => {
    if (!place.firstElementChild) return;
    try {
      place.replaceChildren(fragment(await markup("/chat/api/readiness")));
    } catch {
      // The server is away; the next look will tell.
    }
    setTimeout(look, document.hidden ? EVERY * 10 : EVERY);
  };
  setTimeout(look, EVERY);
}
