// Holds a recording of the whole test suite against GitHub's published descriptions: `node check.js RECORDING`.
//
// The fake GitHub and the client were written together and could agree on a GitHub that does not exist. Here both
// are held against what GitHub says of itself. `--write` refreshes `docs/operations.md`.

import { existsSync, readFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { Description } from './lib/description.js'
import { Webhooks, checkEvents, deliveredWhole } from './lib/events.js'
import { EXCEPTIONS } from './lib/exceptions.js'
import { checkGraphql, githubSchema } from './lib/graphql.js'
import { operationsOf, rendered } from './lib/operations.js'
import { appNeeds, checkPublishedPermissions, grantFaults, jobsOf, tableFaults, tableOf, workflowFaults, workflowsIn } from './lib/permissions.js'
import { byProduct, readRecording } from './lib/recording.js'
import { Report } from './lib/report.js'
import { checkExchange } from './lib/rest.js'
import { checkGit, checkSecrets } from './lib/transport.js'

/** The descriptions that requests, answers and events are held against; the first is the one that names things. */
const DESCRIPTIONS = ['api.github.com', 'ghes-3.18', 'ghes-3.19']

/** Less than this, and the recording is not of the whole suite, or tests were lost. */
const FLOORS = {
  'operations of the fake': 83,
  'operations of the product': 34,
  'requests, api.github.com': 1000,
  'answers, api.github.com': 1000,
  'GraphQL documents': 60,
  'GraphQL answers': 60,
  'git exchanges': 300,
  'payloads, api.github.com': 40,
  'fixtures of events': 13,
  'workflows whose permissions are checked': 4,
}

const ROOT = new URL('../../', import.meta.url)
const OPERATIONS = 'docs/operations.md'
const text = (path) => readFileSync(new URL(path, ROOT), 'utf8')

function checkRecording(recording, report) {
  const schema = githubSchema()
  const used = []
  for (const name of DESCRIPTIONS) {
    const description = new Description(name)
    recording.rest.forEach((exchange) => checkExchange(description, exchange, report))
    if (used.length === 0) used.push(...usedBy(recording, description, schema))
  }
  const [operations, split] = used
  recording.graphql.forEach((exchange) => checkGraphql(schema, exchange, report))
  recording.git.forEach((exchange) => checkGit(exchange, report))
  for (const exchange of [...recording.rest, ...recording.graphql, ...recording.git]) checkSecrets(exchange, report)
  checkPublishedPermissions(recording.rest, report)
  const routes = new Set(recording.rest.filter(({ route }) => route !== null).map(({ method, route }) => `${method} ${route}`))
  report.count('operations of the fake', routes.size)
  report.count('operations of the product', operations.length)
  return { operations, split }
}

/** The operations of the product, and those of each token where a run had two. */
function usedBy(recording, description, schema) {
  const operations = operationsOf(recording, description, schema)
  return [operations, splitByToken(operations, recording, description, schema)]
}

/** Payloads that the fake makes, and the hand-written fixtures, which show a part of one each. */
function checkAllEvents(events, report) {
  for (const name of DESCRIPTIONS) checkEvents(new Webhooks(name), events, report)
  const whole = deliveredWhole(events, report)
  const supported = [.../EVENTS: &\[&str\] = &\[([^\]]+)\]/.exec(text('src/settings/event.rs'))[1].matchAll(/"(\w+)"/g)]
  for (const [, event] of supported) {
    if (!whole.has(event)) report.violation({ against: 'the recording', where: `event ${event}`, what: 'no run was started with one as it was made' })
  }
  const partial = new Webhooks(DESCRIPTIONS[0], { partial: true })
  for (const file of readdirSync(new URL('tests/fixtures/events/', ROOT))) {
    const event = file.replace(/\.json$/, '').split('-')[0]
    const where = `fixture ${file}`
    partial.faults(event, JSON.parse(text(`tests/fixtures/events/${file}`))).forEach((fault) => report.violation({ against: 'webhooks', where, ...fault }))
    report.count('fixtures of events')
  }
}

