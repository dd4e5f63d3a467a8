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

  async function draw(box) {
    var id = box.dataset.chart, chart = data.charts[id], spec = themed(chart.vega);
    if (views[id]) views[id].finalize();
    spec.width = box.clientWidth;
    spec.height = chart.height;
    box.dataset.width = box.clientWidth;
    var made = await vegaEmbed(box, spec, {
      mode: "vega", renderer: "svg", actions: false, defaultStyle: false, hover: true, tooltip: tooltip,
    });
    views[id] = made.view;
  }

  function focus(id, key) { if (views[id]) views[id].signal("focus", key).runAsync(); }

  var boxes = Array.from(document.querySelectorAll("[data-chart]"));
  document.querySelectorAll(".legend li[data-key]").forEach(function (line) {
    var id = line.closest(".card").id, key = line.dataset.key;
    ["mouseenter", "focus"].forEach(function (name) { line.addEventListener(name, function () { focus(id, key); }); });
    ["mouseleave", "blur"].forEach(function (name) { line.addEventListener(name, function () { focus(id, ""); }); });
  });
  document.addEventListener("theme", function () { boxes.forEach(draw); });
  addEventListener("scroll", function () { tip.hidden = true; }, { passive: true });
  addEventListener("keydown", function (event) { if (event.key === "Escape") tip.hidden = true; });
  if (window.ResizeObserver) {
    var watcher = new ResizeObserver(function (entries) {
      entries.forEach(function (entry) {
        var box = entry.target, view = views[box.dataset.chart];
        if (view && box.clientWidth && +box.dataset.width !== box.clientWidth) {
          box.dataset.width = box.clientWidth;
          view.width(box.clientWidth).runAsync();
        }
      });
    });
    boxes.forEach(function (box) { watcher.observe(box); });
  }

  // Accents do not matter when one searches.
  function folded(text) { return String(text).normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase(); }

  function ranked(box) {
    var id = box.dataset.table, table = data.tables[id];
    var body = box.querySelector("tbody"), search = box.querySelector("input[type=search]");
    var where = box.querySelector(".where"), heads = Array.from(box.querySelectorAll("th"));
    var previous = box.querySelector(".previous"), next = box.querySelector(".next");
    var state = { choice: table.start, sort: 0, down: false, page: 0, words: "" };
    var plural = function (n) { return n.toLocaleString("en-US") + (n === 1 ? " movie" : " movies"); };

    function chosen() { return table.choices.find(function (c) { return c.value === state.choice; }); }
    function order(one, other) {
      var a = one[state.sort][0], b = other[state.sort][0];
      if (a === null || b === null) return a === b ? one[0][0] - other[0][0] : a === null ? 1 : -1;
      var way = typeof a === "string" ? a.localeCompare(b, "en") : a - b;
      return (state.down ? -way : way) || one[0][0] - other[0][0];
    }
    function cell(column, content) {
      var made = element("td", undefined, column.type);
      made.dataset.label = column.label;
      if (column.type === "text") {
        var title = element("bdi", content[1], "title");
        made.append(title);
        if (content[2]) made.append(element("bdi", content[2], "detail"));
      } else if (column.type === "change") {
        made.append(element("span", content[1], "delta " + content[2]));
      } else {
        made.textContent = content[1];
      }
      return made;
    }
    function show() {
      var choice = chosen(), words = folded(state.words).split(/\s+/).filter(Boolean);
      var rows = choice.rows.filter(function (row) {
        var text = folded(table.search.map(function (place) { return row[place[0]][place[1]]; }).join(" "));
        return words.every(function (word) { return text.includes(word); });
      }).sort(order);
      var pages = Math.max(1, Math.ceil(rows.length / table.page_size));
      state.page = Math.min(state.page, pages - 1);
      var first = state.page * table.page_size, part = rows.slice(first, first + table.page_size);
      body.replaceChildren.apply(body, part.map(function (row) {
        var line = element("tr");
        row.forEach(function (content, index) { line.append(cell(table.columns[index], content)); });
        return line;
      }));
      if (!part.length) {
        var none = element("td", state.words ? "Nothing found for this search." :
          "No movie was rated by five users or more in this period.", "none");
        none.colSpan = table.columns.length;
        body.append(element("tr"));
        body.firstChild.append(none);
      }
      where.textContent = part.length ?
        (first + 1) + "–" + (first + part.length) + " of " + plural(rows.length) : plural(0);
      previous.disabled = state.page === 0;
      next.disabled = state.page >= pages - 1;
      heads.forEach(function (head, index) {
        var sorted = index === state.sort;
        head.setAttribute("aria-sort", sorted ? (state.down ? "descending" : "ascending") : "none");
        head.querySelector(".arrow").textContent = sorted && state.down ? "▼" : "▲";
      });
      var label = document.getElementById(id + "-window");
      if (label) label.textContent = choice.window;
      document.getElementById(id + "-against").textContent = choice.before ?
        "Changes are against " + choice.before + ", a span of as many days." : "";
      var notice = document.getElementById(id + "-notice");
      notice.hidden = !table.notice || state.choice !== table.start;
    }
    box.querySelectorAll("input[type=radio]").forEach(function (input) {
      input.addEventListener("change", function () { state.choice = input.value; state.page = 0; show(); });
    });
    search.addEventListener("input", function () { state.words = search.value; state.page = 0; show(); });
    previous.addEventListener("click", function () { state.page -= 1; show(); });
    next.addEventListener("click", function () { state.page += 1; show(); });
    heads.forEach(function (head, index) {
      head.querySelector("button").addEventListener("click", function () {
        var type = table.columns[index].type;
        if (state.sort === index) state.down = !state.down;
        else { state.sort = index; state.down = type === "number" || type === "change" || type === "plain"; }
        state.page = 0;
        show();
      });
    });
    show();
  }

  document.querySelectorAll("[data-table]").forEach(ranked);
  Promise.all(boxes.map(draw)).then(function () { document.documentElement.dataset.ready = "yes"; });
})();
