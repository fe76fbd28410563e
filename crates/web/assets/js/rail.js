// The rail: search as one types, and what can be done with a conversation or a folder.

import { attempt, markup, send } from "./ask.js";
import { confirm, menu, prompt } from "./dialogs.js";
import { acts, find, fragment, toast, words } from "./dom.js";

const PAUSE = 160;

/** `chat` is the state of the page; `hooks.renamed(title)` is told when the open conversation is renamed. */
export function rail(chat, hooks) {
  const list = find("#list");
  const search = find("#search");
  let latest = 0;

  const path = (id) => `/chat/api/conversations/${id}`;

  /** Shows the list, or what the search finds. */
  async function refresh() {
    const query = search.value.trim();
    const number = ++latest;
    const address = query
      ? `/chat/api/search?q=${encodeURIComponent(query)}`
      : `/chat/api/rail?archive=${chat.archive}${chat.conversation && !chat.temporary ? `&here=${chat.conversation}` : ""}`;
    const html = await markup(address);
    if (number === latest) list.replaceChildren(fragment(html));
  }

  let timer = 0;
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => attempt(refresh), search.value ? PAUSE : 0);
  });
  search.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") { event.preventDefault(); find("a", list)?.focus(); }
    if (event.key === "Escape" && search.value) { event.stopPropagation(); search.value = ""; attempt(refresh); }
  });

  const change = (id, body) => attempt(async () => {
    await send("PATCH", path(id), body);
    if (id === chat.conversation) mirror(body);
    await refresh();
  });

  /** Tells the menu of the open conversation what changed. */
  function mirror(body) {
    const { dataset } = find("#options");
    for (const flag of ["pinned", "archived"]) {
      if (body[flag] === true) dataset[flag] = "";
      if (body[flag] === false) delete dataset[flag];
    }
    if (body.folder) dataset.folder = body.folder;
    if (body.folder === null) delete dataset.folder;
  }

  async function archive(id, archived) {
    if (!await change(id, { archived })) return;
    toast(archived ? words.archived : words.unarchived, () => change(id, { archived: !archived }));
  }

  async function rename(id, title) {
    const to = await prompt(words.rename, title);
    if (to && await change(id, { title: to }) && id === chat.conversation) hooks.renamed(to);
  }

  async function remove(id) {
    if (!await confirm(words.deleteChat, words.deleteChatText, words.delete)) return;
    await attempt(async () => {
      await send("DELETE", path(id));
      if (id === chat.conversation) location.assign("/chat");
      else { await refresh(); toast(words.deleted); }
    });
  }

  async function newFolder(id) {
    const name = await prompt(words.newFolder);
    if (!name) return;
    await attempt(async () => {
      const folder = await send("POST", "/chat/api/folders", { name });
      chat.folders.push({ id: folder.id, name });
      await change(id, { folder: folder.id });
    });
  }

  function move(button, id) {
    const here = button.dataset.folder;
    menu(button, [
      ...chat.folders.filter((folder) => folder.id !== here).map((folder) => [folder.name, () => change(id, { folder: folder.id })]),
      ...(here ? [[words.noFolder, () => change(id, { folder: null })]] : []),
      null,
      [`${words.newFolder}…`, () => newFolder(id)],
    ]);
  }

  acts({
    "chat-menu": (button) => {
      const { title } = button.dataset;
      const id = button.dataset.chat ?? chat.conversation;
      const pinned = "pinned" in button.dataset;
      const archived = "archived" in button.dataset;
      menu(button, [
        [words.rename, () => rename(id, title)],
        [pinned ? words.unpin : words.pin, () => change(id, { pinned: !pinned })],
        [`${words.moveTo}…`, () => setTimeout(() => move(button, id))],
        [archived ? words.takeBack : words.putAway, () => archive(id, !archived)],
        null,
        [words.markdown, `/chat/api/export?format=markdown&conversation=${id}`],
        [words.json, `/chat/api/export?format=json&conversation=${id}`],
        null,
        [`${words.delete}…`, () => remove(id), "last"],
      ]);
    },
    "folder-menu": (button) => {
      const { folder: id, title } = button.dataset;
      menu(button, [
        [words.rename, async () => {
          const name = await prompt(words.rename, title);
          if (name) await attempt(async () => { await send("PATCH", `/chat/api/folders/${id}`, { name }); await refresh(); });
        }],
        [`${words.delete}…`, async () => {
          if (!await confirm(words.deleteFolder, words.deleteFolderText, words.delete)) return;
          await attempt(async () => {
            await send("DELETE", `/chat/api/folders/${id}`);
            chat.folders = chat.folders.filter((folder) => folder.id !== id);
            await refresh();
          });
        }, "last"],
      ]);
    },
    "open-rail": (button) => drawer(true, button),
    "close-rail": () => drawer(false),
  });

  function drawer(open) {
    document.body.classList.toggle("drawer", open);
    const button = find("[data-act=open-rail]");
    button.setAttribute("aria-expanded", String(open));
    if (open) search.focus({ preventScroll: true });
    else button.focus();
  }

  document.addEventListener("click", (event) => {
    if (document.body.classList.contains("drawer") && event.target === document.body) drawer(false);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && document.body.classList.contains("drawer")) { event.stopImmediatePropagation(); drawer(false); }
  });

  return { refresh: () => attempt(refresh) };
}
