(function () {
  "use strict";
  var root = document.documentElement, dark = matchMedia("(prefers-color-scheme: dark)");
  function stored() { try { return localStorage.getItem("theme"); } catch (e) { return null; } }
  function apply(theme) { root.dataset.theme = theme; document.dispatchEvent(new Event("theme")); }
  apply(stored() || (dark.matches ? "dark" : "light"));
  dark.addEventListener("change", function () { if (!stored()) apply(dark.matches ? "dark" : "light"); });
  addEventListener("beforeprint", function () { root.dataset.before = root.dataset.theme; apply("light"); });
  addEventListener("afterprint", function () { apply(root.dataset.before || "light"); });
  addEventListener("DOMContentLoaded", function () {
    document.getElementById("theme").addEventListener("click", function () {
      var theme = root.dataset.theme === "dark" ? "light" : "dark";
      try { localStorage.setItem("theme", theme); } catch (e) { /* kept for this page only */ }
      apply(theme);
    });
  });
})();
