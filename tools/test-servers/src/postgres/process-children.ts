import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A process's children that it has not yet reaped. */
export function childrenOf(pid: number): number[] {
  try {
    return numbers(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'));
  } catch {
    return childrenByPs(pid);
  }
}

/** For systems other than Linux. */
function childrenByPs(pid: number): number[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).split('\n').map(numbers);
  return lines.flatMap(([child, parent]) => (child !== undefined && parent === pid ? [child] : []));
}

function numbers(text: string): number[] {
  return (text.match(/\d+/gu) ?? []).map(Number);
}
