// A document for libraries that write style elements: what they write becomes constructed sheets.

/** `style-src 'self'` refuses style elements and style attributes, not sheets and declarations that a script makes (CSP 3 §8). */
export function sheetDocument(real: Document): Document {
  return new Proxy(real, {
    get(target, key): unknown {
      if (key === "createElement")
        return (name: string) =>
          name.toLowerCase() === "style" ? sheetElement(target) : styledElement(target, name);
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
    set: (target, key, value) => Reflect.set(target, key, value, target),
  });
}

/** Stands where a style element would; its text is a sheet of the whole document while it stands there. */
function sheetElement(real: Document): HTMLElement {
  const element = madeBy(real, "span");
  element.hidden = true;
  const sheet = new CSSStyleSheet();
  real.adoptedStyleSheets.push(sheet);
  let written = "";
  const remove = element.remove.bind(element);
  Object.defineProperties(element, {
    textContent: {
      get: () => written,
      set: (text: string) => {
        written = text;
        sheet.replaceSync(text);
      },
    },
    remove: {
      value: () => {
        real.adoptedStyleSheets = real.adoptedStyleSheets.filter((other) => other !== sheet);
        remove();
      },
    },
  });
  return element;
}

/** A style attribute that is set as text becomes declarations. */
function styledElement(real: Document, name: string): HTMLElement {
  const element = madeBy(real, name);
  const setAttribute = element.setAttribute.bind(element);
  element.setAttribute = (attribute: string, value: string) => {
    if (attribute === "style") element.style.cssText = value;
    else setAttribute(attribute, value);
  };
  return element;
}

/** The browser's own way, also while somebody else's stands in its place. */
const madeBy = (real: Document, name: string): HTMLElement =>
  Document.prototype.createElement.call(real, name);
