import type { SessionStorage } from 'nestjs-distributed-session';

/** New login ids without end, of the shards that are wanted: the first two digits of the ids of their sessions. */
export function* loginNames(
  storage: SessionStorage,
  user: string,
  isWanted: (shard: string) => boolean = () => true,
): Iterator<string, undefined> {
  for (let number = 0; ; number++) {
    const loginId = `${user}-${number}`;
    if (isWanted(storage.nextSessionId(loginId).slice(0, 2))) yield loginId;
  }
}
