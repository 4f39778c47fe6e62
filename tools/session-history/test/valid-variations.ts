import type { ValidCalls } from './damage.js';
import type { HistoryEditor } from './edit-history.js';

/** A history that is also possible, and how to change a valid history into it. */
export type Variation = readonly [string, (editor: HistoryEditor, calls: ValidCalls) => void];

const UNSETTLED = { outcome: 'unknown', endedAt: undefined, clockAtEnd: undefined, result: undefined };
const UNKNOWN = { outcome: 'unknown', error: 'ERR_STORAGE_OUTCOME_UNKNOWN', result: undefined };

/** Changes of a valid history that break no promise. */
export const VALID_VARIATIONS: readonly Variation[] = [
  ['nothing is changed', () => {}],
  [
    'a read that overlaps a write sees what was before it',
    (editor, calls) => {
      editor.answer(editor.call(calls.readMeanwhile), calls.secondRead.result!.sessions);
      const { expiresAt, lastAccessedAt } = calls.touched.result!.times![0]!;
      Object.assign(editor.call(calls.readMeanwhile).result!.sessions[0]!, { expiresAt, lastAccessedAt });
    },
  ],
  [
    'a read that overlaps a write sees what is after it',
    (editor, calls) => {
      editor.answer(editor.call(calls.readMeanwhile), calls.overlapped.result!.sessions);
    },
  ],
  [
    'a touch never settles',
    (editor, calls) => {
      Object.assign(editor.call(calls.touchedShort), UNSETTLED);
    },
  ],
  [
    'the reply to a write that others read is lost',
    (editor, calls) => {
      Object.assign(editor.call(calls.firstUpdate), UNKNOWN);
    },
  ],
  [
    'the reply to a creation is lost',
    (editor, calls) => {
      Object.assign(editor.call(calls.created), UNKNOWN);
    },
  ],
  [
    'a rotation never settles',
    (editor, calls) => {
      Object.assign(editor.call(calls.rotated), UNSETTLED);
    },
  ],
  [
    'the replies to endings are lost',
    (editor, calls) => {
      Object.assign(editor.call(calls.ended), UNKNOWN);
      Object.assign(editor.call(calls.endedAll), UNKNOWN);
    },
  ],
  [
    'a session that came due after the last sweep is still counted',
    (editor, calls) => {
      editor.finalRead('sweep').clockAtStart = calls.shortLived.clockAtStart;
      editor.finalRead('count').result!.counts!.sessions += 1;
    },
  ],
  [
    'a feed receives a gap and lacks entries',
    (editor) => {
      editor.feed('a').hasGap = true;
      editor.feed('a').received.splice(3, 5);
    },
  ],
  [
    'a feed breaks off',
    (editor) => {
      delete editor.feed('b').endedAt;
      editor.feed('b').received.splice(-4);
    },
  ],
];
