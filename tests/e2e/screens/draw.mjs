// Draw scenes (JSON on standard input) as PNG files. Nothing is fetched: no host can be found.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import puppeteer from "puppeteer-core";
import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { Message } from "slack-blocks-to-jsx";
import { small } from "./small.mjs";

const { resolve } = createRequire(import.meta.url);
const SHEETS = ["400", "400-italic", "700", "900"].map((face) => `@fontsource/lato/${face}.css`);
SHEETS.push("slack-blocks-to-jsx/dist/style.css", "./slack.css");
const ASKER = "Noor de Wit";
const TIME = new Date("2026-11-23T13:42");

const escaped = (text) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt()};`);

const face = (name, colour) =>
  `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 36 36">
  <rect width="36" height="36" rx="6" fill="${colour}"/><text x="18" y="25" text-anchor="middle" fill="#fff"
  font-family="sans-serif" font-weight="700" font-size="20">${name[0]}</text></svg>`)}`;
const OURS = face("B", "#0b6e4f");

// The renderer takes `verbatim` for "without formatting"; to Slack it is "add no links of your own".
const formatted = (blocks) =>
  JSON.parse(JSON.stringify(blocks), (key, value) => (key === "verbatim" ? undefined : value));

const drawn = (blocks, name = "Bijdehand", logo = OURS) =>
  renderToStaticMarkup(createElement(Message, { blocks: formatted(blocks), name, logo, time: TIME, theme: "light" }));

const typed = (text) => {
  const said = { type: "section", text: { type: "plain_text", text } };
  return `<div class="person">${drawn([said], ASKER, face(ASKER, "#7a5195"))}</div>`;
};

const app = `<img src="${OURS}" alt="">Bijdehand`;

const FRAMES = {
  message: ({ place, text, blocks, whisper }) => `<header>${place ? `# ${escaped(place)}` : app}</header><main>
    ${text ? typed(text) : ""}
    ${whisper ? '<p class="whisper">👁 Only visible to you</p>' : ""}${drawn(blocks)}</main>`,
  home: ({ blocks }) => `<header>${app}</header><nav><b>Home</b><span>Messages</span><span>About</span></nav>
    <main class="view">${drawn(blocks)}</main>`,
  modal: ({ title, close, submit, blocks }) => `<div class="behind"><section>
    <header><img src="${OURS}" alt="">${escaped(title.text)}<span class="close">✕</span></header>
    <main class="view">${drawn(blocks)}</main>
    <footer><span>${escaped(close.text)}</span>${submit ? `<b>${escaped(submit.text)}</b>` : ""}</footer>
    </section></div>`,
};

const page = (scene) => `<!doctype html><html lang="nl"><meta charset="utf-8">
  ${SHEETS.map((name) => `<link rel="stylesheet" href="${pathToFileURL(resolve(name))}">`).join("")}
  <body>${FRAMES[scene.type](scene)}</body></html>`;

const { folder, chromium, scenes } = JSON.parse(readFileSync(0));
const workshop = mkdtempSync(join(tmpdir(), "slack-screens-"));
const browser = await puppeteer.launch({
  executablePath: chromium,
  args: ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND"],
});
try {
  const tab = await browser.newPage();
  for (const scene of scenes) {
    const html = join(workshop, "page.html");
    writeFileSync(html, page(scene));
    await tab.setViewport({ width: scene.width, height: 100, deviceScaleFactor: 2 });
    await tab.goto(pathToFileURL(html).href, { waitUntil: "load" });
    await tab.evaluate(() => document.fonts.ready.then(() => true));
    writeFileSync(join(folder, `slack-${scene.name}.png`), small(await tab.screenshot({ fullPage: true })));
  }
} finally {
  await browser.close();
  rmSync(workshop, { recursive: true });
}
