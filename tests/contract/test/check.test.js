// The check must find what is broken: samples that hold, each broken in one way.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Description } from '../lib/description.js'
import { Webhooks } from '../lib/events.js'
import { EXCEPTIONS } from '../lib/exceptions.js'
import { checkGraphql, githubSchema } from '../lib/graphql.js'
import { alternatives, toldNeeds } from '../lib/operations.js'
import { appNeeds, checkPublishedPermissions, grantFaults, jobsOf, tableFaults, tableOf, workflowFaults } from '../lib/permissions.js'
import { published } from '../lib/published.js'
import { Report } from '../lib/report.js'
import { checkExchange } from '../lib/rest.js'
import { valueFaults } from '../lib/values.js'
import { checkGit, checkSecrets } from '../lib/transport.js'

const github = new Description('api.github.com')
const schema = githubSchema()
const HEADERS = {
  'user-agent': 'promote/0.1.0',
  authorization: '***',
  accept: 'application/vnd.github+json',
  'x-github-api-version': '2022-11-28',
  'content-type': 'application/json',
}

function rest(method, route, path, more) {
  return {
    surface: 'rest', method, route, path, query: '', fault: null, request_headers: HEADERS, request_body: null,
    status: 200, response_headers: { 'content-type': 'application/json; charset=utf-8' }, response_body: null, ...more,
  }
}

const REF = { ref: 'refs/heads/a/b', node_id: 'x', url: 'https://api.github.com/x', object: { type: 'commit', sha: 'a'.repeat(40), url: 'https://api.github.com/y' } }
const getRef = (more) => rest('GET', '/repos/{owner}/{repo}/git/ref/{ref}', '/repos/o/r/git/ref/heads/a/b', { response_body: REF, ...more })
const postRef = (body) => rest('POST', '/repos/{owner}/{repo}/git/refs', '/repos/o/r/git/refs', { request_body: body, status: 201, response_body: REF })
const WORKFLOW = {
  id: 1, node_id: 'x', name: 'x', path: '.github/workflows/x.yml', state: 'active', created_at: '2026-01-01T00:00:00Z', updated_at: '2026-01-01T00:00:00Z',
  url: 'x', html_url: 'x', badge_url: 'x',
}
const listPulls = (query, more) => rest('GET', '/repos/{owner}/{repo}/pulls', '/repos/o/r/pulls', { query, response_body: [], ...more })

function found(check, ...args) {
  const report = new Report()
  check(...args, report)
  return [...report.violations.keys()]
}

const ofRest = (exchange) => found(checkExchange, github, exchange)

/** Exactly one finding, which says all of this. */
function finds(findings, ...parts) {
  assert.equal(findings.length, 1, findings.join('\n'))
  for (const part of parts) assert.ok(findings[0].includes(part), `${part} is not in: ${findings[0]}`)
}

test('what is as it is published is no violation', () => {
  assert.deepEqual(ofRest(getRef()), [])
  assert.deepEqual(ofRest(postRef({ ref: 'refs/heads/a', sha: 'a'.repeat(40) })), [])
  const page = (number) => `<https://api.github.com/repos/o/r/pulls?state=all&per_page=100&page=${number}>`
  const link = `${page(2)}; rel="next", ${page(3)}; rel="last"`
  assert.deepEqual(ofRest(listPulls('state=all&per_page=100', { response_headers: { 'content-type': 'application/json', link } })), [])
})

test('an answer of a wrong type, without a field or with an invented one is found', () => {
  const where = 'GET /repos/{owner}/{repo}/git/ref/{ref} 200'
  finds(ofRest(getRef({ response_body: { ...REF, object: { ...REF.object, type: 7 } } })), where, '/object/type', 'must be string')
  const { node_id: _, ...without } = REF
  finds(ofRest(getRef({ response_body: without })), where, "required property 'node_id'")
  finds(ofRest(getRef({ response_body: { ...REF, invented: 1 } })), where, '/invented', 'not documented')
  finds(ofRest(getRef({ response_body: { ...REF, object: { ...REF.object, more: {} } } })), where, '/object/more', 'not documented')
})

