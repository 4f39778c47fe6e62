import { readFile } from 'node:fs/promises';
import type { Feed, ReceivedChange, History, HistoryCall, HistoryEntry } from './history.js';

/** Combines the entries of any number of clients. Of the two lines of a call, the later one counts. */
export function historyOf(entries: Iterable<HistoryEntry>): History {
  const calls = new Map<string, HistoryCall>();
  const feeds = new Map<string, Feed & { received: ReceivedChange[] }>();
  for (const entry of entries) {
    if (entry.kind === 'call') {
      calls.set(`${entry.client} ${entry.number}`, entry);
      continue;
    }
    const feed = feeds.get(entry.client);
    if (entry.kind === 'feed-started') {
      feeds.set(entry.client, { client: entry.client, startedAt: entry.at, received: [], hasGap: false });
    } else if (feed && entry.kind === 'received') {
      feed.received.push(entry);
      if (entry.change.type === 'feed.gap') feeds.set(entry.client, { ...feed, hasGap: true });
    } else if (feed) {
      feeds.set(entry.client, { ...feed, endedAt: entry.at });
    }
  }
  return { calls: [...calls.values()].toSorted((a, b) => a.startedAt - b.startedAt), feeds: [...feeds.values()] };
}

/** Reads files of JSON lines. The last line of a killed process may be incomplete: it is ignored. */
export async function readHistory(files: readonly string[]): Promise<History> {
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
  const lines = texts.flatMap((text) => text.split('\n').slice(0, -1));
  return historyOf(lines.map((line) => JSON.parse(line) as HistoryEntry));
}
