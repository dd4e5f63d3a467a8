(function () {
  "use strict";
  var page = window.dashboard, contents = page.data.contents, element = page.element, folded = page.folded;

  function ranked(box) {
    var id = box.dataset.table, table = contents[id];
    var body = box.querySelector("tbody"), search = box.querySelector("input[type=search]");
    var where = box.querySelector(".where"), heads = Array.from(box.querySelectorAll("th"));
    // A card whose first choice lets nothing be seen comes without the line.
    var card = box.closest(".card"), seen = card.querySelector(".seen") || element("p", "", "seen");
    if (!seen.parentNode) card.querySelector(".head").after(seen);
    var previous = box.querySelector(".previous"), next = box.querySelector(".next");
    var state = { choice: table.start, sort: 0, down: false, page: 0, words: "", all: false };
    var plural = function (n) { return n.toLocaleString("en-US") + " " + (n === 1 ? table.words.one : table.words.several); };

    function chosen() { return table.choices.find(function (c) { return c.value === state.choice; }); }
    function order(one, other) {
      var a = one[state.sort][0], b = other[state.sort][0];
      if (a === null || b === null) return a === b ? one[0][0] - other[0][0] : a === null ? 1 : -1;
      var way = typeof a === "string" ? a.localeCompare(b, "en") : a - b;
      return (state.down ? -way : way) || one[0][0] - other[0][0];
    }
    function cell(column, content, told) {
      var made = element("td", undefined, column.type);
      made.dataset.label = column.label;
      if (column.type === "text") {
        var title = element("bdi", content[1], "title");
        made.append(title);
        if (content[2]) made.append(element("bdi", content[2], "detail"));
      } else if (column.type === "change") {
        var delta = element("span", content[1], "delta " + content[2]);
        if (told[content[2]]) delta.title = told[content[2]];
        made.append(delta);
        if (content[3]) made.append(element("span", content[3], "detail"));
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
      var first = state.all ? 0 : state.page * table.page_size;
      var part = state.all ? rows : rows.slice(first, first + table.page_size);
      body.replaceChildren.apply(body, part.map(function (row) {
        var line = element("tr");
        row.forEach(function (content, index) { line.append(cell(table.columns[index], content, choice.told)); });
        return line;
      }));
      if (!part.length) {
        var none = element("td", words.length && choice.rows.length ? "Nothing found for this search." :
          table.words.nothing + " in this period.", "none");
        none.colSpan = table.columns.length;
        body.append(element("tr"));
        body.firstChild.append(none);
      }
      where.textContent = part.length ?
        (first + 1) + "–" + (first + part.length) + " of " + plural(rows.length) : plural(0);
      previous.disabled = state.page === 0;
      next.disabled = state.page >= pages - 1;
      box.querySelector(".pager").hidden = pages === 1 && !search && table.choices.length === 1;
      heads.forEach(function (head, index) {
        var sorted = index === state.sort;
        head.setAttribute("aria-sort", sorted ? (state.down ? "descending" : "ascending") : "none");
        head.querySelector(".arrow").textContent = sorted && state.down ? "▼" : "▲";
      });
      var label = document.getElementById(id + "-window");
      if (label && choice.window) label.textContent = choice.window;
      seen.textContent = choice.seen;
      seen.hidden = !choice.seen;
      document.getElementById(id + "-against").textContent = choice.against;
      var notice = document.getElementById(id + "-notice");
      notice.hidden = !table.notice || state.choice !== table.start;
    }
    box.querySelectorAll("input[type=radio]").forEach(function (input) {
      input.addEventListener("change", function () { state.choice = input.value; state.page = 0; show(); });
    });
    if (search) search.addEventListener("input", function () { state.words = search.value; state.page = 0; show(); });
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
    // Paper has no pages to turn: all rows that are found are printed.
    function print(all) { if (box.isConnected) { state.all = all; show(); } }
    addEventListener("beforeprint", function () { print(true); });
    addEventListener("afterprint", function () { print(false); });
    show();
  }

  document.querySelectorAll("[data-table]").forEach(ranked);
  document.addEventListener("card", function (event) { event.detail.querySelectorAll("[data-table]").forEach(ranked); });
})();
