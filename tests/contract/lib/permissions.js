// The permissions that are asked of users against those that are used: the README's table, every workflow that runs
// promote, and what GitHub publishes of the permissions that operations need.

import { parse } from 'yaml'
import { published } from './published.js'
import { alternatives, toldNeeds } from './operations.js'

const LEVELS = ['none', 'read', 'write']
const rank = (level) => LEVELS.indexOf(level ?? 'none')
const told = ({ permission, level }) => `\`${permission}: ${level}\``

/** What only some evidence is read with, a verdict written or a label made: their rows are conditional, all others are not. */
const CONDITIONAL = { issues: /^\s*labels:/m, statuses: /^\s*(evidence:\s*)?(any|status: .*)$/m, deployments: /^\s*(evidence:\s*)?(any|deployment: .*)$|^\s*deployment_status:/m }

/** Whether permissions (name → level) are enough for an operation. */
function enough(granted, { needs }) {
  const open = ({ permission, level }) => permission === 'metadata' || rank(granted[permission]) >= rank(level)
  return needs.length === 0 || needs.some((all) => all.every(open))
}

/** The rows of the README's table of permissions: `{permission, level, always}`. */
export function tableOf(markdown) {
  const section = markdown.split(/^### Permissions$/m)[1]?.split(/^#/m)[0] ?? ''
  return [...section.matchAll(/^\| `([a-z-]+): (read|write)` \| .* \| (.*) \|$/gm)].map(([, permission, level, needed]) => ({
    permission,
    level,
    always: needed.startsWith('always'),
  }))
}

/**
 * Every permission used is in the table, and every row of the table is used: one row for each level of what is
 * conditional, and the highest one of what is always needed.
 */
export function tableFaults(rows, operations) {
  const granted = highest(rows)
  const lacking = operations.filter((operation) => !enough(granted, operation))
  const used = operations.flatMap(({ needs }) => needs.flat())
  const unused = (row) => !used.some((need) => need.permission === row.permission && need.level === row.level)
  // Where one of several permissions is enough, the others are not asked for.
  const firm = highest(rows.filter((row) => !(row.permission in CONDITIONAL)))
  const spare = (row) => row.permission in firm && operations.every((one) => !enough(firm, one) || enough({ ...firm, [row.permission]: 'none' }, one))
  const idle = rows.filter((row) => unused(row) || spare(row))
  const listed = (need) => rows.some((row) => row.permission === need.permission && row.level === need.level)
  const conditional = (need) => need.permission in CONDITIONAL
  const nothingElse = operations.filter(({ needs }) => needs.every((all) => all.some(conditional)))
  const unlisted = new Set(nothingElse.flatMap(({ needs }) => needs.flat()).filter((need) => conditional(need) && !listed(need)).map(told))
  const twice = rows.filter((row) => !(row.permission in CONDITIONAL) && rows.some((other) => other !== row && other.permission === row.permission))
  const misplaced = rows.filter((row) => row.always === row.permission in CONDITIONAL)
  return [
    ...(rows.length ? [] : ['it has no rows']),
    ...lacking.map(({ name, needs }) => `\`${name}\` needs ${toldNeeds(needs)}, which is not in it`),
    ...idle.map((row) => `${told(row)} is in it, and no operation needs it`),
    ...[...unlisted].map((need) => `${need} is needed in some cases, and has no row of its own`),
    ...twice.map((row) => `${told(row)} is one of several rows for what is always needed`),
    ...misplaced.map((row) => `${told(row)} is ${row.always ? 'needed in some cases only' : 'always needed'}, and it says otherwise`),
  ]
}

function highest(rows) {
  const granted = {}
  for (const { permission, level } of rows) {
    if (rank(level) > rank(granted[permission])) granted[permission] = level
  }
  return granted
}

/** A workflow grants nothing but to its jobs. */
export function workflowFaults(text) {
  const { permissions } = parse(text) ?? {}
  const nothing = permissions !== null && typeof permissions === 'object' && Object.keys(permissions).length === 0
  return nothing ? [] : ['the workflow has no `permissions: {}`: its other jobs get what they do not need']
}

/** What the README says that an App needs: permission → level. */
export function appNeeds(markdown) {
  const told = /The App needs ([^;.]+)/.exec(markdown)?.[1] ?? ''
  const needs = [...told.matchAll(/`([a-z-]+): (read|write)`/g)].map(([, permission, level]) => [permission, level])
  return needs.length ? Object.fromEntries(needs) : null
}

/**
 * The jobs of a workflow that run promote: `{job, granted, app, needless}`; `app` is what its App `needs`, where it
 * names one, `needless` are the conditional permissions of which no condition holds in it.
 */
export function jobsOf(text, needs = null) {
  const workflow = parse(text)
  const needless = Object.keys(CONDITIONAL).filter((permission) => !CONDITIONAL[permission].test(text))
  return Object.entries(workflow?.jobs ?? {}).flatMap(([job, { steps = [], permissions = workflow.permissions ?? {} }]) => {
    if (!steps.some(({ uses }) => /(^|\/)promote(\/[\w-]+)*@|^\.\//.test(uses ?? ''))) return []
    const mints = steps.some((step) => step.with?.['app-id'] !== undefined)
    return [{ job, granted: permissions, app: mints ? needs : null, needless }]
  })
}

/** The YAML blocks of a Markdown text that are workflows. */
export function workflowsIn(markdown) {
  return [...markdown.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, text]) => text).filter((text) => /^jobs:/m.test(text))
}

/**
 * What is wrong with the permissions of one token: `operations` are those it is used for. What only `optional` rows
 * of the table open may be left out, and must be where it is `needless`.
 */
export function grantFaults(granted, operations, rows, needless = []) {
  if (granted === null || typeof granted !== 'object') return [`\`permissions: ${granted}\` does not say what is needed`]
  const optional = highest(rows.filter(({ always }) => !always))
  const lacking = operations.filter((operation) => !enough(granted, operation) && !enough(optional, operation))
  const idle = Object.entries(granted).filter(([permission, level]) => {
    const less = { ...granted, [permission]: LEVELS[rank(level) - 1] }
    return rank(level) <= 0 || needless.includes(permission) || operations.every((operation) => !enough(granted, operation) || enough(less, operation))
  })
  return [
    ...lacking.map(({ name, needs }) => `\`${name}\` needs ${toldNeeds(needs)}, which is not granted`),
    ...idle.map(([permission, level]) => `${told({ permission, level })} is granted, and ${rank(level) > 1 ? 'less would do' : 'no operation needs it'}`),
  ]
}

/** What GitHub publishes: `GET /repos/{}/{}/pulls` → `[{permission, level}]`. */
function publishedNeeds() {
  const { permissions } = JSON.parse(published('app-permissions/generated/api.github.com.json'))
  const needs = new Map()
  for (const [permission, { read = [], write = [] }] of Object.entries(permissions)) {
    for (const [level, routes] of Object.entries({ read, write })) {
      for (const route of routes) {
        const key = route.replace(/\{[^}]+\}/g, '{}')
        needs.set(key, [...(needs.get(key) ?? []), { permission: permission.replace(/_/g, '-'), level }])
      }
    }
  }
  return needs
}

/** Holds the permission recorded with each operation of the fake against what GitHub publishes. */
export function checkPublishedPermissions(exchanges, report) {
  const known = publishedNeeds()
  const recorded = new Map()
  for (const { method, route, permission } of exchanges) {
    if (route !== null) recorded.set(`${method} ${route} ${permission}`, [`${method} ${route}`, alternatives(permission)])
  }
  for (const [operation, needs] of recorded.values()) {
    const due = known.get(operation.replace(/\{[^}]+\}/g, '{}'))
    if (!due) {
      report.count('operations whose permission is not published')
      continue
    }
    report.count('operations whose permission is published')
    const list = (all) => all.sort().join(' or ') || 'nothing'
    // To ask for more than GitHub does is safe, and some of what is published has been narrowed since. What is open to
    // every token, `metadata: read`, needs no word of it.
    const accepted = new Set(due.map(told))
    const open = needs.length === 0 && !accepted.has('`metadata: read`')
    if (open || !needs.every((all) => all.some((need) => accepted.has(told(need))))) {
      report.violation({ against: 'published permissions', where: operation, what: `the fake asks for ${toldNeeds(needs) || 'nothing'}, GitHub for ${list(due.map(told))}` })
    }
  }
}
