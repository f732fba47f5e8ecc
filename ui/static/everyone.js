/* High contrast on every page: as the system asks for it, or as chosen here and kept in this
   browser. Runs in the head, so that nothing is drawn twice; the button comes with the header. */
(function () {
  "use strict";

  const KEPT = "chadang-contrast";
  const T = { contrast: "高对比", on: "已用高对比显示", off: "已用普通显示" };
  const root = document.documentElement;
  const wanted = window.matchMedia("(prefers-contrast: more)");
  let button = null;

  function chosen() {
    try { return window.localStorage.getItem(KEPT); } catch (error) { return null; }
  }

  function show(on) {
    root.classList.toggle("contrast", on);
    if (button) button.setAttribute("aria-pressed", String(on));
  }

  function follow() {
    const choice = chosen();
    show(choice === "on" || (choice !== "off" && wanted.matches));
  }

  function say(text) {
    document.querySelectorAll(".cd-contrast-said").forEach((old) => old.remove());
    const element = document.createElement("div");
    element.className = "cd-toast cd-contrast-said";
    element.setAttribute("role", "status");
    element.textContent = text;
    document.body.appendChild(element);
    window.setTimeout(() => element.remove(), 1800);
  }

  follow();
  if (wanted.addEventListener) wanted.addEventListener("change", follow);

  document.addEventListener("DOMContentLoaded", () => {
    const nav = document.getElementById("cd-nav");
    const framed = root.classList.contains("cd-widget");
    const place = framed ? document.querySelector(".cd-header-in") : nav;
    if (!place) return;
    button = document.createElement("button");
    button.type = "button";
    button.className = framed ? "cd-size cd-contrast" : "cd-contrast";
    button.textContent = T.contrast;
    button.addEventListener("click", () => {
      const on = !root.classList.contains("contrast");
      show(on);
      try { window.localStorage.setItem(KEPT, on ? "on" : "off"); } catch (error) { /* not kept, still shown */ }
      say(on ? T.on : T.off);
    });
    place.appendChild(button);
    follow();
  });
})();