test('a request of a wrong type, without a field or with an invented one is found', () => {
  const where = 'POST /repos/{owner}/{repo}/git/refs request'
  finds(ofRest(postRef({ ref: 'refs/heads/a', sha: 1 })), where, '/body/sha', 'must be string')
  finds(ofRest(postRef({ ref: 'refs/heads/a' })), where, "required property 'sha'")
  finds(ofRest(postRef({ ref: 'refs/heads/a', sha: 'a', force: true })), where, '/body/force', 'not documented')
  finds(ofRest(getRef({ request_body: {} })), '/body', 'a body where none is documented')
  finds(ofRest(postRef(null)), '/body', 'a required body is missing')
})

test('an unknown, wrong or excessive query parameter is found', () => {
  finds(ofRest(listPulls('status=all')), '/query/status', 'a query parameter that is not documented')
  finds(ofRest(listPulls('state=any')), '/query/state', 'open, closed, all')
  finds(ofRest(listPulls('per_page=many')), '/query/per_page', 'must be integer')
  finds(ofRest(listPulls('per_page=1000')), '/query/per_page', 'more than 100')
  finds(ofRest(listPulls('per_page=0')), '/query/per_page', 'less than 1')
  finds(ofRest(listPulls('page=0')), '/query/page', 'less than 1')
  finds(ofRest(listPulls('page=-1')), '/query/page', 'less than 1')
  finds(ofRest(listPulls('state=open&state=all')), '/query/state', 'is given more than once')
})

test('a date that is none, nor a range of dates, is found', () => {
  const runs = (created) => ofRest(rest('GET', '/repos/{owner}/{repo}/actions/runs', '/repos/o/r/actions/runs', {
    query: `created=${encodeURIComponent(created)}`, response_body: { total_count: 0, workflow_runs: [] },
  }))
  for (const text of ['2026-01-01T00:00:00Z', '>=2026-01-01', '<2026-01-01T00:00:00+01:00', '2026-01-01..2026-02-01', '*..2026-01-01', '2026-01-01..*']) assert.deepEqual(runs(text), [])
  for (const text of ['nonsense', '>=', '=>2026-01-01', '2026-13-01', '2026-01-01..', '*..*', '']) finds(runs(text), '/query/created', 'no range of dates')
})

test('a ref that is named in another way than GitHub does is found', () => {
  const at = (ref) => ofRest(getRef({ path: `/repos/o/r/git/ref/${ref}` }))
  assert.deepEqual(at('heads/a/b%20c'), [])
  finds(at('refs/heads/a'), '/path/ref', 'begins with `refs/`')
  finds(at('heads/a%2Fb'), '/path/ref', 'an encoded slash')
  finds(at('heads/a%252Fb'), '/path/ref', 'encoded twice')
})

test('a request without a token, and a text that is too long, are found', () => {
  const { authorization: _, ...nameless } = HEADERS
  finds(ofRest(getRef({ request_headers: nameless })), '/headers/authorization', 'there is no token')
  const comment = (length) => rest('POST', '/repos/{owner}/{repo}/issues/{issue_number}/comments', '/repos/o/r/issues/1/comments', {
    request_body: { body: 'x'.repeat(length) }, status: 410, response_body: { message: 'x' },
  })
  assert.deepEqual(ofRest(comment(65_536)), [])
  finds(ofRest(comment(65_537)), '/body/body', 'more than 65536 characters')
  const pull = { title: 'x', head: 'a', base: 'b', body: 'x'.repeat(65_537) }
  finds(ofRest(rest('POST', '/repos/{owner}/{repo}/pulls', '/repos/o/r/pulls', { request_body: pull, status: 403, response_body: { message: 'x' } })), '/body/body')
})

test('a path that is not of its template, and parts of a wrong type, are found', () => {
  finds(ofRest(getRef({ path: '/repos/o/r/git/refs/heads/a' })), '/path', 'not of the form')
  const pull = rest('PATCH', '/repos/{owner}/{repo}/pulls/{pull_number}', '/repos/o/r/pulls/one', { status: 403, response_body: { message: 'x' } })
  finds(ofRest(pull), '/path/pull_number', 'must be integer')
})

