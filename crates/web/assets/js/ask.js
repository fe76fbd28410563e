// Requests to our own server.

import { toast, words } from "./dom.js";

/** An answer that was no. */
export class Refused extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

async function ask(method, path, body, type = "application/json") {
  const options = { method, headers: { accept: type } };
  if (body !== undefined) {
    options.headers["content-type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Refused(0, words.offline);
  }
  if (response.ok) return response;
  if (response.status === 401) leave();
  const problem = await response.json().catch(() => ({}));
  throw new Refused(response.status, problem.detail ?? words.wrong);
}

function leave() {
  toast(words.signedOut);
  setTimeout(() => location.assign(`/sign-in?next=${encodeURIComponent(location.pathname)}`), 1200);
}

/** Sends JSON; gives the JSON of the answer, or null. */
export async function send(method, path, body) {
  const response = await ask(method, path, body);
  return response.status === 204 ? null : response.json();
}

/** Sends JSON to something that answers with events, or with JSON while it has no room for them; gives the answer. */
export const open = (path, body) => ask("POST", path, body, "text/event-stream, application/json");

/** Markup of our server. */
export const markup = async (path) => (await ask("GET", path, undefined, "application/json")).text();

/** Does something and tells the person when it fails; gives whether it worked. */
export async function attempt(act) {
  try {
    await act();
    return true;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (error.status !== 401) toast(error.message);
    return false;
  }
}
