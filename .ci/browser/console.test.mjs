// The console in a browser, from first sight to fixed. Every test waits for what is seen, never for time.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PATIENCE, axeSource, demo, house, launch, listen, signIn } from "./house.mjs";

let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser.close(); });

const open = async (options = {}) => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  return { context, page, wrong: listen(page) };
};
const fixed = ".incident-head .outcome.fixed";
const row = (title) => `.row:has-text("${title}") .cover`;

test("from first sight to fixed by clicking", { timeout: 300_000 }, async () => {
  const stage = await demo("pull-secret");
  const { page, wrong, context } = await open();
  try {
    await page.goto(stage.link);
    await page.click(row("Private registry without credentials"));
    await page.waitForSelector(".proposal.open");
    assert.match(await page.textContent(".lead"), /without credentials/);
    assert.match(await page.textContent(".diff"), /imagePullSecrets/);
    await page.click(".proposal.open button[value=approve]");
    await page.evaluate(() => { window.sameDocument = true; });
    await page.waitForSelector(fixed);
    assert.ok(await page.evaluate(() => window.sameDocument), "the page was loaded anew");
    assert.match(await page.textContent("#history ~ .records"), /Verified: Fixed/);
    await page.click("nav a[href='/incidents']");
    await page.waitForSelector(".group.resolved .row");
    assert.deepEqual(wrong, []);
  } finally { await context.close(); await stage.stop(); }
});

test("a second browser sees the first one's decision without loading anew, and loses nothing that was typed", { timeout: 300_000 }, async () => {
  const stage = await demo("pull-secret");
  const first = await open();
  const second = await open();
  try {
    await first.page.goto(stage.link);
    await first.page.click(row("Private registry"));
    await first.page.waitForSelector(".proposal.open");
    await signIn(second.page, stage, new URL(first.page.url()).pathname);
    await second.page.waitForSelector("#link[data-state=on]");
    await second.page.evaluate(() => { window.sameDocument = true; });
    await second.page.click(".manual > summary");
    await second.page.fill(".silence input[name=note]", "half a thought");
    await second.page.focus(".silence input[name=note]");
    await first.page.click(".proposal.open button[value=approve]");
    await second.page.waitForSelector(".execution");
    await second.page.waitForSelector("#history ~ .records >> text=Approved");
    const kept = await second.page.evaluate(() => [
      window.sameDocument, document.querySelector(".manual").open,
      document.querySelector(".silence input[name=note]").value, document.activeElement.name,
    ]);
    assert.deepEqual(kept, [true, true, "half a thought", "note"]);
    await second.page.waitForSelector(fixed);
    assert.deepEqual([...first.wrong, ...second.wrong], []);
  } finally { await first.context.close(); await second.context.close(); await stage.stop(); }
});

test("a page outlives a restart of the server: it says so, comes back, and the decision counts", { timeout: 400_000 }, async () => {
  const stage = await demo("pull-secret");
  const server = await house(stage.kubeconfig);
  const { page, context } = await open();
  try {
    await signIn(page, server);
    await page.click(row("Private registry"));
    await page.waitForSelector(".proposal.open");
    await page.waitForSelector("#link[data-state=on]");
    await server.stop();
    await page.waitForSelector("#lost:not([hidden])");
    await page.evaluate(() => { window.sameDocument = true; });
    await server.start();
    await page.waitForSelector("#link[data-state=on]");
    assert.ok(await page.isHidden("#lost"));
    assert.ok(await page.evaluate(() => window.sameDocument), "the page was loaded anew");
    await page.click(".proposal.open button[value=approve]");
    await page.waitForSelector(fixed);
  } finally { await context.close(); await server.stop(); await stage.stop(); }
});

