import type { SessionStorage } from 'nestjs-distributed-session';

/** An endless sequence of new login ids in the wanted shards, which are the first two digits of their session ids. */
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
