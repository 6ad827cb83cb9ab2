// The page's words before its Python is loaded, in both languages, and which of them the page speaks.
//
// In index.html `data-start="key"` marks what is put into words here; English stands there already. Whoever sets
// <html lang> to the other language has all of that put into it: the page's Python does when its user chooses one. What is
// said later than that is in app/demo/english.py and chinese.py.

export const TEXTS = {
  en: {
    title: "Silent refresh",
    promise:
      "Signing in gives a page an access token, which soon expires. When that happens while you work, this page renews it once, however many requests need it, and sends them again. You notice nothing; here you can watch.",
    language: "Language",
    footer: "Everything on this page, Python included, comes from this server alone.",
    starting: "Starting Python",
    loading: "Loading …",
    late: "This takes longer than usual. If nothing changes, reload the page.",
    "loading-python": "Loading Python …",
    "starting-python": "Starting Python …",
    "loading-code": "Loading the page's code …",
    "starting-page": "Starting the page …",
    fault: "The page could not start",
    details: "Details",
    "not-there": "The server doesn't have {what}.",
    "not-arrived": "{what} did not arrive from the server.",
    "part-not-arrived": "A part of the page did not arrive.",
    "no-answer": "The server does not answer.",
    "no-webassembly": "This browser has no WebAssembly, which Python needs here.",
    "python-error": "Its Python code stopped with an error: {what}",
    error: "It stopped with an error: {what}",
    "remedy-missing": "Run “make demo” again: it installs what is missing. Then reload this page.",
    "remedy-unreachable": "See that the server is still running (“make demo”), then reload this page.",
    "remedy-unsupported":
      "Use a current Firefox, Chrome, Edge or Safari. Where WebAssembly was switched off, switch it on.",
    "remedy-broken":
      "Reload the page. If this comes again, it is a mistake in the page: please report it, with the details below.",
  },
  "zh-CN": {
    title: "无感刷新",
    promise:
      "登录后，页面得到一个很快就会过期的访问令牌。如果它恰好在您操作时过期，页面只会刷新一次令牌，无论有多少请求在等待，随后自动重发这些请求。您毫无察觉，而在这里可以看到全过程。",
    language: "语言",
    footer: "本页的一切内容（包括 Python）都只来自这台服务器。",
    starting: "正在启动 Python",
    loading: "正在加载……",
    late: "加载时间比平时长。如果一直没有变化，请重新加载页面。",
    "loading-python": "正在加载 Python……",
    "starting-python": "正在启动 Python……",
    "loading-code": "正在加载页面代码……",
    "starting-page": "正在启动页面……",
    fault: "页面无法启动",
    details: "详细信息",
    "not-there": "服务器上没有 {what}。",
    "not-arrived": "{what} 未能从服务器送达。",
    "part-not-arrived": "页面的一部分未能送达。",
    "no-answer": "服务器没有应答。",
    "no-webassembly": "此浏览器没有 WebAssembly，而 Python 在这里需要它。",
    "python-error": "页面的 Python 代码因错误而停止：{what}",
    error: "页面因错误而停止：{what}",
    "remedy-missing": "请重新运行“make demo”，它会安装缺少的文件，然后重新加载此页面。",
    "remedy-unreachable": "请确认服务器仍在运行（“make demo”），然后重新加载此页面。",
    "remedy-unsupported": "请使用最新的 Firefox、Chrome、Edge 或 Safari。如果 WebAssembly 被关闭，请将其打开。",
    "remedy-broken": "请重新加载页面。如果再次出现，则是页面本身的错误：请报告此问题，并附上下面的详细信息。",
  },
};

/** Returns a text in the page's language. */
export function say(key, what = "") {
  return TEXTS[document.documentElement.lang][key].replace("{what}", () => what);
}

/** Returns the language that was chosen, else the browser's; app/demo/words.py keeps the choice. */
function preferred() {
  let chosen = null;
  try {
    chosen = localStorage.getItem("demo-language");
  } catch {
    // Storage is blocked here.
  }
  return (chosen || navigator.language).startsWith("zh") ? "zh-CN" : "en";
}

function putIntoWords() {
  document.title = say("title");
  const choice = document.getElementById("language");
  if (choice) choice.value = document.documentElement.lang;
  for (const marked of document.querySelectorAll("[data-start]")) marked.textContent = say(marked.dataset.start);
}

if (globalThis.document) {
  new MutationObserver(putIntoWords).observe(document.documentElement, { attributeFilter: ["lang"] });
  if (preferred() !== "en") document.documentElement.lang = preferred(); // English stands there already
}
