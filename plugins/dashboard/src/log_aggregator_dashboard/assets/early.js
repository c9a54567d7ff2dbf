// Runs before the modules of the page: asks for the modules and the data that the place in the address will need,
// so that they come at the same time. `api.js` takes the answers. On a later visit of a tab there is nothing to do.

(() => {
  const meta = (name) => document.querySelector(`meta[name=${name}]`).content;
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const page = path.split("/")[0] || "overview";
  for (const name of JSON.parse(meta("modules"))[page] ?? []) {
    document.head.append(Object.assign(document.createElement("link"), { rel: "modulepreload", href: `dashboard/${meta("version")}/${name}.js` }));
  }
  globalThis.earlyAnswers = new Map();
  const kept = (name) => sessionStorage.getItem(`log-aggregator ${name}`);
  if (query || kept("key") || kept("first log")) return;
  const wanted = {
    overview: ["series?since=-24h&step=60&split_by=level"],
    patterns: ["series?since=-24h&step=300&split_by=level", "patterns?since=-24h&order=count&limit=100"],
  };
  for (const path of wanted[page] ?? []) {
    const target = new URL(path, new URL(meta("root"), document.baseURI)).href;
    const answer = fetch(target, { credentials: "omit" });
    answer.catch(() => {}); // told by the one who takes it
    globalThis.earlyAnswers.set(target, answer);
  }
})();
