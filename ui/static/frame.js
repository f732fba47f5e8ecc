/* What every page has: the chosen letter size before anything is drawn, the letter-size button, and
   the menu of a narrow screen. Runs in the head, without waiting. */
(function () {
  "use strict";

  const root = document.documentElement;
  const SIZES = { "": "标准字号", lg: "大字号", xl: "特大字号" };
  const KEPT = "chadang-size";

  root.classList.add("cd-script"); // without a script the menu stays open
  try {
    const size = window.localStorage.getItem(KEPT);
    if (size === "lg" || size === "xl") root.classList.add(size);
  } catch (error) { /* storage may be switched off */ }

  let saidTimer = 0;
  function say(text) {
    let box = document.getElementById("cd-size-said");
    if (!box) {
      box = document.createElement("div");
      box.id = "cd-size-said";
      box.className = "cd-toast";
      box.setAttribute("role", "status");
      document.body.append(box);
    }
    box.hidden = false;
    box.textContent = text;
    window.clearTimeout(saidTimer);
    saidTimer = window.setTimeout(() => { box.hidden = true; }, 1800);
  }

  function sizeButton() {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "cd-size";
    button.textContent = "字号";
    button.addEventListener("click", () => {
      const order = Object.keys(SIZES);
      const now = order.findIndex((name) => name && root.classList.contains(name));
      const next = order[(Math.max(0, now) + 1) % order.length];
      root.classList.remove("lg", "xl");
      if (next) root.classList.add(next);
      try { window.localStorage.setItem(KEPT, next); } catch (error) { /* not kept */ }
      say(SIZES[next]);
    });
    return button;
  }

  function start() {
    const menu = document.querySelector(".cd-menu");
    const nav = document.getElementById("cd-nav");
    if (!menu || !nav) { // the sign-in page leads nowhere else
      const header = document.querySelector(".cd-header-in");
      if (header) header.append(sizeButton());
      return;
    }
    menu.before(sizeButton());
    const fold = nav.querySelector(".cd-manage");
    const open = (yes) => {
      menu.setAttribute("aria-expanded", String(yes));
      nav.classList.toggle("cd-open", yes);
      if (fold && yes) fold.open = true;
    };
    menu.addEventListener("click", () => {
      const yes = menu.getAttribute("aria-expanded") !== "true";
      open(yes);
      if (yes) nav.querySelector("a").focus();
    });
    document.addEventListener("click", (event) => {
      if (!nav.contains(event.target) && event.target !== menu) {
        open(false);
        if (fold) fold.open = false;
      }
    });
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !(nav.contains(document.activeElement) || document.activeElement === menu)) return;
      const narrow = nav.classList.contains("cd-open");
      open(false);
      if (narrow) menu.focus();
      else if (fold && fold.open) {
        fold.open = false;
        fold.querySelector("summary").focus();
      }
    });
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
