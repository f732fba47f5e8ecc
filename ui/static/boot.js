/* Runs before Gradio: Chinese whatever the browser's language, light theme. */
(function () {
  "use strict";
  var define = function (name, value) {
    try {
      Object.defineProperty(navigator, name, { get: function () { return value; }, configurable: true });
    } catch (error) { /* an old browser keeps its own language */ }
  };
  define("language", "zh-CN");
  define("languages", ["zh-CN", "zh"]);
  window.__gradio_mode__ = "app";

  var url = new URL(window.location.href);
  if (url.searchParams.get("__theme") !== "light") {
    url.searchParams.set("__theme", "light");
    window.history.replaceState(window.history.state, "", url.href);
  }
})();
