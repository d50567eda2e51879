// Makes docs/images/slack-*.png and discord-*.png: the shipped cards as `kubemend templates preview` shows them.
import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { PATIENCE, launch } from "./house.mjs";

const folder = new URL("../../docs/images/", import.meta.url).pathname;
mkdirSync(folder, { recursive: true });
const preview = spawn(process.env.KUBEMEND, ["templates", "preview", "--listen", "127.0.0.1:0"]);
const url = await new Promise((found, failed) => {
  let said = "";
  preview.stdout.on("data", (text) => {
    said += text;
    const open = said.match(/open\s+(http:\S+)/);
    if (open) found(open[1]);
  });
  preview.once("exit", (code) => failed(new Error(`kubemend ended with ${code}: ${said}`)));
});
const browser = await launch();
try {
  const context = await browser.newContext({ viewport: { width: 1000, height: 2000 }, deviceScaleFactor: 2, locale: "en" });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  for (const [name, sample] of Object.entries({ incident: "incident", preview: "preview", fixed: "resolved", digest: "digest", form: "form" })) {
    await page.goto(`${url}?name=${sample}`);
    for (const platform of ["slack", "discord"]) {
      const card = page.locator(`.mock.${platform}`).first().locator(".mock-body");
      await card.screenshot({ path: `${folder}${platform}-${name}.png` });
    }
  }
} finally {
  await browser.close();
  preview.kill();
}
