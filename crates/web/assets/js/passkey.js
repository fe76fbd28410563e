// Passkeys: takes a question from the server to the authenticator and its answer back, as a form.

import "./setup.js";
import { find } from "./dom.js";

const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const known = (list) => (list ?? []).map((one) => ({ ...one, id: bytes(one.id) }));

/** The answer in the form the server reads; binary values in base64url. */
function written(credential) {
  const { response } = credential;
  const answer = { clientDataJSON: text(response.clientDataJSON) };
  if (response.attestationObject) {
    answer.attestationObject = text(response.attestationObject);
    answer.transports = response.getTransports?.() ?? [];
  } else {
    answer.authenticatorData = text(response.authenticatorData);
    answer.signature = text(response.signature);
    answer.userHandle = response.userHandle ? text(response.userHandle) : null;
  }
  return JSON.stringify({ id: credential.id, rawId: text(credential.rawId), type: credential.type, response: answer, extensions: {} });
}

/** Asks the server for a question and the authenticator for its answer. */
async function answer(form) {
  const ticket = form.elements.namedItem("ticket")?.value;
  const options = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(ticket ? { ticket } : {}) };
  const response = await fetch(form.dataset.options, options);
  const asked = await response.json();
  if (!response.ok) throw new Error(asked.detail);
  const publicKey = { ...asked.options, challenge: bytes(asked.options.challenge) };
  form.elements.namedItem("ceremony").value = asked.ticket;
  if (publicKey.user) {
    publicKey.user = { ...publicKey.user, id: bytes(publicKey.user.id) };
    publicKey.excludeCredentials = known(publicKey.excludeCredentials);
    return navigator.credentials.create({ publicKey });
  }
  publicKey.allowCredentials = known(publicKey.allowCredentials);
  return navigator.credentials.get({ publicKey });
}

async function use(form) {
  const word = find(".passkey-word", form);
  const buttons = form.querySelectorAll("button");
  word.textContent = form.dataset.waiting;
  for (const button of buttons) button.disabled = true;
  try {
    form.elements.namedItem("answer").value = written(await answer(form));
    form.dataset.answered = "yes";
    form.submit();
  } catch (error) {
    // What the server says is a sentence for a person; what the browser throws is not.
    word.textContent = error instanceof DOMException || error instanceof TypeError ? form.dataset.failed : error.message;
    for (const button of buttons) button.disabled = false;
  }
}

for (const form of document.querySelectorAll("form.passkey")) {
  if (!globalThis.PublicKeyCredential) continue;
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (form.reportValidity()) use(form);
  });
}