test('an unknown operation or status is found, and so is a refusal that is not listed', () => {
  finds(ofRest(rest('GET', '/repos/{owner}/{repo}/nothing', '/repos/o/r/nothing')), 'an operation that is not documented')
  finds(ofRest(rest('GET', null, '/repos/o/r/nothing')), 'an operation that is not documented')
  finds(ofRest(getRef({ status: 202 })), '202', 'a status that is not documented')
  finds(ofRest(getRef({ status: 418, response_body: { message: 'x' } })), '418', 'a status that is not documented')
  const report = new Report(EXCEPTIONS)
  const refused = (status, response_body = { message: 'x' }) => checkExchange(github, listPulls('', { status, response_body }), report)
  refused(401)
  refused(403)
  assert.deepEqual([...report.violations.keys()], [])
  refused(409)
  finds([...report.violations.keys()], '409', 'a status that is not documented')
})

test('a status, conclusion or state that GitHub does not know is found', () => {
  const of = (path, body, status = 200) => {
    const [method, route] = path.split(' ')
    return valueFaults(github.operation(method, `/repos/{owner}/{repo}${route}`), { status, response_body: body }).map(({ pointer, what }) => `${pointer}: ${what}`)
  }
  const run = (status, conclusion) => of('GET /actions/runs', { workflow_runs: [{ status, conclusion }] })
  for (const [status, conclusion] of [['completed', 'success'], ['completed', 'stale'], ['queued', null]]) assert.deepEqual(run(status, conclusion), [])
  finds(run('completed', 'successful'), '/workflow_runs/0/conclusion: "successful" is none of')
  finds(run('done', null), '/workflow_runs/0/status: "done" is none of')
  finds(run(null, null), '/status: null')
  assert.deepEqual(of('GET /pulls', [{ state: 'open' }, { state: 'closed' }]), [])
  finds(of('GET /pulls', [{ state: 'merged' }]), '/state: "merged" is none of open, closed')
  finds(of('POST /pulls', { state: 'merged' }, 201), '/state: "merged"')
  finds(of('GET /commits/{ref}/statuses', [{ state: 'ok' }]), '/state: "ok" is none of')
})

test('a refusal that does not say why, or tells another status, is found', () => {
  finds(ofRest(getRef({ status: 404, response_body: {} })), '/message', 'does not say why')
  finds(ofRest(getRef({ status: 404, response_body: { message: '' } })), '/message', 'does not say why')
  finds(ofRest(getRef({ status: 404, response_body: { message: 'x', status: '403' } })), '/status', 'is "403" and not "404"')
  const report = new Report(EXCEPTIONS)
  const refused = { ...postRef({ ref: 'refs/heads/a', sha: 'a'.repeat(40) }), status: 422, response_body: { message: 'x', documentation_url: 'y', status: 422 } }
  checkExchange(github, refused, report)
  finds([...report.violations.keys()], '/status', 'is 422 and not "422"')
})

test('the answer of a fault is not held, and its request is', () => {
  assert.deepEqual(ofRest(getRef({ status: 502, fault: '{"status":{}}' })), [])
  finds(ofRest({ ...postRef({ ref: 'x' }), status: 502, fault: '{"status":{}}' }), "required property 'sha'")
})

test('what a test got wrong and the fake refused is not held', () => {
  const refused = { ...postRef({}), status: 422, request_headers: { 'user-agent': 'test' }, response_body: { message: 'x', documentation_url: 'y' } }
  assert.deepEqual(ofRest(refused), [])
})

test("an App's own operation that a token is shown for, and a signature where a token is due, are found", () => {
  const revoke = (signed) => ofRest(rest('DELETE', '/installation/token', '/installation/token', { status: 204, signed, response_headers: {} }))
  assert.deepEqual(revoke(false), [])
  finds(revoke(true), 'DELETE /installation/token request', "takes a token, and the fake an App's signature")
  const refused = (signed) => ofRest(rest('GET', '/repos/{owner}/{repo}/installation', '/repos/o/r/installation', { status: 404, signed, response_body: { message: 'Not Found' } }))
  assert.deepEqual(refused(true), [])
  finds(refused(false), "takes an App's signature, and the fake a token")
})

