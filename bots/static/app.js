// Makes the chat quicker; everything also works without it.

const composer = document.getElementById("ask");
const box = composer.elements.q;
const send = composer.querySelector(".send");
const spoken = document.getElementById("status");
const log = document.getElementById("log"); // only the chat page has one
const KEPT = "bijdehand.log"; // for as long as this tab is open, and only in it
const FAILED = ":scope > :not([id], [aria-busy]), :scope > [data-keep]";
const MOST = 20; // entries
const SLOW = 4000; // milliseconds

// -- talking with the server ----------------------------------------------------------------------------------------
async function fetched(url, options = {}) {
  const response = await fetch(url, { ...options, headers: { "X-Requested-With": "fetch" } });
  const piece = document.createElement("template");
  piece.innerHTML = await response.text(); // our own server's HTML, in which every text is escaped
  const element = piece.content.firstElementChild;
  if (!element) throw new Error(`nothing came back: ${response.status}`);
  return { ok: response.ok, element };
}

function posted(form, submitter) {
  const fields = new URLSearchParams(new FormData(form));
  if (submitter?.name) fields.append(submitter.name, submitter.value);
  return fetched(form.getAttribute("action"), { method: "POST", body: fields });
}

function sorry() {
  const line = document.createElement("p");
  line.className = "message sorry";
  line.textContent = composer.dataset.broken;
  return line;
}

// On a phone an answer gets the whole screen; elsewhere nothing moves that is in sight.
function reveal(element) {
  const hidden = element.getBoundingClientRect().top < composer.offsetHeight;
  if (hidden || matchMedia("(max-width: 39.99rem)").matches) element.scrollIntoView();
}

// -- asking ------------------------------------------------------------------------------------------------------------
function waiting(text) {
  const entry = document.createElement("section");
  entry.className = "entry";
  entry.setAttribute("aria-busy", "true");
  const busy = document.createElement("p");
  busy.className = "busy";
  busy.textContent = composer.dataset.searching;
  if (text) {
    const question = document.createElement("h2");
    question.className = "question";
    question.textContent = text;
    entry.append(question);
  }
  entry.append(busy);
  const slow = setTimeout(() => { busy.textContent = composer.dataset.busy; }, SLOW);
  return { entry, stop: () => clearTimeout(slow) };
}

// Show what `request` brings, on top of the conversation. Resolves to whether it went well.
async function show(text, request) {
  document.getElementById("welcome")?.remove();
  for (const failed of log.querySelectorAll(FAILED)) failed.remove();
  const { entry, stop } = waiting(text);
  log.prepend(entry);
  reveal(entry);
  try {
    const { ok, element } = await request();
    entry.replaceWith(element);
    reveal(element);
    return ok && !element.hasAttribute("data-keep");
  } catch {
    entry.querySelector(".busy").replaceWith(sorry());
    entry.removeAttribute("aria-busy");
    return false;
  } finally {
    stop();
  }
}

async function ask(form, submitter) {
  if (send.getAttribute("aria-disabled") === "true") return;
  const text = submitter?.name === "q" ? submitter.value : box.value;
  const request = posted(form, submitter); // reads the box before it is emptied
  send.setAttribute("aria-disabled", "true");
  box.value = "";
  if (matchMedia("(pointer: coarse)").matches) box.blur(); // the keyboard would cover the answer
  const well = await show(text.trim(), () => request);
  send.removeAttribute("aria-disabled");
  if (!well && !box.value) box.value = text; // never lost, and never over what was typed since
}

// -- what can be done with an answer -------------------------------------------------------------------------------
async function turn(entry, request) {
  entry.setAttribute("aria-busy", "true");
  entry.querySelector(":scope > .sorry")?.remove();
  try {
    const { ok, element } = await request;
    if (!ok) return entry.append(element);
    entry.replaceWith(element);
    element.querySelector(".title")?.focus({ preventScroll: true });
    reveal(element);
  } catch {
    entry.append(sorry());
  } finally {
    entry.removeAttribute("aria-busy");
  }
}

async function rate(form, submitter) {
  const details = form.closest("details");
  try {
    const { element } = await posted(form, submitter);
    details.replaceWith(element);
    element.focus();
  } catch {
    form.append(sorry());
  }
}

async function copy(button) {
  const word = button.textContent;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    getSelection().selectAllChildren(button.previousElementSibling); // Ctrl+C still works
    return;
  }
  button.textContent = button.dataset.copied;
  spoken.textContent = button.dataset.copied;
  setTimeout(() => { button.textContent = word; spoken.textContent = ""; }, 1500);
}

// -- listening -----------------------------------------------------------------------------------------------------------
document.addEventListener("submit", (event) => {
  if (!log) return;
  event.preventDefault();
  const { target: form, submitter } = event;
  const action = form.getAttribute("action");
  if (action === "/ask") ask(form, submitter);
  if (action === "/reshape") turn(form.closest(".entry"), posted(form, submitter));
  if (action === "/feedback") rate(form, submitter);
});

document.addEventListener("click", (event) => {
  const button = event.target.closest(".copy");
  if (button) return copy(button);
  const link = event.target.closest("a[data-open], a[data-turn]");
  if (!log || !link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if ("turn" in link.dataset) turn(link.closest(".entry"), fetched(link.href));
  else show(link.firstChild.textContent.trim(), () => fetched(link.href));
});

box.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  composer.requestSubmit(send);
});

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    box.focus();
    box.select();
  }
  if (event.key === "Escape") {
    const open = event.target.closest("details[open]") ?? document.querySelector("details[open]");
    if (!open) return;
    const held = open.contains(document.activeElement);
    open.open = false;
    if (held) open.querySelector("summary").focus();
  }
});

document.addEventListener("toggle", (event) => {
  if (event.target.open) event.target.querySelector(".choices")?.scrollIntoView({ block: "nearest" });
}, true); // this event does not bubble

// -- the conversation outlives a look at an article, not the tab -------------------------------------------------------
function remember() {
  const entries = [...log.children].filter((entry) => entry.id && !entry.matches("[data-keep]")).slice(0, MOST);
  try {
    sessionStorage.setItem(KEPT, entries.map((entry) => entry.outerHTML).join(""));
  } catch { /* no room or no permission: then it does not outlive it */ }
}

function recall() {
  const piece = document.createElement("template");
  try {
    piece.innerHTML = sessionStorage.getItem(KEPT) ?? "";
  } catch { return; }
  const fresh = new Set([...log.children].map((entry) => entry.id));
  const old = [...piece.content.children].filter((entry) => !fresh.has(entry.id));
  log.append(...old);
}

if (log) {
  recall();
  addEventListener("pagehide", remember);
}
