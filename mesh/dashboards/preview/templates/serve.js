(function () {
  "use strict";
  var picker = document.getElementById("environment");
  picker.addEventListener("change", function () {
    location.pathname = "/" + picker.value + "/" + location.pathname.split("/").pop();
  });
  async function look() {
    try {
      var answer = await fetch("version", { cache: "no-store" });
      if (answer.ok && (await answer.text()) !== picker.dataset.version) { location.reload(); return; }
    } catch (e) { /* the server is gone, or busy: look again later */ }
    setTimeout(look, 2000);
  }
  setTimeout(look, 2000);
})();