test('a page that leads elsewhere is found', () => {
  const link = (text, query = '') => ofRest(listPulls(query, { response_headers: { 'content-type': 'application/json', link: text } }))
  const at = (rest) => `<https://api.github.com/repos/o/r/pulls?${rest}>`
  finds(link('https://api.github.com/repos/o/r/pulls?page=2'), '/headers/link', 'is not of the form')
  finds(link(`${at('page=2')}; rel='next'`), 'is not of the form')
  finds(link(`${at('page=3')}; rel="next"`), 'another page')
  finds(link('<https://api.github.com/repos/o/r/issues?page=2>; rel="next"'), 'another operation')
  finds(link('<https://api.evil.test/repos/o/r/pulls?page=2>; rel="next"'), 'another server')
  finds(link(`${at('page=2')}; rel="next", ${at('page=2')}; rel="last"`, 'state=all'), 'does not keep the other parameters')
  finds(link(`${at('page=2&per_page=30')}; rel="next", ${at('page=2&per_page=30')}; rel="last"`, 'per_page=100'), 'does not keep')
  finds(link(`${at('page=1')}; rel="first"`), 'neither a next page nor one before')
  finds(link(`${at('page=4')}; rel="last"`), 'a last page and no next one')
  finds(link(`${at('page=2')}; rel="next"`), 'a next page and no last one')
  const single = getRef({ response_headers: { 'content-type': 'application/json', link: '<https://api.github.com/x?page=2>; rel="next"' } })
  finds(ofRest(single), 'pages where none are documented')
})

test('a list that is cut short without a next page, and a page that is too full, are found', () => {
  const list = (items, total_count, query) => rest('GET', '/repos/{owner}/{repo}/actions/workflows', '/repos/o/r/actions/workflows', {
    query, response_body: { total_count, workflows: Array(items).fill(WORKFLOW) },
  })
  assert.deepEqual(ofRest(list(30, 30, '')), [])
  assert.deepEqual(ofRest(list(1, 3, 'per_page=2&page=2')), [])
  finds(ofRest(list(30, 31, '')), '/headers/link', 'has no next page after 30 of 31 items')
  finds(ofRest(list(2, 5, 'per_page=2&page=2')), 'has no next page after 4 of 5 items')
  finds(ofRest(list(2, 1, '')), '/total_count', 'is 1 after 2 items')
  finds(ofRest(list(31, 31, '')), '31 items on a page of 30')
})

test("pages as GitHub itself links them are accepted", () => {
  const recorded = JSON.parse(published('fixtures/scenarios/api.github.com/paginate-issues/normalized-fixture.json'))
  const path = '/repos/octokit-fixture-org/paginate-issues/issues'
  const links = recorded.map(({ headers, path }) => [headers.link, path.split('?')[1]])
  assert.equal(links.length, 5)
  for (const [link, query] of links) {
    const headers = { 'content-type': 'application/json', link: link.replaceAll('https://api.github.com:443', 'https://api.github.com') }
    assert.deepEqual(ofRest(rest('GET', '/repos/{owner}/{repo}/issues', path, { query, response_body: [], response_headers: headers })), [])
  }
})

test('a recorded secret is found wherever it was sent, and so is an unknown version of the API', () => {
  const named = (more) => getRef({ request_headers: { ...HEADERS, ...more } })
  finds(ofRest(named({ 'x-github-api-version': '2099-01-01' })), '/headers/x-github-api-version')
  for (const surface of ['rest', 'graphql', 'git']) {
    const sent = (headers) => found(checkSecrets, { surface, request_headers: headers })
    assert.deepEqual(sent({ authorization: '***', 'user-agent': 'promote/1 token' }), [])
    for (const value of ['Bearer ghs_x', 'Basic eDp5', 'ghs_x', '']) finds(sent({ authorization: value }), `${surface} request`, 'a secret was recorded')
    finds(sent({ 'proxy-authorization': 'Basic eDp5' }), 'a secret was recorded')
    finds(sent({ 'x-other': 'Basic eDp5eDp5eDp5' }), 'a secret was recorded')
  }
})

