// Strings that would run a script, ask a stranger or break a page, if something let them.

import type { Random } from "@drydock/core/base/random";

/** Drawn from the parts that such strings are made of, whole ones among them. */
export function attack(random: Random): string {
  const pick = (parts: readonly string[]) => parts[random.next32() % parts.length];
  const script = pick([
    "alert(1)",
    "alert`1`",
    "fetch('//evil.example')",
    "document.body.remove()",
    "location='//evil.example'",
  ]);
  const encoded = pick([
    script,
    script.replace(/./g, (letter) => `&#${letter.charCodeAt(0)};`),
    encodeURIComponent(script),
    script.toUpperCase(),
  ]);
  const scheme = pick([
    "javascript:",
    "JaVaScRiPt:",
    "java\tscript:",
    "java&#10;script:",
    "&#106;avascript:",
    "vbscript:",
    "data:text/html,",
    "data:text/html;base64,",
    "//evil.example/",
    "\\\\evil.example\\",
    "file:///etc/passwd#",
    "blob:",
    "javascript&colon;",
  ]);
  const event = pick([
    "onerror",
    "onload",
    "onclick",
    "onmouseover",
    "onfocus autofocus",
    "ontoggle open",
    "onanimationstart",
    "onpointerenter",
  ]);
  const tag = pick([
    "script",
    "img src=x",
    "svg",
    "svg/onload=1",
    "iframe",
    "object data=x",
    "embed src=x",
    "form action=//evil.example",
    "base href=//evil.example",
    "meta http-equiv=refresh content=0;url=//evil.example",
    "link rel=stylesheet href=//evil.example/x.css",
    "style",
    "details",
    "video src=x",
    "math",
    "input",
    "body",
    "template",
    "a href",
    "marquee",
    "noscript",
    "xmp",
    "textarea",
    "title",
    "plaintext",
  ]);
  return pick([
    `<${tag} ${event}=${encoded}>`,
    `<${tag}>${script}</${tag.split(/[ /]/)[0]}>`,
    `"><${tag} ${event}="${encoded}">`,
    `' ${event}='${encoded}' x='`,
    `" ${event}="${encoded}" x="`,
    `[x](${scheme}${encoded})`,
    `[x](<${scheme}${encoded}>)`,
    `![x](${scheme}${encoded})`,
    `![x](//evil.example/p.png "${event}=${script}")`,
    `<${scheme}${encoded}>`,
    `[x]: ${scheme}${encoded}\n\n[x]`,
    `\`\`\`"><${tag} ${event}=${script}>\n</code></pre><${tag}>\n\`\`\``,
    `    </pre><${tag} ${event}=${script}>`,
    `<!--><${tag} ${event}=${script}>-->`,
    `<![CDATA[><${tag} ${event}=${script}>]]>`,
    `</textarea><${tag} ${event}=${script}>`,
    `</title></style></script><${tag} ${event}=${script}>`,
    `\u0000<\u0000${tag} ${event}=${script}>`,
    `\u202e<${tag}>\u2028\u2029`,
    `| a | b |\n| - | - |\n| <${tag} ${event}=${script}> | [x](${scheme}${encoded}) |`,
    `# <${tag} ${event}=${script}>\n> - [x](${scheme}${encoded})`,
    `&lt;${tag} ${event}=${script}&gt; &amp;lt;script&amp;gt;`,
    "{{constructor.constructor('alert(1)')()}} ${alert(1)} <%= alert(1) %>",
    `<x-y z="\`${script}\`">{${script}}</x-y>`,
  ]);
}
