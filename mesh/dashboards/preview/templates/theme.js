(function () {
  "use strict";
  var root = document.documentElement, dark = matchMedia("(prefers-color-scheme: dark)");
  function stored() { try { return localStorage.getItem("theme"); } catch (e) { return null; } }
  function apply(theme) { root.dataset.theme = theme; document.dispatchEvent(new Event("theme")); }
  apply(stored() || (dark.matches ? "dark" : "light"));
  dark.addEventListener("change", function () { if (!stored()) apply(dark.matches ? "dark" : "light"); });
  // Paper is light. Charts would be drawn again too late for it: they are recoloured as they are.
  var before;
  addEventListener("beforeprint", function () {
    before = root.dataset.theme;
    root.dataset.theme = "light";
    document.dispatchEvent(new CustomEvent("recolour", { detail: [before, "light"] }));
  });
  addEventListener("afterprint", function () {
    root.dataset.theme = before;
    document.dispatchEvent(new CustomEvent("recolour", { detail: ["light", before] }));
  });
  addEventListener("DOMContentLoaded", function () {
    document.getElementById("theme").addEventListener("click", function () {
      var theme = root.dataset.theme === "dark" ? "light" : "dark";
      try { localStorage.setItem("theme", theme); } catch (e) { /* kept for this page only */ }
      apply(theme);
    });
  });
})();
