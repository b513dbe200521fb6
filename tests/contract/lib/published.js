// Files of the pinned packages in which GitHub's descriptions are published; not all packages let them be imported.

import { readFileSync } from 'node:fs'

/** The text of a file of one of Octokit's packages. */
export function published(path) {
  return readFileSync(new URL(`../node_modules/@octokit/${path}`, import.meta.url), 'utf8')
}