function checkOperationsPage(operations, report, write) {
  const page = rendered(operations)
  const current = existsSync(new URL(OPERATIONS, ROOT)) ? text(OPERATIONS) : ''
  if (page === current) return
  if (write) {
    mkdirSync(new URL('docs/', ROOT), { recursive: true })
    writeFileSync(new URL(OPERATIONS, ROOT), page)
  } else report.violation({ against: OPERATIONS, where: 'the page', what: 'is not what the recording says: run `.ci/contract --write`' })
}

function checkPermissions({ operations, split }, report) {
  const readme = text('README.md')
  const rows = tableOf(readme)
  const say = (where) => (what) => report.violation({ against: 'permissions', where, what })
  tableFaults(rows, operations).forEach(say("the README's table"))
  const sample = 'examples/quickstart/sample/.github/workflows/promote.yml'
  const workflows = [...workflowsIn(readme).map((yaml) => ['README.md', yaml]), [sample, text(sample)]]
  for (const [file, yaml] of workflows) {
    workflowFaults(yaml).forEach(say(file))
    for (const { job, granted, app, needless } of jobsOf(yaml, appNeeds(readme))) {
      const where = `${file}, job ${job}${app ? ' with an App' : ''}`
      grantFaults(granted, app ? split.job : operations, rows, needless).forEach(say(where))
      if (app) grantFaults(app, split.app, rows, needless).forEach(say(`${where}, the App's token`))
      report.count('workflows whose permissions are checked')
    }
  }
}

/** What the job's own token and the App's are used for, where a run had both. */
function splitByToken(operations, recording, description, schema) {
  const sent = [...recording.rest.filter(byProduct), ...recording.graphql.filter(byProduct), ...recording.git]
  const logins = new Map()
  for (const { fake, login } of sent) {
    if (login) logins.set(fake, new Set([...(logins.get(fake) ?? []), login]))
  }
  const both = sent.filter(({ fake }) => logins.get(fake)?.size > 1)
  const used = (own) => operationsOf(pick(both.filter(({ login }) => login && (login === 'github-actions[bot]') === own)), description, schema)
  const known = new Map(operations.map((operation) => [operation.name, operation]))
  const withNeeds = (all) => all.map(({ name }) => known.get(name))
  return { job: withNeeds(used(true)), app: withNeeds(used(false)) }
}

function pick(exchanges) {
  const of = (surface) => exchanges.filter((exchange) => exchange.surface === surface)
  return { rest: of('rest'), graphql: of('graphql'), git: of('git') }
}

function print(report) {
  const lines = (title, found) => {
    if (found.length) console.log(`\n${title}\n${found.map((line) => `  ${line}`).join('\n')}`)
  }
  lines('figures', [...report.figures].map(([what, count]) => `${String(count).padStart(6)}  ${what}`))
  const told = ([line, { count, against }]) => `${[...against].join(', ')}: ${line} (${count})`
  lines('excused', report.excused().map(({ reason, used }) => `${reason} (${used})`))
  lines('VIOLATIONS', [...report.violations].map(told))
  console.log(`\n${report.violations.size} violations`)
}

function main([path, ...flags]) {
  if (!path || flags.some((flag) => flag !== '--write')) {
    console.error('usage: node check.js RECORDING [--write]')
    return 2
  }
  const report = new Report(EXCEPTIONS)
  const recording = readRecording(path)
  const used = checkRecording(recording, report)
  checkAllEvents(recording.events, report)
  checkOperationsPage(used.operations, report, flags.includes('--write'))
  checkPermissions(used, report)
  report.close()
  for (const [what, floor] of Object.entries(FLOORS)) {
    const found = report.figure(what)
    if (found < floor) report.violation({ against: 'the recording', where: what, what: `${found}, and at least ${floor} are due` })
  }
  print(report)
  return report.violations.size > 0 ? 1 : 0
}

try {
  process.exitCode = main(process.argv.slice(2))
} catch (error) {
  console.error(`error: ${error.message}`)
  process.exitCode = 1
}
