import { describe, expect, it } from '@jest/globals';
import { FeedPosition } from './feed-position.js';

const row = (number: number, publishedAt = 1_000) => ({ number, publishedAt, change: `change ${number}` });

/** A position that has read up to a row. */
function positionAt(number: number): FeedPosition {
  const position = new FeedPosition();
  position.advance([row(number)]);
  return position;
}

describe('FeedPosition', () => {
  it('begins at the last row that was published, which is not new', () => {
    const position = new FeedPosition();
    expect(position.number).toBeNull();
    expect(position.advance([row(7)])).toEqual([]);
    expect(position.number).toBe(7);
  });

  it('returns the rows after the last one, and moves on to their end', () => {
    const position = positionAt(7);
    expect(position.advance([row(7), row(8), row(9)])).toEqual([row(8), row(9)]);
    expect(position.advance([row(9)])).toEqual([]);
    expect(position.number).toBe(9);
  });

  it.each([
    ['the last row was deleted', [row(9), row(10)]],
    ['the next row was deleted', [row(7), row(9)]],
    ['a row in between was deleted', [row(7), row(8), row(10)]],
    ['the numbers went back', [row(0, 0)]],
    ['the number was given again', [row(7, 2_000), row(8, 2_001)]],
    ['the table is empty', []],
  ])('reports missing rows and begins again when %s', (_name, rows) => {
    const position = positionAt(7);
    expect(position.advance(rows)).toBeUndefined();
    expect(position.number).toBeNull();
    expect(position.advance([row(20)])).toEqual([]);
  });
});
