// A browser that does as it is told: a line of JSON in, [what, ...how]; a line of JSON out. It finds no host but this one.
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const PATIENCE = 20_000; // milliseconds

const browser = await chromium.launch({
  executablePath: process.argv[2],
  args: ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
});
const context = await browser.newContext({ deviceScaleFactor: 2, locale: "nl-NL" });
context.setDefaultTimeout(PATIENCE);
const page = await context.newPage();

const DO = {
  size: (width, height) => page.setViewportSize({ width, height }),
  open: (url) => page.goto(url, { waitUntil: "domcontentloaded" }),
  script: (content) => page.addScriptTag({ content }),
  style: (content) => page.addStyleTag({ content }),
  see: (text) => page.getByText(text).locator("visible=true").last().waitFor(),
  count: (text) => page.getByText(text).locator("visible=true").count(),
  gone: (text) => page.getByText(text).locator("visible=true").last().waitFor({ state: "hidden" }),
  tap: (role, name) => page.getByRole(role, { name, exact: true }).locator("visible=true").last().click(),
  point: (text) => page.getByText(text, { exact: true }).locator("visible=true").last().click(),
  type: async (text) => {
    await page.locator("[role=textbox]").locator("visible=true").last().click();
    await page.keyboard.type(text);
  },
  write: (text) => page.keyboard.type(text),
  fill: (placeholder, text) => page.getByPlaceholder(placeholder).last().fill(text),
  press: (key) => page.keyboard.press(key),
  eval: (code) => page.evaluate(code),
  shoot: (path, selector) => (selector ? page.locator(selector).last() : page).screenshot({ path }),
};

console.log(JSON.stringify(null));
for await (const line of createInterface({ input: process.stdin })) {
  const [what, ...how] = JSON.parse(line);
  try {
    const done = await DO[what](...how);
    console.log(JSON.stringify({ done: ["string", "number"].includes(typeof done) ? done : null }));
  } catch (error) {
    console.log(JSON.stringify({ failed: String(error) }));
  }
}
await browser.close();
