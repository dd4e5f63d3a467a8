(function () {
  "use strict";
  var data = JSON.parse(document.getElementById("data").textContent);
  var tip = document.getElementById("tip"), views = {};

  function element(tag, text, name) {
    var made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    if (name) made.className = name;
    return made;
  }

  // Vega's tooltip, with text nodes only: whatever a title holds is shown, never run.
  function tooltip(handler, event, item, value) {
    if (!value) { tip.hidden = true; return; }
    tip.replaceChildren();
    Object.keys(value).forEach(function (key, index) {
      if (index === 0) { tip.append(element("strong", value[key])); return; }
      var line = element("div");
      line.append(element("span", key), element("b", value[key]));
      tip.append(line);
    });
    tip.hidden = false;
    var box = tip.getBoundingClientRect();
    var left = Math.min(event.clientX + 14, innerWidth - box.width - 8);
    var top = event.clientY + 16;
    if (top + box.height > innerHeight - 8) top = event.clientY - box.height - 12;
    tip.style.left = Math.max(8, left) + "px";
    tip.style.top = Math.max(8, top) + "px";
  }

  function themed(spec) {
    var text = JSON.stringify(spec), colours = data.themes[document.documentElement.dataset.theme];
    Object.keys(colours).forEach(function (name) {
      text = text.split('"' + name + '"').join('"' + colours[name] + '"');
    });
    return JSON.parse(text);
  }

  // A panel's data comes in columns, in which nothing stands for what a row does not have.
  function rows(columns) {
    var names = Object.keys(columns);
    return columns[names[0]].map(function (_, index) {
      var row = {};
      names.forEach(function (name) { if (columns[name][index] !== null) row[name] = columns[name][index]; });
      return row;
    });
  }

  async function draw(box) {
    var id = box.dataset.chart, panel = box.dataset.panel, chart = data.charts[id];
    var spec = JSON.parse(JSON.stringify(chart.vega));
    if (panel) spec.data.forEach(function (one) {
      if (chart.panels[panel][one.name]) one.values = rows(chart.panels[panel][one.name]);
    });
    spec = themed(spec);
    if (box.view) box.view.finalize();
    spec.width = box.clientWidth;
    spec.height = chart.height;
    box.dataset.width = box.clientWidth;
    var made = await vegaEmbed(box, spec, {
      mode: "vega", renderer: "svg", actions: false, defaultStyle: false, hover: true, tooltip: tooltip,
    });
    box.view = views[id] = made.view;
  }

  function focus(id, key) { if (views[id]) views[id].signal("focus", key).runAsync(); }

  // Made when it is asked for, out of the page itself: it works without any server.
  document.querySelectorAll("[data-file]").forEach(function (button) {
    button.addEventListener("click", async function () {
      var packed = Uint8Array.from(atob(data.files[button.dataset.file]), function (c) { return c.charCodeAt(0); });
      var stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
      var link = element("a"), text = await new Response(stream).arrayBuffer();
      link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
      link.download = document.body.dataset.page + "." + button.dataset.file + ".csv";
      link.click();
      setTimeout(function () { URL.revokeObjectURL(link.href); }, 1000);
    });
  });

  var boxes = Array.from(document.querySelectorAll("[data-chart]"));
  document.querySelectorAll(".legend li[data-key]").forEach(function (line) {
    var id = line.closest(".card").id, key = line.dataset.key;
    ["mouseenter", "focus"].forEach(function (name) { line.addEventListener(name, function () { focus(id, key); }); });
    ["mouseleave", "blur"].forEach(function (name) { line.addEventListener(name, function () { focus(id, ""); }); });
  });
  document.addEventListener("theme", function () { boxes.forEach(draw); });
  document.addEventListener("recolour", function (event) {
    var from = data.themes[event.detail[0]], to = data.themes[event.detail[1]];
    if (from === to) return;
    document.querySelectorAll("[data-chart] svg *").forEach(function (mark) {
      ["fill", "stroke"].forEach(function (side) {
        var name = Object.keys(from).find(function (one) { return from[one] === mark.getAttribute(side); });
        if (name) mark.setAttribute(side, to[name]);
      });
    });
  });
  addEventListener("scroll", function () { tip.hidden = true; }, { passive: true });
  addEventListener("keydown", function (event) { if (event.key === "Escape") tip.hidden = true; });
  if (window.ResizeObserver) {
    var watcher = new ResizeObserver(function (entries) {
      entries.forEach(function (entry) {
        var box = entry.target, view = box.view;
        if (view && box.clientWidth && +box.dataset.width !== box.clientWidth) {
          box.dataset.width = box.clientWidth;
          view.width(box.clientWidth).runAsync();
        }
      });
    });
    boxes.forEach(function (box) { watcher.observe(box); });
  }

  Promise.all(boxes.map(draw)).then(function () { document.documentElement.dataset.ready = "yes"; });
})();