test('git: an unknown status, a wrong type and an answer without a token are found', () => {
  const git = (more) => found(checkGit, {
    surface: 'git', method: 'GET', path: '/o/r/info/refs', query: 'service=git-upload-pack', fault: null, request_headers: { authorization: '***' },
    status: 200, response_headers: { 'content-type': 'application/x-git-upload-pack-advertisement' }, ...more,
  })
  assert.deepEqual(git({}), [])
  finds(git({ status: 418 }), 'git GET git-upload-pack 418', 'a status that GitHub does not answer git with')
  finds(git({ response_headers: { 'content-type': 'text/html' } }), 'not of the type')
  finds(git({ request_headers: {} }), 'without a token')
  finds(git({ status: 401, response_headers: {} }), 'does not ask for a token')
  finds(git({ query: 'service=git-upload-archive', status: 404 }), 'a request that git does not make')
})

const MARK = 'mutation($id: ID!) { markPullRequestReadyForReview(input: {pullRequestId: $id}) { pullRequest { isDraft number } } }'
const graphql = (query, variables, response_body) => ({
  surface: 'graphql', method: 'POST', path: '/api/graphql', fault: null, status: 200, request_headers: HEADERS, request_body: { query, variables },
  response_headers: { 'content-type': 'application/json; charset=utf-8' }, response_body,
})
const ofGraphql = (...exchange) => found(checkGraphql, schema, graphql(...exchange))
const marked = (pullRequest) => ({ data: { markPullRequestReadyForReview: { pullRequest } } })

test('GraphQL: an unknown field, a bad variable and a wrong answer are found', () => {
  assert.deepEqual(ofGraphql(MARK, { id: 'x' }, marked({ isDraft: false, number: 1 })), [])
  finds(ofGraphql('{ viewer { nickname } }', {}, { data: { viewer: {} } }), 'query viewer', 'Cannot query field "nickname"')
  finds(ofGraphql(MARK, {}, marked({ isDraft: false, number: 1 })), 'Variable "$id"')
  finds(ofGraphql(MARK, { id: { deep: 1 } }, marked({ isDraft: false, number: 1 })), 'Variable "$id"')
  finds(ofGraphql(MARK, { id: 'x' }, marked({ isDraft: 'no', number: 1 })), '/pullRequest/isDraft')
  finds(ofGraphql(MARK, { id: 'x' }, marked({ isDraft: false })), '/pullRequest/number', 'non-nullable')
  finds(ofGraphql(MARK, { id: 'x' }, marked({ isDraft: false, number: 1, title: 'x' })), '/pullRequest/title', 'not asked for')
})

test('GraphQL: a refusal has the form of errors, and data where its field may be null', () => {
  const error = { type: 'NOT_FOUND', path: ['markPullRequestReadyForReview'], locations: [{ line: 1, column: 1 }], message: 'x' }
  assert.deepEqual(ofGraphql(MARK, { id: 'x' }, { data: { markPullRequestReadyForReview: null }, errors: [error] }), [])
  finds(ofGraphql(MARK, { id: 'x' }, { data: null, errors: [error] }), '/data', 'is null')
  const whole = (body) => found(checkGraphql, schema, { ...graphql(MARK, { id: 'x' }, body), status: 401 })
  assert.deepEqual(whole({ message: 'Bad credentials' }), [])
  finds(whole({}), 'status 401 without a message')
  finds(ofGraphql(MARK, { id: 'x' }, { data: { markPullRequestReadyForReview: null }, errors: [{ ...error, message: 7 }] }), '/errors/*/message')
})

test('GraphQL: errors without data are those of a document that was not executed', () => {
  const refused = (error, more = {}) => ofGraphql(MARK, { id: 'x' }, { errors: [{ message: 'x', ...error }], ...more })
  assert.deepEqual(refused({ extensions: { code: 'undefinedField' } }), [])
  assert.deepEqual(refused({ type: 'RATE_LIMITED' }), [])
  finds(refused({}), '/data', 'though the document was executed')
  const failed = { data: marked({ isDraft: false, number: 1 }).data, errors: [{ message: 'x', path: ['markPullRequestReadyForReview'] }] }
  finds(ofGraphql(MARK, { id: 'x' }, failed), '/data/markPullRequestReadyForReview', 'is there, though it failed')
  finds(refused({ type: 'NOT_FOUND', path: ['markPullRequestReadyForReview'] }), '/data', 'though the document was executed')
  finds(ofGraphql(MARK, { id: 'x' }, {}), '/data', 'no error says why')
})

