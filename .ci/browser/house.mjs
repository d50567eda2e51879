// Starts kubemend for the browser tests, and Debian's Chromium before it.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const program = process.env.KUBEMEND || "target/debug/kubemend";
export const PATIENCE = 120_000;

export const launch = () => chromium.launch({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-dev-shm-usage"],
});

// A process whose output is kept; `until` waits for a pattern in it.
class Running {
  constructor(args, env) {
    this.text = "";
    this.child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    this.ended = new Promise((resolve) => this.child.on("exit", resolve));
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.on("data", (data) => { this.text += data; this.look?.(); });
    }
  }

  until(pattern) {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`no ${pattern} in:\n${this.text}`)), PATIENCE);
      this.look = () => {
        const found = this.text.match(pattern);
        if (found) { clearTimeout(late); this.look = null; resolve(found); }
      };
      this.child.on("exit", (code) => reject(new Error(`ended with ${code}:\n${this.text}`)));
      this.look();
    });
  }

  async stop() {
    this.child.kill("SIGTERM");
    await this.ended;
  }
}

// `kubemend demo` with these scenarios.
export const demo = async (...scenarios) => {
  const running = new Running(["demo", ...scenarios.flatMap((name) => ["--scenario", name])]);
  const [, kubeconfig] = await running.until(/kubeconfig\s+(\S+)/);
  const [, link] = running.text.match(/open\s+(\S+)/);
  const [, token] = running.text.match(/token\s+(\S+)/);
  return { link, token, kubeconfig, origin: new URL(link).origin, stop: () => running.stop() };
};

// `kubemend run` before the cluster of a demo, on a port of its own, to be stopped and started again.
export const house = async (kubeconfig) => {
  const folder = mkdtempSync(join(tmpdir(), "kubemend-browser-"));
  const file = join(folder, "kubemend.yaml");
  const token = "browser-test-0123456789";
  const write = (port) => writeFileSync(file, JSON.stringify({
    clusters: [{ name: "demo", source: { kubeconfig: { path: kubeconfig } } }],
    api: { listen: `127.0.0.1:${port}`, tokens: [{ id: "ann", name: "Ann Lee", roles: ["admin"], tokenEnv: "TOKEN" }] },
    gate: { roles: { admin: { grants: [{ actions: ["*"], maxRisk: "high" }], rights: ["pause", "silence", "audit"] } } },
    store: { path: join(folder, "kubemend.db") },
    log: { format: "text", filter: "info" },
  }));
  const port = 20_000 + (process.pid % 20_000);
  write(port);
  let running;
  const start = async () => {
    running = new Running(["run", "--config", file], { TOKEN: token });
    const deadline = Date.now() + PATIENCE;
    while (Date.now() < deadline) {
      const ready = await fetch(`http://127.0.0.1:${port}/login`).then((a) => a.ok, () => false);
      if (ready) return;
      if (running.child.exitCode !== null) throw new Error(running.text);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`it does not answer:\n${running.text}`);
  };
  await start();
  return { origin: `http://127.0.0.1:${port}`, token, start, stop: () => running.stop() };
};

// Signs in with a token, as a person does.
export const signIn = async (page, { origin, token }, next = "/incidents") => {
  await page.goto(`${origin}/login?next=${encodeURIComponent(next)}`);
  await page.fill("#token", token);
  await page.press("#token", "Enter");
  await page.waitForURL((url) => url.pathname === next);
};

// Everything that the page's policy refused, and every script that failed.
export const listen = (page) => {
  const wrong = [];
  page.on("pageerror", (error) => wrong.push(error.message));
  page.on("console", (message) => {
    if (/Content Security Policy|Refused to/.test(message.text())) wrong.push(message.text());
  });
  return wrong;
};

export const axeSource = readFileSync(new URL("./node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
