// Lets PyScript run the page's own Python, and nothing else that somebody got into its markup.
//
//     <script src="./own_python.js" data-python="./main.py" data-config="./pyscript.toml"></script>
//
// To a Content-Security-Policy a script of an unknown type is data, and so are elements and attributes that it doesn't
// know; PyScript makes code of them. So they are taken out before it sees them: `<py-script>`, `<py-config>`, handlers
// such as `py-click`, and all scripts in Python but those with one of these `src` and `config` (blanks set several
// apart).
//
// A plain script, and the first thing in the page's head: in front of it, somebody could have PyScript loaded before.
// A second one of these changes nothing.

(() => {
  const KEY = Symbol.for("silent-refresh:own-python"); // no element can have that name
  if (globalThis[KEY]) return;
  Object.defineProperty(globalThis, KEY, { value: true });

  // Elements with a name take the place of what a document or a form has (`<img name=currentScript>`). These don't
  // see them.
  const method = ({ prototype }, name) => Function.prototype.call.bind(prototype[name]);
  const getter = ({ prototype }, name) =>
    Function.prototype.call.bind(Object.getOwnPropertyDescriptor(prototype, name).get);
  const attribute = method(Element, "getAttribute");
  const attributes = method(Element, "getAttributeNames");
  const removeAttribute = method(Element, "removeAttribute");
  const setAttribute = method(Element, "setAttribute");
  const empty = method(Element, "replaceChildren");
  const remove = method(Element, "remove");
  const elementsIn = method(Element, "querySelectorAll");
  const elementsOf = method(Document, "querySelectorAll");
  const attachShadow = method(Element, "attachShadow");
  const nodeType = getter(Node, "nodeType");

  const tag = getter(Document, "currentScript")(document);
  const [sources, configs] = ["data-python", "data-config"].map((name) => (attribute(tag, name) ?? "").split(" "));
  const LANGUAGE = /py/i; // py, mpy, pyodide, micropython, py-editor …, in capitals too
  const ELEMENT = /^m?py-/i;
  const HANDLER = /^(m?py|pyodide|micropython)-/i;

  const isOwn = (script) =>
    script instanceof HTMLScriptElement &&
    attribute(script, "type") === "py" &&
    sources.includes(attribute(script, "src")) &&
    configs.includes(attribute(script, "config") ?? "");

  const tell = (what) => console.error(`silent-refresh: Python in the page's markup was refused: ${what}`);

  const check = (element) => {
    if (nodeType(element) !== Node.ELEMENT_NODE) return;
    const { localName } = element;
    for (const name of attributes(element)) {
      if (!HANDLER.test(name)) continue;
      removeAttribute(element, name);
      tell(name);
    }
    if (localName === "script" && LANGUAGE.test(attribute(element, "type"))) {
      if (isOwn(element)) return empty(element); // PyScript runs what is in a script whose file doesn't come
      setAttribute(element, "type", "refused");
      tell("<script>");
    } else if (ELEMENT.test(localName)) {
      empty(element); // and PyScript, which was told of it in the same moment, finds it empty
      for (const name of attributes(element)) removeAttribute(element, name);
      remove(element);
      tell(`<${localName}>`);
    }
  };

  // Made before PyScript's own, and so called before it.
  const observer = new MutationObserver((records) => {
    for (const { target, addedNodes } of records) {
      check(target);
      for (const node of addedNodes) {
        check(node);
        if (nodeType(node) === Node.ELEMENT_NODE) elementsIn(node, "*").forEach(check);
      }
    }
  });
  const observe = (root) => {
    observer.observe(root, { childList: true, subtree: true, attributes: true });
    return root;
  };
  // As PyScript does, which looks into shadow trees, too.
  Element.prototype.attachShadow = function (init) {
    return observe(attachShadow(this, init));
  };
  observe(document);
  elementsOf(document, "*").forEach(check);
})();