test('GraphQL: what is sent or answered in a wrong way is found', () => {
  const whole = (more) => found(checkGraphql, schema, { ...graphql(MARK, { id: 'x' }, marked({ isDraft: false, number: 1 })), ...more })
  finds(whole({ response_body: null }), 'status 200 without a body')
  finds(whole({ response_headers: { 'content-type': 'text/html' } }), '/headers/content-type', 'is not JSON')
  finds(whole({ method: 'GET' }), 'is sent by GET')
  finds(whole({ path: '/graphqll' }), 'is sent by POST /graphqll')
  finds(whole({ request_headers: { ...HEADERS, 'content-type': 'text/plain' } }), 'a JSON body is not called so')
  const { authorization: _, ...nameless } = HEADERS
  finds(whole({ request_headers: nameless }), 'there is no token')
  finds(whole({ request_body: { query: MARK, variables: { id: 'x', more: 1 } } }), '/variables/more', 'does not declare')
})

test('an event without a field, with an invented one, or of an unknown action is found', () => {
  const webhooks = new Webhooks('api.github.com')
  const payload = { schedule: '0 6 * * *', workflow: 'x' }
  assert.deepEqual(webhooks.faults('schedule', payload), [])
  assert.match(webhooks.faults('schedule', { ...payload, zone: 'UTC' })[0].what, /not documented/)
  const create = webhooks.faults('create', { ref: 'v1', ref_type: 'label', invented: 1 }).map(({ pointer, what }) => `${pointer}: ${what}`)
  for (const part of ["property 'sender'", '/ref_type: must be equal', '/invented: a field that is not documented']) {
    assert.ok(create.some((line) => line.includes(part)), `${part} is not in ${create}`)
  }
  assert.match(webhooks.faults('workflow_run', { action: 'exploded' })[0].what, /not described/)
})

const need = (permission, level) => ({ permission, level })
const OPERATIONS = [
  { name: 'read it', needs: [[need('contents', 'read')]] },
  { name: 'open it', needs: [[need('issues', 'write')], [need('pull-requests', 'write')]] },
  { name: 'state it', needs: [[need('statuses', 'read')]] },
  { name: 'write it', needs: [[need('statuses', 'write')]] },
]
const TABLE = ['| `contents: read` | a | always |', '| `pull-requests: write` | b | always |', '| `statuses: read` | c | with any |', '| `statuses: write` | d | with less |']
const rowsOf = (lines) => tableOf(`### Permissions\n\n${lines.join('\n')}\n\n## Next\n`)

test('permissions: a row of the table that is missing, needless, raised or says another condition is found', () => {
  const faults = (change) => tableFaults(rowsOf(TABLE.flatMap(change)), OPERATIONS)
  assert.equal(rowsOf(TABLE).length, 4)
  assert.deepEqual(faults((row) => row), [])
  const replaced = (from, to) => faults((row) => row.replace(from, to))
  finds(faults((row) => (row.includes('contents') ? [] : row)), '`read it` needs `contents: read`')
  finds(faults((row) => (row.includes('statuses: read') ? [] : row)), '`statuses: read` is needed in some cases, and has no row')
  finds(faults((row) => (row.includes('contents') ? [row, '| `packages: read` | x | always |'] : row)), 'no operation needs it')
  finds(faults((row) => (row.includes('contents') ? [row, '| `issues: write` | x | always |'] : row)).slice(0, 1), '`issues: write` is needed in some cases only')
  finds(replaced('contents: read', 'contents: write'), '`contents: write` is in it, and no operation needs it')
  finds(replaced('b | always', 'b | with luck'), '`pull-requests: write` is always needed')
  finds(replaced('c | with any', 'c | always'), '`statuses: read` is needed in some cases only')
})

