// Setup and sign-in: the code from the address, recovery codes to keep.

import "./forms.js";
import { copy } from "./copy.js";
import { acts, find } from "./dom.js";

// The setup code stands after the # so that it reaches no log; it goes into the form and out of the address.
const code = find("#who #code");
if (code && location.hash.length > 1) {
  code.value = decodeURIComponent(location.hash.slice(1));
  history.replaceState(null, "", location.pathname);
  find("#code-field").hidden = true;
  find("#who input:not([type=hidden], #code, [hidden])")?.focus();
}

const codes = () => [...document.querySelectorAll("#codes li")].map((item) => item.textContent).join("\n");

acts({
  "copy-codes": (button) => copy(codes(), button, button.dataset.done),
  "copy-text": (button) => copy(document.getElementById(button.dataset.from).textContent, button, button.dataset.done),
  "download-codes": () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([`Troth, ${location.host}\n\n${codes()}\n`], { type: "text/plain" }));
    link.download = "troth-recovery-codes.txt";
    link.click();
    URL.revokeObjectURL(link.href);
  },
  print: () => print(),
});
