// Where what is recorded may differ from what is published, and why. One that excuses nothing any more fails the check.

const any = /(?:)/

const exception = ({ against = any, where = any, pointer = any, what = any, reason }) => ({ against, where, pointer, what, reason })

/** Refusals that GitHub gives and does not describe, each by operation and status: all else is a violation. */
const refusals = (reason, what, names) =>
  names.map((name) => exception({ where: new RegExp(`^${name.replace(/[{}/.]/g, '\\$&')}$`), pointer: /^$/, what: new RegExp(`^${what}$`), reason: `${name}: ${reason}` }))

const STATUS = 'a status that is not documented'
const BODY = 'a body that is not documented'

export const EXCEPTIONS = [
  ...refusals('a bad token is refused so wherever it is used', STATUS, ['GET /repos/{owner}/{repo} 401', 'GET /repos/{owner}/{repo}/pulls 401']),
  ...refusals("an App's signature that does not hold is refused so wherever it is shown", STATUS, ['GET /repos/{owner}/{repo}/installation 401']),
  ...refusals('a bad token is refused so wherever it is used, and a person has no installation', STATUS, ['DELETE /installation/token 401', 'DELETE /installation/token 403']),
  ...refusals('a token that lacks the permission is refused so wherever it is used', STATUS, [
    'GET /repos/{owner}/{repo}/actions/runs 403',
    'GET /repos/{owner}/{repo}/actions/workflows 403',
    'GET /repos/{owner}/{repo}/commits/{ref}/check-runs 403',
    'GET /repos/{owner}/{repo}/commits/{ref}/statuses 403',
    'GET /repos/{owner}/{repo}/pulls 403',
    'POST /repos/{owner}/{repo}/check-runs 403',
    'POST /repos/{owner}/{repo}/issues/{issue_number}/labels 403',
    'POST /repos/{owner}/{repo}/statuses/{sha} 403',
  ]),
  ...refusals('a run that was deleted is not there, as nothing that is looked up by its number', STATUS, ['GET /repos/{owner}/{repo}/actions/runs/{run_id} 404']),
  ...refusals('a request without a user agent is refused so wherever it goes', STATUS, ['GET /rate_limit 403']),
  ...refusals('what does not fit is refused so, as the guide to the REST API says of all operations', STATUS, ['POST /repos/{owner}/{repo}/check-runs 422']),
  ...refusals('the description has the status and forgets the form that every refusal has', BODY, [
    'DELETE /repos/{owner}/{repo}/git/refs/{ref} 422',
    'GET /repos/{owner}/{repo}/pulls/{pull_number}/merge 404',
    'POST /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers 422',
  ]),
  exception({
    where: /^POST \/repos\/\{owner\}\/\{repo\}\/issues\/\{issue_number\}\/labels 403$/,
    pointer: /^\/errors$/,
    what: /^a field that is not documented$/,
    reason: 'a label that the token may not create is named in `errors`, as those who met it report; no description has this refusal',
  }),
  exception({
    where: / 422$/,
    pointer: /^\/status$/,
    what: /^a field that is not documented$/,
    reason: 'every error of GitHub carries its status; `basic-error` says so, `validation-error` has not caught up',
  }),
  exception({
    against: /^api\.github\.com$/,
    where: /^GET \/meta 200$/,
    pointer: /^\/installed_version$/,
    what: /not documented/,
    reason: 'the fake answers as a GitHub Enterprise Server does, which tells its version',
  }),
  exception({
    where: /^fixture workflow_run-gone\.json$/,
    pointer: /^\/workflow_run\/head_repository$/,
    what: /must be object/,
    reason: 'the head of a run may be a fork that is gone; the reader must stand it, though no description says so',
  }),
]
