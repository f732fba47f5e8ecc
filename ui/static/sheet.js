/* The result sheet: its print button. */
(function () {
  "use strict";
  const button = document.getElementById("cds-print");
  if (button) button.addEventListener("click", () => window.print());
})();
