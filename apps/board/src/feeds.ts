// Lists as Atom (RFC 4287): serialised here, every text escaped.

import { isoTime } from "@drydock/board/activity-text";

export interface FeedEntry {
  /** What stays when the title changes and the words of the address with it: RFC 4287 §4.2.6. */
  readonly id: string;
  /** Path of the page. */
  readonly path: string;
  readonly title: string;
  readonly author: string;
  readonly publishedAt: number;
  readonly updatedAt: number;
  /** HTML. */
  readonly content: string;
}

/** XML 1.0 has no other control characters than these, and no lone surrogates. */
function xml(text: string): string {
  return text
    .replace(
      /(?![\t\n\r])\p{Cc}|[\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/gu,
      "",
    )
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;")
    .replace(/"/g, "&quot;");
}

/** `origin`: http://localhost:PORT, for absolute addresses. */
export function atomFeed(
  origin: string,
  feed: { readonly path: string; readonly page: string; readonly title: string },
  entries: readonly FeedEntry[],
): string {
  const updated = entries.reduce((latest, entry) => Math.max(latest, entry.updatedAt), 0);
  return `<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
<title>${xml(feed.title)}</title>
<id>${xml(origin + feed.path)}</id>
<updated>${isoTime(updated)}</updated>
<link rel="self" type="application/atom+xml" href="${xml(origin + feed.path)}"/>
<link rel="alternate" type="text/html" href="${xml(origin + feed.page)}"/>
${entries
  .map(
    (entry) => `<entry>
<title>${xml(entry.title)}</title>
<id>${xml(origin + entry.id)}</id>
<link rel="alternate" type="text/html" href="${xml(origin + entry.path)}"/>
<published>${isoTime(entry.publishedAt)}</published>
<updated>${isoTime(entry.updatedAt)}</updated>
<author><name>${xml(entry.author)}</name></author>
<content type="html">${xml(entry.content)}</content>
</entry>`,
  )
  .join("\n")}
</feed>
`;
}
