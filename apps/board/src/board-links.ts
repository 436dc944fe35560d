// Addresses of the board's pages. Every one is a path; a published copy turns them into files.

import { slugOf } from "@drydock/board/field-rules";
import type { Symptom } from "@drydock/board/records";

export function postPath(post: { readonly id: number; readonly title: string }): string {
  const slug = slugOf(post.title);
  return slug === "" ? `/p/${post.id}` : `/p/${post.id}-${slug}`;
}

export const topicPath = (slug: string): string => `/t/${slug}`;
export const tagPath = (tag: string): string => `/tags/${tag}`;
export const symptomPath = ({ kind, value }: Symptom): string =>
  `/symptoms/${kind}/${encodeURIComponent(value)}`;

/** A case's address is the case: its seed, a side and a step, never how a window looks. */
export function casePath(
  id: string,
  place: { readonly seed?: number; readonly side?: string; readonly step?: number } = {},
): string {
  const query = Object.entries(place)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
  return query === "" ? `/cases/${id}` : `/cases/${id}?${query}`;
}