test('permissions: too few, too many and too high are found in a workflow', () => {
  const rows = rowsOf(TABLE)
  const faults = (permissions, inputs = '') => {
    const [{ granted, needless }] = jobsOf(`permissions: {}\njobs:\n  x:\n    permissions: ${permissions}\n    steps:\n      - uses: acme/promote@v1\n${inputs}`)
    return grantFaults(granted, OPERATIONS, rows, needless)
  }
  assert.deepEqual(faults('{ contents: read, pull-requests: write }'), [])
  finds(faults('{ pull-requests: write }'), '`read it` needs')
  finds(faults('{ contents: write, pull-requests: write }'), '`contents: write` is granted, and less would do')
  finds(faults('{ contents: read, pull-requests: write, packages: read }'), '`packages: read` is granted, and no operation')
  finds(faults('{ contents: read, pull-requests: write, statuses: write }'), '`statuses: write` is granted')
  assert.deepEqual(faults('{ contents: read, pull-requests: write, statuses: write }', '        with:\n          evidence: any\n'), [])
  finds(faults('write-all'), 'does not say what is needed')
  assert.deepEqual(workflowFaults('permissions: {}\njobs: {}'), [])
  for (const top of ['permissions: write-all', 'permissions: { contents: read }', 'permissions:', 'name: x']) finds(workflowFaults(`${top}\njobs: {}`), 'has no `permissions: {}`')
})

test('permissions: an App that promote mints a token of is granted what the README says it needs', () => {
  const needs = appNeeds('x. The App needs `contents: read` and `pull-requests: write`; `issues: write` only for labels.')
  assert.deepEqual(needs, { contents: 'read', 'pull-requests': 'write' })
  assert.equal(appNeeds('The App needs nothing.'), null)
  const job = (inputs) => jobsOf(`permissions: {}\njobs:\n  x:\n    permissions: {}\n    steps:\n      - uses: acme/promote@v1\n${inputs}`, needs)[0]
  assert.deepEqual(job('        with:\n          app-id: 1\n').app, needs)
  assert.equal(job('').app, null)
})

test('permissions: an operation that needs two takes both', () => {
  const [both] = [{ name: 'arm it', needs: alternatives('pull_requests=write,contents=write') }]
  assert.equal(toldNeeds(both.needs), '`pull-requests: write` and `contents: write`')
  const faults = (granted) => grantFaults(granted, [both], [])
  assert.deepEqual(faults({ contents: 'write', 'pull-requests': 'write' }), [])
  finds(faults({ contents: 'write' }).slice(0, 1), '`arm it` needs `pull-requests: write` and `contents: write`', 'not granted')
})

test('permissions: what the fake asks for and GitHub does not is found', () => {
  const asked = (method, route, permission) => found(checkPublishedPermissions, [{ method, route: `/repos/{owner}/{repo}${route}`, permission }])
  assert.deepEqual(asked('POST', '/git/trees', 'contents=write'), [])
  assert.deepEqual(asked('GET', '', 'metadata=read'), [])
  for (const permission of ['metadata=read', 'contents=read', 'issues=write', null]) finds(asked('POST', '/git/trees', permission), 'GitHub for `contents: write`')
  const tree = { method: 'POST', route: '/repos/{owner}/{repo}/git/trees' }
  const once = [{ ...tree, permission: 'contents=read' }, { ...tree, permission: 'contents=write' }]
  finds(found(checkPublishedPermissions, once), 'the fake asks for `contents: read`')
})

test('an exception that excuses nothing is found', () => {
  const report = new Report([{ against: /x/, where: /x/, pointer: /x/, what: /x/, reason: 'old' }])
  report.close()
  finds([...report.violations.keys()], 'excuses nothing')
})

test('an empty recording, and one that is cut short, fail', () => {
  const folder = mkdtempSync(join(tmpdir(), 'contract-'))
  const check = (text) => {
    writeFileSync(join(folder, 'recording.jsonl'), text)
    return spawnSync(process.execPath, [fileURLToPath(new URL('../check.js', import.meta.url)), join(folder, 'recording.jsonl')], { encoding: 'utf8' })
  }
  const empty = check('')
  assert.equal(empty.status, 1)
  assert.match(empty.stdout, /the recording: operations of the product: 0, and at least/)
  const cut = check('{"surface":"rest"')
  assert.notEqual(cut.status, 0)
  assert.match(cut.stderr, /line 1 of the recording is not JSON/)
  rmSync(folder, { recursive: true })
})
