// Our own HTML as elements: no parser of the browser sees it, so nothing in it can become active.

const tags = new Set(
  "a b code dd div dl dt h2 h3 label li ol p pre section span table tbody td th thead tr ul".split(" "),
);
const attributes = new Set(["class", "href", "id", "start", "tabindex", "title", "value", "role"]);
const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };

const decoded = (text: string): string =>
  text.replace(/&(amp|lt|gt|quot|#39);/g, (_all, name: string) => entities[name]);

/** Takes what the `html` template writes. Throws Error for any tag or attribute that is not one of ours. */
export function domOf(text: string, document: Document): DocumentFragment {
  const root = document.createDocumentFragment();
  const open: (DocumentFragment | Element)[] = [root];
  for (const [, closing, name, rest, words] of text.matchAll(
    /<(\/?)([a-z][a-z0-9]*)((?:\s+[a-z-]+="[^"]*")*)\s*>|([^<]+)/g,
  )) {
    const top = open[open.length - 1];
    if (words !== undefined) top.append(decoded(words));
    else if (closing === "/") {
      if (open.length === 1) throw new Error(`"</${name}>" closes nothing`);
      open.pop();
    } else {
      if (!tags.has(name)) throw new Error(`"${name}" is none of our elements`);
      const element = document.createElement(name);
      for (const [, attribute, value] of rest.matchAll(/\s+([a-z-]+)="([^"]*)"/g)) {
        if (!attributes.has(attribute)) throw new Error(`"${attribute}" is none of our attributes`);
        const plain = decoded(value);
        if (attribute === "href" && !plain.startsWith("/")) throw new Error("a link leads elsewhere");
        element.setAttribute(attribute, plain);
      }
      top.append(element);
      open.push(element);
    }
  }
  if (open.length !== 1) throw new Error("an element is not closed");
  return root;
}
