// What the pages do beyond links and forms: stay up to date, tick, copy, answer to keys. All of it is
// optional: without this script everything can be read and decided.
"use strict";
(() => {
  const root = document.documentElement;
  const byId = (id) => document.getElementById(id);

  // --- times ---------------------------------------------------------------------------------------
  const fill = (text, name, value) => text.replace("{" + name + "}", value);
  const span = (seconds) => {
    const words = root.dataset;
    if (seconds < 60) return fill(words.seconds, "n", seconds);
    if (seconds < 3600) return fill(words.minutes, "n", Math.floor(seconds / 60));
    if (seconds < 172800) return fill(words.hours, "n", Math.floor(seconds / 3600));
    return fill(words.days, "n", Math.floor(seconds / 86400));
  };
  const tick = () => {
    for (const time of document.querySelectorAll("time[title]")) {
      const seconds = Math.trunc((Date.now() - Date.parse(time.dateTime)) / 1000);
      const text = fill(seconds < 0 ? root.dataset.ahead : root.dataset.ago, "span", span(Math.abs(seconds)));
      if (time.textContent !== text) time.textContent = text;
    }
    for (const time of document.querySelectorAll("time[data-clock]")) {
      const at = new Date(time.dateTime);
      time.textContent = String(at.getHours()).padStart(2, "0") + ":" + String(at.getMinutes()).padStart(2, "0");
    }
  };
  setInterval(tick, 5000);

  // --- copy ----------------------------------------------------------------------------------------
  const copyable = () => {
    if (!navigator.clipboard) return;
    for (const button of document.querySelectorAll("[data-copy]")) button.hidden = false;
  };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(byId(button.dataset.copy).textContent);
    const before = button.textContent;
    button.textContent = root.dataset.copied;
    setTimeout(() => { button.textContent = before; }, 1500);
  });

  // --- live ----------------------------------------------------------------------------------------
  // An event says that something changed, not what; the live part is then fetched anew, at most once in
  // `data-every` milliseconds, and the last event always counts. A hidden page waits until it is seen.
  const timers = new WeakMap();
  const refresh = (element) => {
    if (document.hidden) { element.dataset.stale = "1"; return; }
    const known = timers.get(element) || { at: 0, timer: 0 };
    if (known.timer) return;
    const wait = Math.max(0, known.at + Number(element.dataset.every || 1000) - Date.now());
    known.timer = setTimeout(() => {
      known.timer = 0;
      known.at = Date.now();
      delete element.dataset.stale;
      window.htmx.trigger(element, "refresh");
    }, wait);
    timers.set(element, known);
  };
  const live = () => byId("live");
  for (const name of ["sse:list", "sse:incident", "sse:status", "sse:cards"]) {
    document.addEventListener(name, (event) => {
      event.stopImmediatePropagation();
      const element = event.target;
      const wanted = element.dataset.incident;
      const about = event.detail && event.detail.data;
      if (!wanted || !about || about === wanted) refresh(element);
    }, true);
  }
  document.addEventListener("visibilitychange", () => {
    const element = live();
    if (!document.hidden && element && element.dataset.stale) refresh(element);
  });

  let lost = 0;
  let wasOpen = false;
  const state = (name) => {
    const link = byId("link");
    if (link) link.dataset.state = name;
  };
  document.addEventListener("htmx:sseOpen", () => {
    clearTimeout(lost);
    lost = 0;
    state("on");
    byId("lost").hidden = true;
    if (wasOpen && live()) refresh(live());
    wasOpen = true;
  });
  document.addEventListener("htmx:sseError", () => {
    if (lost) return;
    lost = setTimeout(() => { state("off"); byId("lost").hidden = false; }, 2000);
  });
  document.addEventListener("htmx:responseError", (event) => {
    const status = event.detail.xhr.status;
    if (status === 401 || status === 403) window.location.reload();
  });
  // A part that was answered with another page (a login after the session's end) is not put into this one.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (/^\s*<!doctype/i.test(event.detail.xhr.responseText)) {
      event.detail.shouldSwap = false;
      window.location.reload();
    }
  });

  // What somebody typed, opened or looks at stays as it is when the page changes under it.
  const typed = (node) => (node.matches("select") ? [...node.options].some((o) => o.selected !== o.defaultSelected)
    : node.matches("input:not([type=hidden]), textarea") && node.value !== node.defaultValue);
  if (window.Idiomorph) {
    Object.assign(window.Idiomorph.defaults, { ignoreActiveValue: true });
    Object.assign(window.Idiomorph.defaults.callbacks, {
      beforeNodeMorphed: (old) => !(old instanceof Element && old.matches("input, textarea, select") && typed(old)),
      beforeAttributeUpdated: (name, node) =>
        !((name === "open" && node.matches("details")) || (name === "hidden" && node.matches("[data-copy]"))),
    });
  }
  document.addEventListener("htmx:afterSwap", () => { tick(); copyable(); });

  // --- keys ----------------------------------------------------------------------------------------
  const rows = () => [...document.querySelectorAll(".row .cover")];
  const move = (step) => {
    const all = rows();
    if (!all.length) return;
    const at = all.indexOf(document.activeElement);
    const next = all[at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + step))];
    next.focus();
    next.closest(".row").scrollIntoView({ block: "nearest" });
  };
  const keys = {
    j: () => move(1),
    k: () => move(-1),
    "/": () => { const field = byId("search"); if (field) { field.focus(); field.select(); } },
    g: () => window.location.assign("/incidents"),
    p: () => {
      const first = document.querySelector(".proposal.open");
      if (!first) return;
      const into = first.querySelector(".confirm input, .decide button");
      first.scrollIntoView({ block: "start" });
      if (into) into.focus({ preventScroll: true });
    },
    "?": () => { const sheet = byId("keys"); if (sheet.open) sheet.close(); else sheet.showModal(); },
  };
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const menu = byId("menu");
    if (event.key === "Escape" && menu.open) { menu.open = false; menu.querySelector("summary").focus(); return; }
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    const act = keys[event.key];
    if (act) { event.preventDefault(); act(); }
  });
  document.addEventListener("click", (event) => {
    const menu = byId("menu");
    if (menu.open && !menu.contains(event.target)) menu.open = false;
    if (event.target.closest("[data-keys]")) { menu.open = false; byId("keys").showModal(); }
  });

  for (const hidden of document.querySelectorAll("[data-keys]")) hidden.hidden = false;
  copyable();
  tick();
})();