test("with the keyboard alone, high risk and its typed confirmation included", { timeout: 300_000 }, async () => {
  const stage = await demo("finalizer");
  const { page, context } = await open();
  const press = (...keys) => keys.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve());
  const focused = () => page.evaluate(() => document.activeElement.outerHTML);
  try {
    await page.goto(stage.link);
    await page.waitForSelector(".row .cover");
    await press("Tab");
    assert.match(await focused(), /class="skip"/);
    await press("j", "Enter");
    await page.waitForSelector(".proposal.open .confirm input");
    await press("?");
    await page.waitForSelector("dialog[open]");
    await press("Escape");
    await press("p");
    assert.match(await focused(), /name="confirmation"/);
    await page.keyboard.type(await page.textContent(".confirm code"));
    await press("Tab");
    assert.match(await focused(), /value="approve"/);
    await press("Enter");
    await page.waitForSelector(fixed);
  } finally { await context.close(); await stage.stop(); }
});

test("without JavaScript everything can be read and decided", { timeout: 300_000 }, async () => {
  const stage = await demo("pull-secret");
  const { page, context } = await open({ javaScriptEnabled: false });
  const again = async (selector) => {
    const deadline = Date.now() + PATIENCE;
    while (!(await page.locator(selector).count())) {
      assert.ok(Date.now() < deadline, `no ${selector}`);
      await page.reload();
    }
  };
  try {
    await page.goto(stage.link);
    await again(row("Private registry"));
    await page.locator(row("Private registry")).click();
    await again(".proposal.open");
    assert.match(await page.locator(".diff").first().textContent(), /imagePullSecrets/);
    await page.locator(".proposal.open button[value=approve]").click();
    await again(fixed);
    for (const path of ["/playbooks?text=secret", "/audit?check=1", "/status"]) {
      await page.goto(stage.origin + path);
      assert.ok(await page.locator("h1").isVisible(), path);
    }
  } finally { await context.close(); await stage.stop(); }
});

test("axe finds nothing serious, light and dark, wide and on a phone", { timeout: 400_000 }, async () => {
  const stage = await demo("pull-secret", "finalizer", "oom");
  const wide = { width: 1280, height: 900 };
  const phone = { width: 360, height: 740 };
  let state;
  try {
    for (const [colorScheme, viewport] of [["light", wide], ["dark", wide], ["light", phone], ["dark", phone]]) {
      const { page, context, wrong } = await open({ colorScheme, viewport, bypassCSP: true, storageState: state });
      if (!state) {
        await page.goto(stage.link);
        state = await context.storageState();
      }
      await page.goto(`${stage.origin}/incidents`);
      await page.waitForSelector(row("Private registry"));
      const incident = await page.getAttribute(row("Private registry"), "href");
      for (const path of ["/incidents", "/incidents?text=nothing-like-it", incident, "/playbooks", "/playbooks/image.auth-missing", "/audit?check=1", "/status", "/cards", "/nothing", "/login"]) {
        await page.goto(stage.origin + path);
        await page.addScriptTag({ content: axeSource });
        const found = await page.evaluate(() => window.axe.run());
        const bad = found.violations.filter((one) => ["serious", "critical"].includes(one.impact));
        const told = bad.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join("\n  ")}`);
        assert.deepEqual(told, [], `${path}, ${colorScheme}, ${viewport.width} px`);
        const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        assert.ok(over <= 0, `${path} is ${over} px wider than ${viewport.width}`);
      }
      assert.deepEqual(wrong, []);
      await context.close();
    }
  } finally { await stage.stop(); }
});

test("a first visit transfers less than 100 KiB, and nothing from elsewhere", { timeout: 300_000 }, async () => {
  const stage = await demo("pull-secret");
  const { page, context, wrong } = await open();
  const hosts = new Set();
  page.on("request", (request) => hosts.add(new URL(request.url()).origin));
  try {
    await page.goto(stage.link);
    await page.waitForSelector("#link[data-state=on]");
    const bytes = await page.evaluate(() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
      .reduce((sum, entry) => sum + entry.transferSize, 0));
    assert.ok(bytes > 0 && bytes < 100 * 1024, `${bytes} bytes`);
    assert.deepEqual([...hosts], [stage.origin]);
    assert.deepEqual(wrong, []);
  } finally { await context.close(); await stage.stop(); }
});
