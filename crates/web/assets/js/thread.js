// The thread: messages come, grow, are edited, branch and go.

import { Refused, attempt, markup, open, send } from "./ask.js";
import { copy } from "./copy.js";
import { confirm } from "./dialogs.js";
import { acts, find, fragment, make, say, toast, words } from "./dom.js";
import { events, watch } from "./stream.js";

/**
 * `chat` is the state of the page: conversation, temporary, model(). `hooks` has: answering(bool), grown(), end(), titled(title).
 */
export function thread(chat, hooks) {
  const list = find("#thread");
  let turn = null;
  let unwatch = () => {};

  const base = () => `/chat/api/conversations/${chat.conversation}`;
  const suffix = () => (chat.temporary ? "?temporary=true" : "");
  const message = (element) => element.closest(".message");
  const setTurn = (to) => { turn = to; hooks.answering(to !== null); };

  /** Shows the whole branch anew. */
  async function reload() {
    list.replaceChildren(fragment(await markup(`${base()}/thread${suffix()}`)));
    join();
  }

  /** Watches the answer that is being written, when there is one; `asked` when it was asked for here, `first` its events until `over`. */
  function join(asked = false, first, over) {
    const article = find(".streaming", list);
    unwatch();
    setTurn(article?.dataset.turn ?? null);
    if (!article) return;
    const settled = find(".settled", article);
    const tail = find(".tail", article);
    let spoken = false;
    const place = `conversation=${chat.conversation}&temporary=${chat.temporary}`;
    unwatch = watch(turn, place, {
      line: ({ html }) => find(".by", article)?.replaceWith(fragment(html)),
      waiting: ({ html }) => { tail.replaceChildren(fragment(html)); hooks.grown(); },
      piece: (piece) => {
        if (!spoken) say(words.writing);
        spoken = true;
        settled.append(fragment(piece.settled));
        tail.replaceChildren(fragment(piece.tail));
        hooks.grown();
      },
      ended: (end) => {
        setTurn(null);
        // Who only joined may have seen the branch as it was before; who asked saw it change.
        if (!asked) attempt(reload);
        else if (list.contains(article)) article.replaceWith(fragment(end.html));
        hooks.grown();
        say(words.doneWriting);
        if (end.title) hooks.titled(end.title);
      },
      gone: () => attempt(reload),
      lost: () => toast(words.offline),
      back: () => toast(words.back),
    }, first, over);
  }

  /** The first event: what the question began. */
  async function began(coming) {
    const first = await coming.next().catch(() => ({}));
    if (!first.value) throw new Refused(0, words.offline);
    return first.value.data;
  }

  /** Asks; `kind` is say, edit or regenerate. Gives whether the question is kept. */
  async function ask(kind, before = () => {}) {
    const kept = await attempt(async () => {
      const body = { conversation: chat.conversation, temporary: chat.temporary, model: chat.model(), ...kind };
      const answer = await open("/chat/api/ask", body);
      const streams = answer.headers.get("content-type").startsWith("text/event-stream");
      const over = new AbortController();
      const coming = streams ? events(answer, over.signal) : undefined;
      const begun = streams ? await began(coming) : await answer.json();
      before();
      const isNew = chat.conversation === null;
      chat.conversation = begun.conversation;
      if (isNew) history.replaceState(null, "", begun.address);
      const html = fragment(begun.html);
      if (begun.whole) list.replaceChildren(html);
      else list.append(html);
      join(true, coming, over);
      hooks.end();
      hooks.titled(begun.title);
    });
    return kept;
  }

  function edit(button) {
    const article = message(button);
    const said = find(".said", article);
    const tools = find(".tools", article);
    const area = make("textarea", { "aria-label": words.message, maxlength: 65536, rows: 2 });
    area.value = said.textContent;
    const back = () => { form.remove(); said.hidden = tools.hidden = false; button.focus(); };
    const form = make("form", { class: "edit", onsubmit: async (event) => {
      event.preventDefault();
      if (area.value.trim()) await ask({ edit: { message: article.dataset.message, text: area.value } });
    } }, area, make("div", { class: "actions" },
      make("button", { class: "button compact" }, words.send),
      make("button", { class: "quiet compact", type: "button", onclick: back }, words.cancel)));
    area.addEventListener("keydown", (event) => {
      if (event.key === "Escape") { event.stopPropagation(); back(); }
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); form.requestSubmit(); }
    });
    said.hidden = tools.hidden = true;
    said.before(form);
    area.focus();
    area.setSelectionRange(area.value.length, area.value.length);
  }

  acts({
    edit,
    regenerate: (button) => ask({ regenerate: { message: message(button).dataset.message } }),
    branch: (button) => attempt(async () => {
      await send("POST", `${base()}/branch${suffix()}`, { message: button.dataset.to });
      await reload();
      find(`[data-message="${CSS.escape(button.dataset.to)}"] .branch button:not([disabled])`)?.focus();
    }),
    copy: (button) => attempt(async () => {
      const article = message(button);
      const said = find(".said", article);
      const text = said ? said.textContent : await markup(`${base()}/messages/${article.dataset.message}/text${suffix()}`);
      await copy(text, button);
    }),
    "copy-code": (button) => copy(find("code", button.closest(".code")).textContent, button),
    delete: async (button) => {
      if (!await confirm(words.deleteMessage, words.deleteMessageText, words.delete)) return;
      await attempt(async () => {
        await send("DELETE", `${base()}/messages/${message(button).dataset.message}${suffix()}`);
        await reload();
        toast(words.deleted);
      });
    },
  });

  return {
    ask,
    join: () => join(),
    /** Stops the answer; what was shown stays. */
    stop: () => turn && attempt(() => send("POST", `/chat/api/turns/${turn}/stop`)),
    /** Opens the last question for editing. */
    editLast: () => [...list.querySelectorAll(".message.user [data-act=edit]")].at(-1)?.click(),
    isAnswering: () => turn !== null,
  };
}
