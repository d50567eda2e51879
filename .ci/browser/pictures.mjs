// Makes docs/images/*.png from a running demo: what the documentation shows is what there is.
import { mkdirSync } from "node:fs";
import { PATIENCE, demo, launch } from "./house.mjs";

const folder = new URL("../../docs/images/", import.meta.url).pathname;
mkdirSync(folder, { recursive: true });
const browser = await launch();
const stage = await demo("pull-secret", "bad-release", "finalizer", "oom", "stale-subpath");
const first = await browser.newContext();
let state;

const open = async (options) => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, deviceScaleFactor: 1, storageState: state, ...options });
  context.setDefaultTimeout(PATIENCE);
  return context.newPage();
};
const row = (title) => `.row:has-text("${title}") .cover`;
const shot = async (page, name, selector) => {
  if (selector) await page.evaluate((what) => window.scrollTo(0, document.querySelector(what).getBoundingClientRect().top + window.scrollY - 70), selector);
  await page.screenshot({ path: `${folder}${name}.png` });
};

try {
  const page = await first.newPage();
  page.setDefaultTimeout(PATIENCE);
  await page.goto(stage.link);
  state = await first.storageState();
  await page.waitForFunction(() => document.querySelectorAll(".row").length >= 5);

  const list = await open();
  await list.goto(`${stage.origin}/incidents`);
  await list.waitForSelector("#link[data-state=on]");
  await shot(list, "incidents");
  await list.click(row("Private registry"));
  await list.waitForSelector(".proposal.open");
  await list.waitForSelector("#link[data-state=on]");
  await list.setViewportSize({ width: 1280, height: 1180 });
  await shot(list, "incident");
  const path = new URL(list.url()).pathname;

  const dark = await open({ colorScheme: "dark" });
  await dark.goto(`${stage.origin}/incidents`);
  await dark.waitForSelector("#link[data-state=on]");
  await shot(dark, "dark");
  const chinese = await open({ locale: "zh-CN" });
  await chinese.goto(stage.origin + path);
  await chinese.waitForSelector("#link[data-state=on]");
  await shot(chinese, "zh-cn");
  const phone = await open({ viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 });
  await phone.goto(`${stage.origin}/incidents`);
  await phone.waitForSelector("#link[data-state=on]");
  await shot(phone, "phone");

  await list.click(".proposal.open button[value=approve]");
  await list.waitForSelector(".execution.running");
  await list.setViewportSize({ width: 1280, height: 860 });
  await shot(list, "executing");
  await list.waitForSelector(".incident-head .outcome.fixed");
  await shot(list, "fixed");
} finally {
  await browser.close();
  await stage.stop();
}
