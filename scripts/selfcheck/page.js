"use strict";
// A student's own check of a capture. Python and the grader are in this page; they run in a worker, which is made from a
// blob and so inherits the page's policy. Nothing is fetched, and nothing is sent.
const LIMIT = 256 * 2 ** 20; // bytes
const element = (id) => document.getElementById(id);
const chooser = element("file");
const progress = element("progress");
const result = element("result");
const stop = element("stop");
const words = JSON.parse(element("words").textContent);
let language = navigator.languages.map((tag) => tag.slice(0, 2)).find((code) => code in words) ?? "en";
let status = ["loading", {}]; // what the line of that name says: a code of the words, and what fills it
let code; // the worker's, as an address
let files; // those that Pyodide asks for
let worker;
let doing = "starting"; // the worker: starting, idle, busy, or broken
let wish = null; // what is or was to be checked: a file's name, and a copy of what it held when it was chosen
let turn = 0; // numbers what is chosen: only the last one counts

function show(state, ...said) {
  document.body.dataset.state = state;
  status = said;
  progress.removeAttribute("value");
  progress.hidden = state !== "loading" && state !== "checking";
  if (document.activeElement === stop && state !== "checking") chooser.focus();
  stop.hidden = state !== "checking";
  speak();
}

// Every word of the page, in the language that is set.
function speak() {
  document.documentElement.lang = language;
  document.title = say("title");
  for (const place of document.querySelectorAll("[data-words]")) place.textContent = say(place.dataset.words);
  for (const button of document.querySelectorAll("[data-language]")) {
    button.setAttribute("aria-pressed", button.dataset.language === language);
  }
  element("status").textContent = say(...status);
}

function say(sentence, values = {}) {
  return words[language][sentence].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

// A block of this page: packed, and written as letters.
async function unpack(id, type) {
  const letters = atob(element(id).textContent);
  element(id).remove();
  const bytes = new Uint8Array(letters.length);
  for (let at = 0; at < bytes.length; at++) bytes[at] = letters.charCodeAt(at);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream, { headers: { "Content-Type": type } }).blob();
}

async function load() {
  try {
    code = URL.createObjectURL(await unpack("code", "text/javascript"));
    files = {
      "pyodide.asm.wasm": await unpack("wasm", "application/wasm"),
      "python_stdlib.zip": await unpack("library", "application/zip"),
    };
    start();
  } catch (error) {
    giveUp(error);
  }
}

// A new worker. Whatever an old one was at ends, and what it still says is not heard.
function start() {
  if (worker) {
    worker.onmessage = null;
    worker.terminate();
  }
  doing = "starting";
  worker = new Worker(code);
  worker.onmessage = ({ data }) => hear(data);
  worker.onerror = ({ message }) => giveUp(message);
  worker.postMessage({ files });
}

function giveUp(error) {
  doing = "broken";
  chooser.disabled = true;
  show("failed", "cannot-run", { error });
}

function hear({ percent, error, verdict, points, page }) {
  if (percent) {
    progress.value = percent;
  } else if (error && doing === "starting") {
    giveUp(error);
  } else if (error) {
    cancel();
    show("failed", "went-wrong", { error });
  } else if (doing === "starting") {
    doing = "idle";
    if (wish) send();
    else if (document.body.dataset.state === "loading") show("ready", "ready");
  } else {
    doing = "idle";
    Object.assign(result.dataset, { verdict, points });
    put(page);
    show("done", "done", { file: wish.name });
  }
}

// The grader's page as it is, in a frame: its style and its names stay inside, and it may run no script.
function put(page) {
  const frame = document.createElement("iframe");
  frame.sandbox = "allow-same-origin";
  frame.title = say("result", { file: wish.name });
  frame.addEventListener("load", () => {
    const inside = frame.contentDocument;
    new ResizeObserver(() => {
      frame.style.height = `${Math.ceil(inside.body.getBoundingClientRect().height)}px`;
    }).observe(inside.body);
    takeDrops(inside);
  });
  frame.srcdoc = page;
  result.replaceChildren(frame);
}

function clear() {
  delete result.dataset.verdict;
  delete result.dataset.points;
  result.replaceChildren();
}

// Have the wish checked. A worker that is busy with an older one is replaced, which is quicker than to wait for it.
function ask() {
  clear();
  show("checking", "checking", { file: wish.name });
  if (doing === "idle") send();
  else if (doing === "busy") start();
}

function send() {
  doing = "busy";
  worker.postMessage({ ...wish, language });
}

function cancel() {
  turn += 1;
  wish = null;
  clear();
  if (doing === "busy") start();
}

async function take(chosen) {
  if (doing === "broken" || chosen.length === 0) return;
  const [file] = chosen;
  const values = { file: file.name };
  // What was dropped over the frame belongs to it, and could not be read any more when the frame is gone.
  const content = new Blob([file]);
  cancel();
  const mine = turn;
  if (chosen.length > 1) return show("failed", "several");
  if (content.size > LIMIT) return show("failed", "too-large", values);
  show("checking", "checking", values);
  try {
    // A file into which is captured anew cannot be read any more, this copy can.
    const copy = new Blob([await content.arrayBuffer()]);
    if (mine !== turn) return;
    wish = { name: values.file, copy };
    ask();
  } catch {
    if (mine === turn) show("failed", "unreadable", values);
  }
}

function takeDrops(where) {
  where.addEventListener("dragover", (event) => event.preventDefault());
  where.addEventListener("drop", (event) => {
    event.preventDefault();
    take([...event.dataTransfer.files]);
  });
}

chooser.addEventListener("change", () => {
  take([...chooser.files]);
  chooser.value = ""; // so that the same file can be chosen again
});
stop.addEventListener("click", () => {
  show("loading", "loading");
  cancel();
});
for (const button of document.querySelectorAll("[data-language]")) {
  button.addEventListener("click", () => {
    if (button.dataset.language === language) return;
    language = button.dataset.language;
    speak();
    if (wish) ask();
  });
}
takeDrops(document);
speak();
document.addEventListener("DOMContentLoaded", load);
